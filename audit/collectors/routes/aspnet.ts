import type { Route } from '../../model.ts'
import {
  type AnnotatedClass,
  type AnnotatedMethod,
  annotatedClasses,
  annotation,
  methodsIn,
  roleGuard,
  sharpMethod,
  withOwn,
} from '../annotated.ts'
import { closing, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Controllers, pages and minimal APIs of ASP.NET, with their attributes and those of their parents. */
export function aspnetRoutes(files: SourceFile[]): Route[] {
  const sources = files.filter(it => it.path.endsWith('.cs'))
  if (!sources.length) return []
  const web = sources.filter(it => /Controller\b|PageModel\b|\bHttp(Get|Post)\b/.test(it.text))
  const classes = web.flatMap(annotatedClasses)
  const everywhere = sources.some(it => asksEverybody.test(it.text)) ? ['global Authorize'] : []
  return [
    ...classes.filter(it => it.kind === 'class').flatMap(it => classRoutes(it, classes, everywhere)),
    ...sources.flatMap(it => minimalRoutes(it, everywhere)),
  ]
}

const asksEverybody = /AuthorizeFilter\(|FallbackPolicy\s*=(?!\s*null)|MapControllers\(\)\s*\.RequireAuthorization/

function classRoutes(owner: AnnotatedClass, classes: AnnotatedClass[], everywhere: string[]): Route[] {
  const lineage = lineageOf(owner, classes)
  const parents = lineage.map(it => it.parents).join(' ')
  const all = methodsIn(owner, sharpMethod)
  const heads = lineage.map(it => it.head)
  if (/\bPageModel\b/.test(parents)) return all.flatMap(it => pageRoute(it, owner, heads, all, everywhere))
  if (!/Controller\w*\b/.test(parents) || /\babstract\b/.test(owner.head)) return []
  const bases = routesIn(heads.find(it => /\bRoute\s*\(/.test(it)) ?? '')
  return all.flatMap(method => actionRoutes(method, { owner, heads, bases, all, everywhere }))
}

/** A class and what it inherits from. */
function lineageOf(owner: AnnotatedClass, classes: AnnotatedClass[], depth = 0): AnnotatedClass[] {
  const parent = owner.parents.match(/:\s*(\w+)/)?.[1]
  const found = parent && depth < 4 ? classes.find(it => it.name === parent && it !== owner) : undefined
  return found ? [owner, ...lineageOf(found, classes, depth + 1)] : [owner]
}

interface Controller {
  owner: AnnotatedClass
  heads: string[]
  bases: string[]
  all: AnnotatedMethod[]
  everywhere: string[]
}

const verbs = ['Get', 'Post', 'Put', 'Patch', 'Delete']

function actionRoutes(method: AnnotatedMethod, { owner, heads, bases, all, everywhere }: Controller): Route[] {
  const found = verbs.filter(it => annotation(method.head, `Http${it}`))
  const own = routesIn(method.head)
  const conventional = !found.length && !own.length
  const returnsPage = /\b(I?ActionResult|ViewResult|JsonResult|PartialViewResult|FileResult|RedirectResult|IResult)\b/
  if (/\[NonAction\]/.test(method.head) || (conventional && !returnsPage.test(method.head))) return []
  const name = owner.name.replace(/Controller$/, '')
  const area = literal(annotation(heads.join('\n'), 'Area')?.[0])
  const templates = [
    ...own,
    ...found.flatMap(it =>
      annotation(method.head, `Http${it}`)!
        .slice(0, 1)
        .flatMap(one => literal(one) ?? []),
    ),
  ]
  const usual = bases.length ? bases : [joined(area, name)]
  const paths = templates.length
    ? templates.flatMap(it =>
        /^[/~]/.test(it) || !bases.length ? [it.replace(/^~/, '')] : bases.map(base => `${base}/${it}`),
      )
    : usual.map(it => (bases.length || method.name === 'Index' ? it : `${it}/${method.name.replace(/Async$/, '')}`))
  const words = { controller: name, action: method.name.replace(/Async$/, ''), area: area ?? '' }
  const asked = guarded([method.head, ...heads], everywhere)
  return paths.flatMap(path =>
    (found.length ? found : ['Any']).map(verb => ({
      method: verb.toUpperCase(),
      path: joined(filled(path, words)),
      ...asked,
      handler: `${owner.name}.${method.name}`,
      body: withOwn(method, all),
      at: `${owner.file.path}:${method.line}`,
    })),
  )
}

const routesIn = (head: string) => [...head.matchAll(/[[,\s]Route\(\s*@?"([^"]*)"/g)].map(it => it[1]!)

/** `api/[controller]/{id:int}` as an address. */
const filled = (path: string, words: Record<string, string>) =>
  path
    .replace(
      /\[(\w+)\]|\{(action|controller|area)[^}]*\}/g,
      (_, one?: string, other?: string) => words[(one ?? other)!.toLowerCase()] ?? '',
    )
    .replace(/\{\*{0,2}(\w+)[^}]*\}/g, ':$1')

/** `Pages/Portal/Invoice.cshtml.cs` answers `/Portal/Invoice`. */
function pageRoute(
  method: AnnotatedMethod,
  owner: AnnotatedClass,
  heads: string[],
  all: AnnotatedMethod[],
  everywhere: string[],
): Route[] {
  const verb = method.name.match(/^On(Get|Post|Put|Delete)/)?.[1]
  const place = owner.file.path.match(/(?:Areas\/(\w+)\/)?Pages\/(.*)\.cshtml\.cs$/)
  if (!verb || !place) return []
  return [
    {
      method: verb.toUpperCase(),
      path: joined(place[1], place[2]!.replace(/(^|\/)Index$/, '')),
      ...guarded([method.head, ...heads], everywhere),
      handler: `${owner.name}.${method.name}`,
      body: withOwn(method, all),
      at: `${owner.file.path}:${method.line}`,
    },
  ]
}

const guardMark =
  /[[,]\s*(\w*(?:Auth\w*|Permission\w*|Role\w*|RequireUser\w*|Login\w*|Session\w*))(?:Attribute)?\s*(?=[(,\]])/g

/** The nearest word counts: `[AllowAnonymous]` on an action opens what its controller closes. */
function guarded(heads: string[], everywhere: string[]): Pick<Route, 'guards' | 'open'> {
  if (
    /\bAllowAnonymous\b/.test(heads[0]!) ||
    (heads.slice(1).some(it => /\bAllowAnonymous\b/.test(it)) && !/\bAuthorize\b/.test(heads[0]!))
  )
    return { guards: [], open: true }
  const named = heads.flatMap(head =>
    [...head.matchAll(guardMark)].flatMap(it => guardNames(it[1]!, annotation(head, it[1]!) ?? [])),
  )
  return { guards: [...new Set([...named, ...everywhere])] }
}

function guardNames(name: string, args: string[]): string[] {
  const text = args.join(', ')
  const roles = text.match(/Roles\s*=\s*"([^"]*)"/)?.[1]
  if (roles) return roles.split(',').map(it => roleGuard(it.trim()))
  const policy = text.match(/^"([^"]*)"$/)?.[1] ?? text.match(/Policy\s*=\s*([\w."]+)/)?.[1]
  return [policy ? `Authorize ${policy.replace(/"/g, '')}` : `${name} ${text}`.trim().slice(0, 80)]
}

const mapped = /\b(\w+)\s*\.Map(Get|Post|Put|Patch|Delete|Methods)\s*\(/g

/** `app.MapGet("/quotes/{token}", handler).AllowAnonymous()`, in groups too. */
function minimalRoutes(file: SourceFile, everywhere: string[]): Route[] {
  if (!/\.Map(Get|Post|Put|Patch|Delete)\s*\(/.test(file.text)) return []
  const mask = masked(file.text)
  return [...mask.matchAll(mapped)].flatMap(match => {
    const open = match.index + match[0].length - 1
    const [path, ...handlers] = parts(file.text, mask, open)
    const address = literal(path)
    if (address === undefined) return []
    const group = groupOf(match[1]!, file.text)
    const chain = file.text.slice(closing(mask, open), mask.indexOf(';', closing(mask, open)))
    const anyone = /AllowAnonymous/.test(chain)
    const asked = [...chain.matchAll(/RequireAuthorization\(([^)]*)\)/g)].map(it => policyName(it[1]!))
    const handler = handlers.at(-1) ?? ''
    const body = /=>/.test(handler) ? handler : functionText(handler, file.text, mask)
    return [
      {
        method: match[2]!.toUpperCase(),
        path: joined(group.path, filled(address, {})),
        guards: anyone ? [] : [...everywhere, ...group.guards, ...asked],
        ...(anyone && { open: true }),
        handler: /^[\w.]+$/.test(handler) ? handler : 'inline',
        body,
        at: `${file.path}:${lineAt(file.text, match.index)}`,
      },
    ]
  })
}

const policyName = (args: string) => `Authorize ${literals(args).join(' ')}`.trim()

function groupOf(name: string, text: string, depth = 0): { path: string; guards: string[] } {
  const made = text.match(new RegExp(`\\b${name}\\s*=\\s*(\\w+)\\s*\\.MapGroup\\(\\s*"([^"]*)"\\s*\\)([^;]*)`))
  if (!made || depth > 4) return { path: '', guards: [] }
  const outer = groupOf(made[1]!, text, depth + 1)
  const guards = [...made[3]!.matchAll(/RequireAuthorization\(([^)]*)\)/g)].map(it => policyName(it[1]!))
  return { path: `${outer.path}/${made[2]}`, guards: [...outer.guards, ...guards] }
}

function functionText(name: string, text: string, mask: string): string {
  const found = /^\w+$/.test(name) ? mask.match(new RegExp(`[\\w>\\]]\\s+${name}\\s*\\(`)) : undefined
  if (found?.index === undefined) return ''
  const open = mask.indexOf('{', found.index)
  return open === -1 ? '' : text.slice(found.index, closing(mask, open) + 1)
}
