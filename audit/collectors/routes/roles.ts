import type { Route } from '../../model.ts'
import type { Classes, ClassText } from '../classes.ts'
import { joined } from './paths.ts'

/**
 * Routes of one dispatcher, such as `/api/:role/:module/:method`, that calls a class for each role:
 * `Invoice/Api/Client.php` for signed-in clients, `Invoice/Api/Guest.php` for anybody.
 */
export function roleRoutes(routes: Route[], classes: Classes): Route[] {
  const dispatcher = routes.find(it => /:(role|actor|scope|audience)\b.*:(method|action)\b/i.test(it.path))
  if (!dispatcher) return []
  const prefix = dispatcher.path.slice(0, dispatcher.path.indexOf('/:'))
  return classes.all().flatMap(it => methodsOf(it, prefix))
}

const roleClass = /(?:^|\/)(\w+)\/Api\/(Client|Customer|Guest|Public|Admin|Staff)\.php$/

function methodsOf(it: ClassText, prefix: string): Route[] {
  const [, module, role] = it.file.path.match(roleClass) ?? []
  if (!module || !role) return []
  const open = /^(Guest|Public)$/.test(role)
  return it
    .methods()
    .filter(method => !method.name.startsWith('_') && !/(private|protected)\s+(static\s+)?$/.test(method.before))
    .map(method => ({
      method: /^(get|list|count|search|find|is|has)(_|[A-Z]|$)/.test(method.name) ? 'GET' : 'POST',
      path: joined(prefix, role.toLowerCase(), module.toLowerCase(), method.name),
      guards: open ? [] : [`${role.toLowerCase()} session`],
      ...(open && { open }),
      handler: `${module}::${method.name}`,
      body: method.text,
      at: `${it.file.path}:${method.line}`,
    }))
}
