import { either } from '../../patterns.ts'
import { literals } from '../text.ts'

/** A function that stands in front of routes: what it is called, and which addresses it lets through. */
export interface Gatekeeper {
  name: string
  lets(path: string): boolean
}

/** A function in front of routes, by what it does: undefined where it turns nobody away. */
export function gatekeeper(name: string, text: string | undefined, fileText: string): Gatekeeper | undefined {
  if (limiter.test(name)) return undefined
  if (text === undefined) return { name, lets: () => false }
  if (turnsNobodyAway(text) || asksForNobody(name, text)) return undefined
  const open = openPaths(text, fileText)
  return { name: described(name, text), lets: path => open.some(it => it(path)) }
}

/** Rate limits let everybody in. */
const limiter = /limiter|rate_?limit|throttle|slow_?down/i
const rejects = /\b40[13]\b|unauthori|forbidden|redirect\(|throw\b|next\(\s*\w|verify|isAuth|authenticate/i
const setsHeaders = /\.(setHeader|removeHeader|header|set)\(/
const passesOn = /\b(next|done)\(\s*\)/
/** Whoever hands `next` on leaves the decision to somebody else. */
const handsOn = /\(\s*(?:[^()]*,\s*)?next\s*[,)](?!\s*(=>|\{|:))/

/** Middleware that adds headers or values to each request, whatever it is called. */
const turnsNobodyAway = (text: string): boolean =>
  !rejects.test(text) && (setsHeaders.test(text) || (passesOn.test(text) && !handsOn.test(bodyOnly(text))))

/** A check of the request alone, such as where it comes from: nobody signs in for it. */
const asksForNobody = (name: string, text: string) =>
  !saysWhom.test(name) && !anySession.test(text) && !handsOn.test(bodyOnly(text)) && !asksSomebody.test(text)

const asksSomebody = /verify|authenticat|isAuth|token|user|session|login|role|permission|passport/i

const bodyOnly = (text: string) => text.slice(Math.max(text.indexOf('{'), 0))

/** The name, and behind it whose session is read, where the name does not say so. */
function described(name: string, text: string): string {
  if (saysWhom.test(name)) return name
  if (clientSession.test(text)) return `${name} (client session)`
  return anySession.test(text) ? `${name} (session)` : name
}

const saysWhom = either(
  /[aA]uth|[lL]og(ged)?_?[iI]n|[sS]igned|[sS]ess|[uU]ser|[aA]dmin|[sS]taff|[pP]ermi|[rR]ole|[jJ]wt|JWT|[rR]equire|[gG]uard|[pP]rotect/,
  /[cC]lient|[cC]ustomer|[pP]ortal|[cC]ontact|[tT]oken|[vV]erif|[eE]nsure|[lL]imit|[tT]enant|[cC]srf/,
)
const clientSession =
  /!\s*(req|request|ctx|c)\.(session|user|auth|locals)?[.?[\]'"\w]{0,12}(client|customer|portal|contact)/i
const anySession =
  /\b(req|request|ctx|c)\.(session|user|auth|isAuthenticated|headers\.authorization)|jwt\.verify|UNAUTHORIZED/

type PathTest = (path: string) => boolean

/** The addresses that a guard lets through before it asks who is there. */
function openPaths(text: string, fileText: string): PathTest[] {
  const code = withoutComments(text)
  return [...listsIn(code, withoutComments(fileText)), ...comparisonsIn(code), ...patternsIn(code)]
}

const withoutComments = (text: string) => text.replace(/(^|[ \t])\/\/[^\n]*|\/\*[\s\S]*?\*\//g, ' ')

const address = String.raw`(?:\w+\.)*(?:path|url|originalUrl|baseUrl|pathname|requestPath|routePath)\b`
const searched = new RegExp(String.raw`(!\s*)?\b(\w+)\s*\.(includes|has|some|find|indexOf)\([^;{]*?${address}`, 'g')
const openName = /public|open|allow|white|exempt|skip|except|exclud|unauth|anon|free|bypass|ignore|safe|no_?auth/i
const closedName = /protect|private|secure|restrict|guarded|require/i

/** `if (openPaths.includes(req.path)) return next()` */
function listsIn(text: string, fileText: string): PathTest[] {
  return [...text.matchAll(searched)].flatMap(match => {
    const [whole, , name = '', method] = match
    const lets = openName.test(name) || (!match[1] && !closedName.test(name) && passes(text, match))
    if (!lets) return []
    const asked = text.slice(match.index, match.index + whole.length + 20)
    const start = /startsWith|match|test\(/.test(asked)
    return listNamed(name, fileText).map(it => (method === 'some' && start ? under(it) : matching(it)))
  })
}

const listNamed = (name: string, text: string): string[] => {
  const list = text.match(
    new RegExp(`\\b${name}\\b[^=\\n]*=\\s*(?:new\\s+Set\\w*(?:<[^>]*>)?\\(\\s*)?\\[([^\\]]*)\\]`),
  )?.[1]
  return literals(list ?? '').filter(it => it.startsWith('/'))
}

const compared = new RegExp(String.raw`(!\s*)?\b${address}\s*(?:(===?)\s*|\.startsWith\(\s*)(["'\`])(/[^"'\`]*)\3`, 'g')

/** `if (req.path.startsWith('/public')) return next()` */
const comparisonsIn = (text: string): PathTest[] =>
  [...text.matchAll(compared)].flatMap(match => {
    if (match[1] || !passes(text, match)) return []
    return match[2] ? [matching(match[4]!)] : [under(match[4]!)]
  })

const tested = new RegExp(
  String.raw`(!\s*)?\/((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/i?\.test\(\s*${address}\s*,?\s*\)`,
  'g',
)

/** `if (/^\/quotes\/\d+$/.test(req.path)) return next()` */
const patternsIn = (text: string): PathTest[] =>
  [...text.matchAll(tested)].flatMap(match => {
    if (match[1] || !passes(text, match)) return []
    try {
      const pattern = new RegExp(match[2]!)
      return [path => pattern.test(path) || pattern.test(path.replace(/:\w+/g, '1'))]
    } catch {
      return []
    }
  })

/** Whether the condition that a match is part of leads to `next()`. */
const passes = (text: string, match: RegExpExecArray) =>
  /^[^;{}]*\{?\s*(return\s+)?(await\s+)?next\(\)/.test(text.slice(match.index + match[0].length).slice(0, 500))

const trimmed = (path: string) => path.replace(/\/$/, '') || '/'

/** Fits an address that is the pattern, or under it where it ends in an asterisk. */
export const matching = (pattern: string): PathTest => {
  if (/\*+$|\(\.\*\)$/.test(pattern)) return under(pattern.replace(/(\(\.\*\)|\*+)$/, ''))
  return path => trimmed(path) === trimmed(pattern)
}

/** Fits the addresses that begin with a path. */
export const under = (prefix: string): PathTest => {
  const start = trimmed(prefix)
  return path =>
    path === start ||
    path.startsWith(start === '/' ? '/' : `${start}/`) ||
    (prefix.endsWith('-') && path.startsWith(prefix))
}
