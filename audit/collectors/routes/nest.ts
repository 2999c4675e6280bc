import type { Route } from '../../model.ts'
import type { Script } from '../javascript.ts'
import { type Modules, withHelpers } from '../modules.ts'
import type { Piece } from '../pieces.ts'
import { joined } from './paths.ts'

/** Controllers of Nest and alike (decorators), and the queries and mutations of GraphQL resolvers. */
export function decoratedRoutes({ scripts }: Modules): Route[] {
  const all = [...scripts.values()]
  const prefix = all.flatMap(it => it.calls).find(it => /setGlobalPrefix$/.test(it.name))?.args[0]?.string
  const everywhere = globalGuards(all)
  const openMarks = publicMarks(all)
  return all.flatMap(script =>
    script.classes.flatMap(({ decorators, members }) => {
      const controller = decorators.find(it =>
        /^(Controller|JsonController|RestController|Resolver|MetadataResolver|CoreResolver)$/.test(it.call?.name ?? ''),
      )
      if (!controller) return []
      const base = controller.call!.args[0]?.string ?? controller.call!.args[0]?.entries?.path?.string ?? ''
      return members.flatMap(member =>
        member.decorators.flatMap((it): Route[] => {
          const verb = it.call?.name.match(/^(Get|Post|Put|Patch|Delete|All|Query|Mutation)$/)?.[1]
          if (!verb) return []
          const marks = [...decorators, ...member.decorators]
          const open = marks.some(one => {
            const name = one.call?.name ?? one.text
            return openMark.test(name) || openMarks.has(name) || setsPublic.test(one.text)
          })
          const graph = /^(Query|Mutation)$/.test(verb)
          const at = `${script.file.path}:${member.line}`
          return [
            {
              method: graph ? 'POST' : verb.toUpperCase().replace('ALL', 'ANY'),
              path: graph ? `/graphql/${member.name}` : joined(prefix, base, it.call!.args[0]?.string),
              guards: [...(open ? [] : everywhere), ...marks.flatMap(guardsOf)],
              ...(open && { open }),
              handler: member.name,
              body: withHelpers(member.text, script),
              at,
            },
          ]
        }),
      )
    }),
  )
}

const openMark = /^(Public\w*|AllowAnon\w*|SkipAuth|NoAuth|IsPublic)$/
const publicKey = String.raw`['"\w]*(?:public|anonymous|no_?auth|skip_?auth|unprotected|allow_?unauth)\w*['"]?`
const setsPublic = new RegExp(String.raw`SetMetadata\(\s*${publicKey}\s*,\s*true`, 'i')

/** Decorators of the project's own that set the metadata of public routes: `const Anyone = () => SetMetadata('isPublic', true)`. */
const publicMarks = (scripts: Script[]): Set<string> =>
  new Set(
    scripts.flatMap(({ file, functions }) =>
      /SetMetadata/.test(file.text)
        ? [...functions].filter(([, it]) => setsPublic.test(it.text)).map(([name]) => name)
        : [],
    ),
  )

const providedGuard = /provide:\s*APP_GUARD\s*,[^}]*?use(?:Class|Existing):\s*(\w+)/g
const usedGuards = /useGlobalGuards\(([^;]*)/g

/** The guards of every route, under the names of their classes; without those that ask for nobody. */
function globalGuards(scripts: Script[]): string[] {
  const classes = scripts.flatMap(it => it.classes)
  const asksNobody = (name: string) => {
    const found = classes.find(it => it.name === name)
    return limitsOnly.test(found?.parent ?? name)
  }
  return scripts.flatMap(({ file: { text } }) => {
    if (!/APP_GUARD|useGlobalGuards/.test(text)) return []
    const provided = [...text.matchAll(providedGuard)].map(it => it[1]!)
    const used = [...text.matchAll(usedGuards)].flatMap(it => it[1]!.match(/\b[A-Z]\w+/g) ?? [])
    const named = [...provided, ...used]
    const unnamed = /provide:\s*APP_GUARD|useGlobalGuards\(/.test(text) ? ['APP_GUARD'] : []
    return named.length ? named.filter(it => !asksNobody(it)) : unnamed
  })
}

/** Rate limits let everybody in. */
const limitsOnly = /throttl|rate_?limit/i

const guardsOf = (it: Piece) =>
  /^(UseGuards|UseMiddleware|Auth|Authorized|Roles|Permissions?|Requires?\w+|Authorize\w*)$/.test(
    it.call?.name ?? it.text,
  )
    ? (it.call?.args.map(one => one.text) ?? [it.text])
    : []
