import type { Route } from '../../model.ts'
import {
  type AnnotatedClass,
  type AnnotatedMethod,
  annotatedClasses,
  annotation,
  javaMethod,
  methodsIn,
  roleGuard,
  withOwn,
} from '../annotated.ts'
import { literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { type Constants, constantsOf, constantValue } from './constants.ts'
import { joined } from './paths.ts'
import { type AddressRule, ruleFor, springRules } from './spring-security.ts'

/** Controllers of Spring and resources of JAX-RS in Java and Kotlin, under annotations, filter chains and interceptors. */
export function springRoutes(files: SourceFile[]): Route[] {
  const sources = files.filter(it => /\.(java|kt)$/.test(it.path))
  const mapped = sources.filter(it => /@(?:\w+Mapping|Path|RestController|Controller)\b/.test(it.text))
  if (!mapped.length) return []
  const classes = mapped.flatMap(annotatedClasses)
  const constants = constantsOf(sources)
  const rules = springRules(sources, constants)
  return classes.flatMap(it => controllerRoutes(it, classes, constants, rules))
}

function controllerRoutes(
  owner: AnnotatedClass,
  classes: AnnotatedClass[],
  constants: Constants,
  rules: AddressRule[],
): Route[] {
  if (/@FeignClient|@RegisterRestClient/.test(owner.head)) return []
  const body = owner.file.text.slice(owner.open, owner.close)
  if (!/@(\w+Mapping|GET|POST|PUT|DELETE|PATCH)\b/.test(body)) return []
  const made = owner.kind === 'interface' ? implementation(owner, classes) : owner
  const bases = pathsOf(annotation(owner.head, 'RequestMapping') ?? annotation(owner.head, 'Path'), constants)
  const own = methodsIn(owner, javaMethod)
  const bodies = made && made !== owner ? methodsIn(made, javaMethod) : own
  return own.flatMap(method => {
    const mapping = mappingOf(method, constants)
    if (!mapping) return []
    const real = made === owner ? method : bodies.find(it => it.name === method.name)
    const heads = `${owner.head}\n${made === owner ? '' : (made?.head ?? '')}\n${method.head}\n${real?.head ?? ''}`
    return bases.flatMap(base =>
      mapping.paths.map(path => ({
        method: mapping.method,
        ...guarded(heads, mapping.method, joined(base, path), rules),
        path: joined(base, path),
        handler: `${made?.name ?? owner.name}.${method.name}`,
        body: real ? withOwn(real, bodies) : '',
        at: `${owner.file.path}:${method.line}`,
      })),
    )
  })
}

const implementation = ({ name }: AnnotatedClass, classes: AnnotatedClass[]) =>
  classes.find(it => it.kind === 'class' && new RegExp(`\\b${name}\\b`).test(it.parents))

interface Mapping {
  method: string
  paths: string[]
}

function mappingOf({ head }: AnnotatedMethod, constants: Constants): Mapping | undefined {
  const verb = head.match(/@(Get|Post|Put|Patch|Delete)Mapping\b/)?.[1]
  if (verb) return { method: verb.toUpperCase(), paths: pathsOf(annotation(head, `${verb}Mapping`), constants) }
  const request = annotation(head, 'RequestMapping')
  if (request) {
    const method = request.join(',').match(/RequestMethod\.(\w+)|\bmethod\s*=\s*\[?(GET|POST|PUT|PATCH|DELETE)/)
    return { method: method?.[1] ?? method?.[2] ?? 'ANY', paths: pathsOf(request, constants) }
  }
  const jaxRs = head.match(/@(GET|POST|PUT|PATCH|DELETE)\b/)?.[1]
  return jaxRs ? { method: jaxRs, paths: pathsOf(annotation(head, 'Path'), constants) } : undefined
}

/** The addresses among the arguments of a mapping: `value`, `path`, or the one without a name. */
function pathsOf(args: string[] | undefined, constants: Constants): string[] {
  const named = args?.find(it => /^(value|path)\s*=/.test(it)) ?? args?.find(it => !/^\w+\s*=/.test(it))
  const value = named?.replace(/^(value|path)\s*=\s*/, '')
  if (!value) return ['']
  const listed = /^[{[]/.test(value) ? parts(value, masked(value), 0) : [value]
  return listed.map(it => constantValue(it, constants))
}

const openMark =
  /@(PermitAll|Anonymous\w*|IgnoreAuth\w*|NoAuth\w*|PassToken|Public\w*|SkipAuth\w*|SaIgnore|Inner)\b|permitAll\(\)/
const guardMark =
  /@((?:Pre|Post)Authorize|Secured|RolesAllowed|Requires?\w+|SaCheck\w+|Authenticated|\w*Login\w*|\w*Auth\w*|\w*Permission\w*|\w*Role\w*)\b/g
const noGuard =
  /^(SecurityRequirements?|AuthenticationPrincipal|OAuth\w*|RequiredArgsConstructor|RequestAttribute|Author)$/

function guarded(heads: string, method: string, path: string, rules: AddressRule[]): Pick<Route, 'guards' | 'open'> {
  const named = [...heads.matchAll(guardMark)].map(it => it[1]!).filter(it => !noGuard.test(it))
  const guards = [...new Set(named.flatMap(it => rolesOf(it, annotation(heads, it) ?? [])))]
  const rule = ruleFor(rules, method, path)
  const all = [...guards, ...(rule?.guards ?? [])]
  const open = openMark.test(heads) || (guards.length === 0 && rule?.guards.length === 0)
  return open ? { guards: [], open } : { guards: all }
}

/** The roles that an annotation asks for, or the annotation. */
function rolesOf(name: string, args: string[]): string[] {
  const text = args.join(', ')
  const roles = literals(text).flatMap(it => (/\(/.test(it) ? literals(it) : [it]))
  const asked = roles.filter(it => /^[\w:.-]+$/.test(it))
  return asked.length && !/logical/i.test(asked.join()) ? asked.map(roleGuard) : [`${name} ${text}`.trim().slice(0, 80)]
}
