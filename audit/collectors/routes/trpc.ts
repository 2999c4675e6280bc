import type { Route } from '../../model.ts'
import type { Script } from '../javascript.ts'
import { type Modules, withHelpers } from '../modules.ts'

/** Procedures of tRPC: `invoiceByToken: publicProcedure.input(…).query(…)` in a router. The file names the router. */
export const trpcRoutes = ({ scripts }: Modules): Route[] =>
  [...scripts.values()]
    .filter(
      it => /\bcreateTRPCRouter|\bt\.router\(|\brouter\(\{/.test(it.file.text) && /Procedure\b/.test(it.file.text),
    )
    .flatMap(procedures)

const procedure = /^[ \t]+(\w+):\s*((?:\w+\.)?(\w*[pP]rocedure))\b/gm

function procedures(script: Script): Route[] {
  const { path, text } = script.file
  const found = [...text.matchAll(procedure)]
  const router = path
    .split('/')
    .at(-1)!
    .replace(/\.\w+$/, '')
  return found.map((match, position) => {
    const [, name, , kind = ''] = match
    const body = text.slice(match.index, found[position + 1]?.index)
    const open = /^(public|open|base)Procedure$/.test(kind)
    // What a public procedure looks up by is a token wherever it is called one.
    const token = open ? body.match(/input\.(\w*(?:token|key|hash|portalId|shortId|linkId)\w*)/i)?.[1] : undefined
    return {
      method: /\.mutation\(/.test(body) ? 'POST' : 'GET',
      path: `/trpc/${router}.${name}${token ? `/:${token}` : ''}`,
      guards: open ? [] : [kind],
      ...(open && { open }),
      handler: name!,
      body: withHelpers(body, script),
      at: `${path}:${text.slice(0, match.index).split('\n').length}`,
    }
  })
}
