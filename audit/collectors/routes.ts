import type { Route } from '../model.ts'
import type { Classes } from './classes.ts'
import type { Modules } from './modules.ts'
import { declaredRoutes } from './routes/declared.ts'
import { decoratedFunctions } from './routes/decorated.ts'
import { djangoRoutes } from './routes/django.ts'
import { expressRoutes } from './routes/express.ts'
import { fileRoutes } from './routes/files.ts'
import { frappeRoutes } from './routes/frappe.ts'
import { laravelRoutes } from './routes/laravel.ts'
import { decoratedRoutes } from './routes/nest.ts'
import { joined } from './routes/paths.ts'
import { conventionalRoutes } from './routes/php-files.ts'
import { railsRoutes } from './routes/rails.ts'
import { symfonyRoutes } from './routes/symfony.ts'
import { trpcRoutes } from './routes/trpc.ts'
import type { SourceFile } from './tree.ts'

/** Every address that the source answers, of every framework that is found in it. */
export function readRoutes(files: SourceFile[], modules: Modules, classes: Classes): Route[] {
  const python = files.filter(it => it.path.endsWith('.py'))
  const framed = [...laravelRoutes(files, classes), ...symfonyRoutes(files, classes), ...declaredRoutes(files, classes)]
  return [
    ...expressRoutes(modules),
    ...decoratedRoutes(modules),
    ...trpcRoutes(modules),
    ...fileRoutes(files, modules),
    ...browserRoutes(modules),
    ...framed,
    ...(framed.filter(it => it.method !== 'ANY').length ? [] : conventionalRoutes(files, classes)),
    ...railsRoutes(files, classes),
    ...djangoRoutes(python, classes),
    ...python.flatMap(it => decoratedFunctions(it, python)),
    ...frappeRoutes(files),
  ]
}

/** Pages that a browser application has: `<Route path>` and the tables of routers. */
const browserRoutes = ({ scripts }: Modules): Route[] =>
  [...scripts.values()].flatMap(({ file, elements }) =>
    elements
      .filter(it => /Route/.test(it.tag))
      .map(it => ({
        method: 'GET',
        path: joined(it.path),
        guards: [],
        handler: it.tag,
        body: it.text,
        at: `${file.path}:${it.line}`,
        page: true,
      })),
  )
