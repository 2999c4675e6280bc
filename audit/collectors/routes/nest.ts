import type { Route } from '../../model.ts'
import { type Modules, withHelpers } from '../modules.ts'
import type { Piece } from '../pieces.ts'
import { joined } from './paths.ts'

/** Controllers of Nest and alike (decorators), and the queries and mutations of GraphQL resolvers. */
export function decoratedRoutes({ scripts }: Modules): Route[] {
  const all = [...scripts.values()]
  const prefix = all.flatMap(it => it.calls).find(it => /setGlobalPrefix$/.test(it.name))?.args[0]?.string
  const everywhere = all.some(it => /APP_GUARD|useGlobalGuards/.test(it.file.text)) ? ['APP_GUARD'] : []
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
          const open = marks.some(one =>
            /^(Public\w*|AllowAnon\w*|SkipAuth|NoAuth|IsPublic)$/.test(one.call?.name ?? one.text),
          )
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

const guardsOf = (it: Piece) =>
  /^(UseGuards|Auth|Authorized|Roles|Permissions?|Requires?\w+|Authorize\w*)$/.test(it.call?.name ?? it.text)
    ? (it.call?.args.map(one => one.text) ?? [it.text])
    : []
