import type { Route } from '../../model.ts'
import type { Classes } from '../classes.ts'
import { lineAt } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Routes that are data: lists in JSON (`route`, `method`, `noAuth`) and registries of entry points in PHP. */
export function declaredRoutes(files: SourceFile[], classes: Classes): Route[] {
  return files.flatMap(file =>
    /routes\.json$/.test(file.path)
      ? fromJson(file, classes)
      : /\$entry_point_registry/.test(file.text)
        ? entryPoints(file)
        : [],
  )
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

const entryPoints = (file: SourceFile): Route[] =>
  [
    ...file.text.matchAll(/['"](\w+)['"]\s*=>\s*(?:array\s*\(|\[)([^)\]]*['"]auth['"]\s*=>\s*(true|false)[^)\]]*)/g),
  ].map(it => ({
    method: 'ANY',
    path: `/index.php/${it[1]}`,
    guards: it[3] === 'true' ? ['entry point auth'] : [],
    ...(it[3] === 'false' && { open: true }),
    handler: it[2]!.match(/file['"]\s*=>\s*['"]([^'"]+)/)?.[1] ?? it[1]!,
    body: '',
    at: `${file.path}:${lineAt(file.text, it.index)}`,
  }))
