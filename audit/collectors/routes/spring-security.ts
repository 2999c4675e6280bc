import { roleGuard } from '../annotated.ts'
import { closing, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { type Constants, constantValue } from './constants.ts'

/** Who may call the addresses that a pattern fits; nobody is asked where there are no guards. */
export interface AddressRule {
  fits(path: string): boolean
  method?: string
  guards: string[]
}

/** The first rule that fits decides, as in Spring. */
export const ruleFor = (rules: AddressRule[], method: string, path: string): AddressRule | undefined =>
  rules.find(it => (!it.method || it.method === method || method === 'ANY') && it.fits(path))

/** The rules of filter chains, and those of interceptors where there is no chain. */
export function springRules(files: SourceFile[], constants: Constants): AddressRule[] {
  const chains = files.filter(it => /HttpSecurity|ServerHttpSecurity/.test(it.text))
  const rules = chains.flatMap(it => chainRules(it, constants))
  return rules.length ? rules : files.flatMap(it => interceptorRules(it, files, constants))
}

const matcher = /\b(requestMatchers|antMatchers|mvcMatchers|pathMatchers|authorize|anyRequest|anyExchange)\s*\(/g

function chainRules({ text }: SourceFile, constants: Constants): AddressRule[] {
  const mask = masked(text)
  return [...mask.matchAll(matcher)].flatMap(match => {
    const open = match.index + match[0].length - 1
    const end = closing(mask, open)
    const args = parts(text, mask, open)
    const dsl = match[1] === 'authorize'
    const decision = dsl ? (args.at(-1) ?? '') : text.slice(end + 1, closingOf(mask, end + 1)).trim()
    const ignored = /ignoring\(\)\s*\.\s*$/.test(mask.slice(Math.max(0, match.index - 40), match.index))
    const guards = ignored ? [] : decided(decision)
    if (!guards) return []
    if (/^any/.test(match[1]!) || (dsl && args[0] === 'anyRequest')) return [{ fits: () => true, guards }]
    const verb = args[0]?.match(/HttpMethod\.(\w+)/)?.[1]
    const patterns = (dsl ? args.slice(0, -1) : args).flatMap(it => patternsOf(it, text, constants))
    return patterns.map(it => ({ fits: antPath(it), ...(verb && { method: verb }), guards }))
  })
}

/** The end of the call behind a matcher: `.hasRole("CLIENT")`. */
function closingOf(mask: string, from: number): number {
  const called = mask.slice(from, from + 300).match(/^\s*\.\s*\w+\s*\(/)
  return called ? closing(mask, from + called[0].length - 1) + 1 : from
}

/** What a decision asks for: nothing, a sign-in, or roles. Undefined where it is no decision. */
function decided(decision: string): string[] | undefined {
  const name = decision.match(/^\.?\s*(\w+)/)?.[1] ?? ''
  if (/^(permitAll|anonymous)$/.test(name)) return []
  if (/^(authenticated|fullyAuthenticated|denyAll|rememberMe)$/.test(name)) return [name]
  if (/^has/.test(name)) return literals(decision).map(roleGuard)
  if (name !== 'access') return undefined
  const roles = literals(decision).flatMap(it => literals(it))
  return /permitAll/.test(decision) ? [] : roles.length ? roles.map(roleGuard) : ['access']
}

function patternsOf(source: string, text: string, constants: Constants): string[] {
  if (/HttpMethod\./.test(source)) return []
  const wrapped = source.match(/[mM]atcher\w*\(\s*([^)]*)\)/)?.[1] ?? source
  const list = /^[\w.]+$/.test(wrapped) ? listNamed(wrapped.split('.').at(-1)!, text) : undefined
  if (list) return literals(list)
  const written = literals(wrapped)
  return written.length > 1 && !wrapped.includes('+')
    ? written
    : [constantValue(wrapped, constants)].filter(it => it !== '')
}

const listNamed = (name: string, text: string) =>
  text.match(
    new RegExp(
      `\\b${name}\\b[^=;]*=\\s*(?:new\\s+String\\s*\\[\\]\\s*|arrayOf|listOf|List\\.of|Arrays\\.asList)?\\s*[{(]([^})]*)`,
    ),
  )?.[1]

/** `/portal/**` as a test of addresses. */
function antPath(pattern: string): (path: string) => boolean {
  const source = pattern.replace(/\/\*\*$|\*\*|\*|\{[^}]*\}|\?|[.+^$()|\\]/g, it => antPart[it] ?? antRest(it))
  const compiled = new RegExp(`^${/^[/(.]/.test(source) ? '' : '/'}${source}$`)
  return path => compiled.test(path)
}

const antPart: Record<string, string> = { '/**': '(/.*)?', '**': '.*', '*': '[^/]*', '?': '.' }
const antRest = (it: string) => (it.startsWith('{') ? '[^/]+' : `\\${it}`)

const interceptor = /\.addInterceptor\s*\(/g

/** `registry.addInterceptor(new LoginInterceptor()).addPathPatterns("/**").excludePathPatterns("/login")` */
function interceptorRules({ text }: SourceFile, files: SourceFile[], constants: Constants): AddressRule[] {
  if (!text.includes('addInterceptor')) return []
  const mask = masked(text)
  return [...mask.matchAll(interceptor)].flatMap(({ index, 0: whole }) => {
    const open = index + whole.length - 1
    const name = text.slice(open + 1, closing(mask, open)).match(/(\w*[iI]nterceptor\w*|\w+)\W*$/)?.[1] ?? ''
    if (!asksWho(name, files)) return []
    const chain = text.slice(closing(mask, open), mask.indexOf(';', open))
    const listed = (call: string) => {
      const args = chain.match(new RegExp(`\\.${call}\\(([^;]*?)\\)(?=\\s*(\\.|$))`))?.[1] ?? ''
      return literals(args).length ? literals(args) : patternsOf(args.trim(), text, constants)
    }
    const exempt = listed('excludePathPatterns').map(it => ({ fits: antPath(it), guards: [] }))
    const asked = listed('addPathPatterns').map(antPath)
    const covers = asked.length ? (path: string) => asked.some(it => it(path)) : () => true
    return [...exempt, { fits: covers, guards: [name] }]
  })
}

const asksWho = (name: string, files: SourceFile[]) => {
  const pattern = new RegExp(`class\\s+${name}\\b`, 'i')
  const text = files.find(it => pattern.test(it.text))?.text
  return text
    ? /return\s+false|40[13]|throw\b/i.test(text) && /session|token|login|auth/i.test(text)
    : /auth|login|token|session|jwt/i.test(name)
}
