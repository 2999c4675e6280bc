import type { Route } from '../../model.ts'
import { closing, lineAt, literal, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { type GoFunction, type GoSource, goSources } from './go-functions.ts'
import { joined } from './paths.ts'

/** Routes of Go: net/http, chi, gin, echo, fiber and gorilla, with groups, mounts and middleware, across functions. */
export function goRoutes(files: SourceFile[]): Route[] {
  const source = goSources(files)
  const routing = source.functions.filter(it => routes.test(it.mask))
  const called = new Set<GoFunction>()
  const done = new Set<string>()
  const found: Route[] = []
  const run = (it: GoFunction, given: Map<string, Router>, depth: number) => {
    const key = `${it.file.path}:${it.line} ${[...given.values()].map(one => one.path).join()}`
    if (done.has(key) || depth > 8) return
    done.add(key)
    called.add(it)
    found.push(...new Walk(it, source, given, (inner, router) => run(inner, router, depth + 1)).routes())
  }
  const mounts = new Set(routing.flatMap(it => [...it.mask.matchAll(/\.Mount\([^()]*?(\w+)\(/g)].map(one => one[1]!)))
  for (const it of routing) if (!it.routerParameter && !mounts.has(it.name)) run(it, new Map(), 0)
  for (const it of routing)
    if (!called.has(it))
      run(it, it.routerParameter ? new Map([[it.routerParameter, { path: '', guards: [] }]]) : new Map(), 0)
  return [...found, ...resolvers(source)]
}

/** What gqlgen calls for each field: `func (r *mutationResolver) AcceptQuote(ctx, …)`. */
const resolvers = ({ functions, guard }: GoSource): Route[] =>
  functions
    .filter(it => /^(query|mutation)Resolver$/i.test(it.type))
    .map(it => {
      const name = it.name[0]!.toLowerCase() + it.name.slice(1)
      const asked = [...it.text.matchAll(/\b((?:\w+\.)?(?:UseUser|ForContext|CanUser|\w*Auth\w*|Require\w+))\(/g)]
      return {
        method: /^query/i.test(it.type) ? 'GET' : 'POST',
        path: `/graphql/${name}`,
        guards: [...new Set(asked.flatMap(one => guard(one[1]!, it) ?? []))],
        handler: `${it.type}.${it.name}`,
        body: it.text,
        at: `${it.file.path}:${it.line}`,
      }
    })

const routes =
  /\.(GET|POST|PUT|PATCH|DELETE|Get|Post|Put|Patch|Delete|Any|Handle|HandleFunc|Group|Route|Mount|Method|PathPrefix)\(/

interface Router {
  path: string
  guards: string[]
}

type Run = (called: GoFunction, given: Map<string, Router>) => void

interface Call {
  /** What it is called on: `api`, `api.Group("/x")`. */
  on: string
  name: string
  open: number
  start: number
}

/** Follows one function, with the routers that it makes and is given. */
class Walk {
  private readonly found: Route[] = []
  private readonly of: GoFunction
  private readonly source: GoSource
  private readonly given: Map<string, Router>
  private readonly run: Run

  constructor(of: GoFunction, source: GoSource, given: Map<string, Router>, run: Run) {
    this.of = of
    this.source = source
    this.given = given
    this.run = run
  }

  routes(): Route[] {
    this.statements(0, this.of.mask.length, new Map(this.given))
    return this.found
  }

  /** Reads calls in their order; those inside of a group's function with that group's router. */
  private statements(from: number, to: number, env: Map<string, Router>) {
    const { mask, text } = this.of
    const call = /\b[A-Za-z_]\w*(?:\.\w+)*\(/g
    call.lastIndex = from
    for (let match = call.exec(mask); match && match.index < to; match = call.exec(mask)) {
      const open = match.index + match[0].length - 1
      const dot = match[0].lastIndexOf('.')
      const called = {
        on: match[0].slice(0, Math.max(dot, 0)),
        name: match[0].slice(dot + 1, -1),
        open,
        start: match.index,
      }
      const end = this.take(called, env, text)
      call.lastIndex = end ?? open + 1
    }
  }

  /** Reads a call with what is chained to it; says where to go on where its inside has been read. */
  private take(call: Call, env: Map<string, Router>, text: string): number | undefined {
    const { mask } = this.of
    let router = env.get(call.on)
    let { name, open } = call
    const chain: string[] = []
    for (let steps = 0; steps < 12; steps++) {
      const end = closing(mask, open)
      const args = parts(text, mask, open)
      if (!router && made.test(`${call.on}.${name}`)) router = { path: '', guards: [] }
      const inside = router
        ? this.step(name, args, { router, open, end, start: call.start }, env)
        : this.passed(call.on, name, args, env)
      if (inside?.router) router = inside.router
      chain.push(name)
      const next = mask.slice(end + 1, end + 120).match(/^\s*\.\s*(\w+)\(/)
      if (!next) {
        this.assign(call.start, router, chain, env)
        return router && (inside?.done || chain.length > 1) ? end + 1 : undefined
      }
      name = next[1]!
      open = end + next[0].length
    }
    return undefined
  }

  /** `api := r.Group("/api")` */
  private assign(start: number, router: Router | undefined, chain: string[], env: Map<string, Router>) {
    const target = this.of.mask.slice(Math.max(0, start - 80), start).match(/([\w.]+)\s*(?:,\s*\w+\s*)?:?=\s*&?$/)?.[1]
    if (!target || !router) return
    // A router that was given is the one that the function makes.
    if (this.given.has(target) && chain.length === 1 && /^New/.test(chain[0]!)) return
    if (chain.some(it => makes.test(it))) env.set(target, { path: router.path, guards: [...router.guards] })
  }

  private step(
    name: string,
    args: string[],
    { router, open, end, start }: { router: Router; open: number; end: number; start: number },
    env: Map<string, Router>,
  ): { router?: Router; done?: boolean } {
    const at = `${this.of.file.path}:${this.of.line + lineAt(this.of.text, start) - 1}`
    const block = this.functionIn(open, end)
    const path = this.pathOf(args[0])
    if (name === 'Use') {
      router.guards.push(...args.flatMap(it => this.listed(it)).flatMap(it => this.guards(it)))
      return {}
    }
    if (name === 'With')
      return { router: { ...router, guards: [...router.guards, ...args.flatMap(it => this.guards(it))] } }
    if (/^(Group|Route|PathPrefix|Party|Host|StrictSlash|Subrouter|NewRoute|Prefix)$/.test(name)) {
      const middleware = args
        .slice(path === undefined ? 0 : 1)
        .filter(it => !/^func\b/.test(it) && literal(it) === undefined)
      const inner = {
        path: `${router.path}/${path ?? ''}`,
        guards: [...router.guards, ...middleware.flatMap(it => this.guards(it))],
      }
      if (!block) return { router: inner }
      this.statements(block.from, block.to, new Map([...env, [block.parameter, inner]]))
      return { done: true }
    }
    if (name === 'Mount') {
      this.mounted(args[1] ?? '', { path: `${router.path}/${path ?? ''}`, guards: router.guards })
      return {}
    }
    if (name === 'Methods') {
      const last = this.found.at(-1)
      const verbs = args.flatMap(it => literal(it) ?? it.match(/http\.Method(\w+)/)?.[1]?.toUpperCase() ?? [])
      if (last && verbs[0]) last.method = verbs[0]
      return {}
    }
    if (!verb.test(name) || path === undefined) return this.passed('', name, args, env) ?? {}
    this.found.push(this.route(name, path, args, router, at))
    return { done: true }
  }

  private route(name: string, first: string, args: string[], router: Router, at: string): Route {
    const method = /^(Method|MethodFunc|Handle|HandleFunc|Add)$/.test(name) ? undefined : name.toUpperCase()
    const written = first.match(/^([A-Z]+)\s+(?:[\w.-]+)?(\/.*)$/)
    const explicit = /^(Method|MethodFunc|Add|Handle)$/.test(name) && /^[A-Z]+$/.test(first) ? first : undefined
    const path = explicit ? (literal(args[1]) ?? '') : (written?.[2] ?? first)
    const handlers = args.slice(explicit ? 2 : 1)
    const main = this.mainHandler(handlers)
    const others = handlers.filter(it => it !== main)
    const wrapped = main.match(/^([\w.]+)\(/) && !/^func\b/.test(main) ? this.guards(main) : []
    const { name: handler, text: body } = this.source.handler(main, this.of)
    return {
      method: (method === 'ANY' || method === 'ALL' ? 'ANY' : method) ?? written?.[1] ?? explicit ?? 'ANY',
      path: joined(router.path, path.replace(/\*\w*$/, '').replace(/\{(\w+)\.\.\.\}/, '{$1}')),
      guards: [...new Set([...router.guards, ...others.flatMap(it => this.guards(it)), ...wrapped])],
      handler,
      body,
      at,
    }
  }

  /** gin and fiber name the handler last, echo first; middleware is known by what it does. */
  private mainHandler(handlers: string[]): string {
    if (handlers.length < 2) return handlers[0] ?? ''
    const first = this.source.handler(handlers[0]!, this.of).text
    return /echo\.Context/.test(first) || this.of.file.text.includes('labstack/echo') ? handlers[0]! : handlers.at(-1)!
  }

  private guards(source: string): string[] {
    const guard = this.source.guard(source, this.of)
    return guard ? [guard] : []
  }

  /** A path that is written there, or in a constant or field of the same file. */
  private pathOf(source: string | undefined): string | undefined {
    const written = literal(source)
    if (written !== undefined || !source || !/^[\w.]*(path|prefix|route|url)$/i.test(source)) return written
    const name = source.split('.').at(-1)!
    const value = this.of.file.text.match(new RegExp(`\\b${name}\\b\\s*(?::=|=|:)\\s*"(/[^"]*)"`, 'i'))?.[1]
    return value ?? ''
  }

  /** `middleware...`: what a list of this function holds. */
  private listed(source: string): string[] {
    const name = source.match(/^(\w+)\.\.\.$/)?.[1]
    if (!name) return [source]
    const made = this.of.mask.match(new RegExp(`\\b${name}\\s*:?=\\s*([\\s\\S]*?)\\n\\t(?=\\w)`))?.[1] ?? ''
    return [...made.matchAll(/\b((?:\w+\.)?\w+)\(/g)].map(it => it[1]!).filter(it => it !== 'append')
  }

  /** A function that is given a router is read with it: `RegisterRoutes(api)`, `h.Register(api.Group("/x"))`. */
  private passed(on: string, name: string, args: string[], env: Map<string, Router>): undefined {
    const position = args.findIndex(it => this.routerOf(it, env))
    if (position === -1) return undefined
    const router = this.routerOf(args[position]!, env)!
    for (const it of this.source.named(name, on)) {
      if (it.routerParameter && it !== this.of)
        this.run(it, new Map([[it.routerParameter, { path: router.path, guards: [...router.guards] }]]))
    }
    return undefined
  }

  private routerOf(source: string, env: Map<string, Router>): Router | undefined {
    const known = env.get(source.replace(/^&/, ''))
    if (known) return known
    const group = source.match(/^([\w.]+)\.(?:Group|PathPrefix)\(\s*"([^"]*)"([\s\S]*)\)(?:\.Subrouter\(\))?$/)
    const outer = group && env.get(group[1]!)
    if (!outer) return undefined
    const middleware = group[3]!
      .split(',')
      .map(it => it.trim())
      .filter(Boolean)
    return {
      path: `${outer.path}/${group[2]}`,
      guards: [...outer.guards, ...middleware.flatMap(it => this.guards(it))],
    }
  }

  /** `r.Mount("/invoices", invoices.Routes())`: that function makes a router of its own. */
  private mounted(target: string, router: Router) {
    const called = target.match(/^([\w.]*?)\.?(\w+)\(/)
    for (const it of called ? this.source.named(called[2]!, called[1]!).slice(0, 1) : []) {
      const own = it.mask.match(/(\w+)\s*:?=\s*chi\.NewRouter\(/)?.[1]
      if (own) this.run(it, new Map([[own, { ...router, guards: [...router.guards] }]]))
    }
  }

  /** The function among the arguments of a call, with the name of the router that it is given. */
  private functionIn(open: number, end: number) {
    const { mask } = this.of
    const match = mask.slice(open, end).match(/func\(\s*(\w+)\s+[\w.*]+\s*\)\s*\{/)
    if (match?.index === undefined) return undefined
    const from = open + match.index + match[0].length
    return { parameter: match[1]!, from, to: closing(mask, from - 1) }
  }
}

const made =
  /^(gin\.(New|Default)|echo\.New|chi\.New(Router|Mux)|fiber\.New|mux\.NewRouter|http\.(NewServeMux|Handle|HandleFunc)|httprouter\.New|iris\.(New|Default)|web\.New)$/
const makes = /^(Group|Route|PathPrefix|Subrouter|With|New|Default|NewRouter|NewMux|NewServeMux|Party)$/
const verb =
  /^(GET|POST|PUT|PATCH|DELETE|HEAD|Get|Post|Put|Patch|Delete|Any|All|ANY|Handle|HandleFunc|Method|MethodFunc|Add|Match)$/
