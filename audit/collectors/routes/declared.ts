import type { Route } from '../../model.ts'
import type { Classes } from '../classes.ts'
import { lineAt } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Routes that are data: lists in JSON, registries of entry points, and records opened to clients by an access definition. */
export function declaredRoutes(files: SourceFile[], classes: Classes): Route[] {
  const listed = files.filter(it => /routes\.json$/.test(it.path)).flatMap(it => fromJson(it, classes))
  const entries = listed.length ? files.flatMap(webEntry) : []
  const area = entries.find(it => /portal|client|customer/i.test(it.path))?.path
  return [
    ...listed,
    ...files.filter(it => /\$entry_point_registry/.test(it.text)).flatMap(it => entryPoints(it, files)),
    ...moduleActions(classes),
    ...entries,
    ...(area ? files.flatMap(it => accessDefinition(it, area)) : []),
  ]
}

/** A front controller beside the first one is an area of its own. */
const webEntry = ({ path, text }: SourceFile): Route[] => {
  const place = path.match(/^(?:public|web|htdocs|www)\/([\w-]+)\/index\.php$/)?.[1]
  return place && !/install|setup|api/.test(place)
    ? [{ method: 'GET', path: `/${place}`, guards: [], handler: path, body: text, at: `${path}:1` }]
    : []
}

/** Says by which link to a contact or an account a client's person may reach the records of a kind. */
function accessDefinition({ path, text }: SourceFile, area: string): Route[] {
  if (!/acl\w*\/\w+\.json$/i.test(path) || !/"(contact|account|customer|client)Link"\s*:/.test(text)) return []
  const kind = path
    .split('/')
    .at(-1)!
    .replace(/\.json$/, '')
  return [
    {
      method: 'ANY',
      path: `${area}/${kind}`,
      guards: ['portal user'],
      handler: `records of ${kind}`,
      body: text,
      at: `${path}:${lineAt(text, text.search(/"\w+Link"/))}`,
    },
  ]
}

function fromJson(file: SourceFile, classes: Classes): Route[] {
  try {
    const read: unknown = JSON.parse(file.text)
    if (!Array.isArray(read)) return []
    return read
      .filter(it => typeof it?.route === 'string')
      .map(it => {
        const name = String(it.actionClassName ?? it.params?.controller ?? '')
          .split('\\')
          .at(-1)!
        const action = it.params?.action ?? 'process'
        const found = classes.find(name) ?? classes.find(`${name}Controller`)
        const body =
          found?.method(action)?.text ?? found?.method(`${it.method}Action${action}`)?.text ?? found?.text ?? ''
        const at = `${file.path}:${lineAt(file.text, file.text.indexOf(`"${it.route}"`))}`
        return {
          method: String(it.method ?? 'any').toUpperCase(),
          path: joined('api/v1', it.route),
          guards: it.noAuth ? [] : ['API authentication'],
          ...(it.noAuth && { open: true }),
          handler: name || it.route,
          body,
          at,
        }
      })
  } catch {
    return []
  }
}

function entryPoints(file: SourceFile, files: SourceFile[]): Route[] {
  const found = [
    ...file.text.matchAll(/['"](\w+)['"]\s*=>\s*(?:array\s*\(|\[)([^)\]]*['"]auth['"]\s*=>\s*(true|false)[^)\]]*)/g),
  ]
  return found.map(it => {
    const opened = it[2]!.match(/file['"]\s*=>\s*['"]([^'"]+)/)?.[1]
    return {
      method: 'ANY',
      path: `/index.php/${it[1]}`,
      guards: it[3] === 'true' ? ['entry point auth'] : [],
      ...(it[3] === 'false' && { open: true }),
      handler: opened ?? it[1]!,
      body: files.find(one => one.path === opened || one.path.endsWith(`/${opened}`))?.text ?? '',
      at: `${file.path}:${lineAt(file.text, it.index)}`,
    }
  })
}

/** `modules/Invoices/controller.php` with `action_convert`: the application asks for a session before it calls them. */
const moduleActions = (classes: Classes): Route[] =>
  classes
    .all()
    .filter(it => /(^|\/)modules\/\w+\/controller\.php$/.test(it.file.path) && /Controller$/.test(it.parent))
    .flatMap(it =>
      it
        .methods()
        .filter(method => /^action_\w+$/i.test(method.name))
        .map(method => ({
          method: 'ANY',
          path: `/index.php/${it.file.path.split('/').at(-2)}/${method.name.slice('action_'.length)}`,
          guards: ['session of the application'],
          handler: `${it.name}::${method.name}`,
          body: method.text,
          at: `${it.file.path}:${method.line}`,
        })),
    )
