import type { Route } from '../model.ts'
import type { Classes } from './classes.ts'
import type { Modules } from './modules.ts'
import { aspnetRoutes } from './routes/aspnet.ts'
import { declaredRoutes } from './routes/declared.ts'
import { decoratedFunctions } from './routes/decorated.ts'
import { djangoRoutes } from './routes/django.ts'
import { expressRoutes } from './routes/express.ts'
import { fileRoutes } from './routes/files.ts'
import { frappeRoutes } from './routes/frappe.ts'
import { goRoutes } from './routes/go.ts'
import { graphqlRoutes } from './routes/graphql.ts'
import { laravelRoutes } from './routes/laravel.ts'
import { decoratedRoutes } from './routes/nest.ts'
import { joined } from './routes/paths.ts'
import { phoenixRoutes } from './routes/phoenix.ts'
import { conventionalRoutes } from './routes/php-files.ts'
import { railsRoutes } from './routes/rails.ts'
import { roleRoutes } from './routes/roles.ts'
import { serverActions } from './routes/server-actions.ts'
import { springRoutes } from './routes/spring.ts'
import { symfonyRoutes } from './routes/symfony.ts'
import { trpcRoutes } from './routes/trpc.ts'
import type { SourceFile } from './tree.ts'

/** Every address that the source answers, of every framework that is found in it. */
export function readRoutes(files: SourceFile[], modules: Modules, classes: Classes): Route[] {
  const python = files.filter(it => it.path.endsWith('.py'))
  const framed = [
    ...named('Laravel, Slim or alike', laravelRoutes(files, classes)),
    ...named('Symfony', symfonyRoutes(files, classes)),
    ...named('Routes declared as data', declaredRoutes(files, classes)),
  ]
  const go = named('Go routers', goRoutes(files))
  const nest = named('Nest', decoratedRoutes(modules))
  const conventional = framed.some(it => it.method !== 'ANY') ? [] : conventionalRoutes(files, classes)
  return [
    ...named('Express', expressRoutes(modules)),
    ...nest,
    ...named('GraphQL', graphqlRoutes(files, modules, [...nest, ...go])),
    ...named('tRPC', trpcRoutes(modules)),
    ...named('Next, SvelteKit, Nuxt or Remix', fileRoutes(files, modules)),
    ...named('Next server actions', serverActions(modules)),
    ...browserRoutes(modules),
    ...framed,
    ...named('Dispatcher by role', roleRoutes(framed, classes)),
    ...named('CodeIgniter or PHP files', conventional),
    ...named('Rails', railsRoutes(files, classes)),
    ...named('Django', djangoRoutes(python, classes)),
    ...named('Flask, FastAPI or Odoo', decoratedFunctions(python)),
    ...named('Frappe', frappeRoutes(files)),
    ...named('Spring or JAX-RS', springRoutes(files)),
    ...named('ASP.NET', aspnetRoutes(files)),
    ...go,
    ...named('Phoenix', phoenixRoutes(files)),
  ]
}

const named = (framework: string, routes: Route[]): Route[] => routes.map(it => ({ ...it, framework }))

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
