import type { DataMap } from './data-map.ts'
import type { ClassifiedRoute } from './surface.ts'

/** Fewer handlers may ask for the user's client for another reason. */
const fewest = 3

/**
 * Where a user may belong to a client (`users.fk_soc`) and handlers ask whether this one does (`if ($user->socid)`),
 * clients sign in as staff do and see less: these routes are theirs too. A comparison with a record is not enough,
 * since a tenant is compared in the same way; staff have no client, so it must be asked whether there is one.
 */
export function openToLimitedUsers(surface: ClassifiedRoute[], data: DataMap): ClassifiedRoute[] {
  const key = data.staff_users.client
  if (!key || !data.clients.table || data.staff_users.table === data.clients.table) return surface
  const asks = asksForClient(key)
  const may = (it: ClassifiedRoute) => !it.route.page && (it.actor === 'staff' || it.actor === 'anybody')
  const limited = new Set(surface.filter(it => may(it) && asks.test(it.route.body)))
  if (limited.size < fewest) return surface
  return surface.map(it => (limited.has(it) ? { ...it, actor: 'client', limited: true } : it))
}

/** The key as code spells it: `fk_soc` is `socid`, `soc_id` or `societe_id`; `client_id` is `clientId`. */
function asksForClient(key: string): RegExp {
  const stem = key.replace(/^(fk|id)_|_?id$/gi, '').replaceAll('_', '_?')
  const user = '\\$?(?:this(?:->|\\.))?(?:[cC]urrent_?)?[uU]ser(?:->|\\.|\\?\\.)'
  const property = `${user}(?:fk_)?${stem}\\w{0,5}?_?(?:[iI]d)?\\b`
  const isThere = '\\s*(?:\\)|>\\s*0|&&|and\\b|!==?\\s*(?:null|0|undefined)|is not None|is None|\\?[^.])'
  return new RegExp(`(?<!//\\s*)\\bif\\s*\\(?\\s*(?:!|not\\s+)?(?:(?:empty|isset)\\(\\s*)?${property}${isThere}`)
}
