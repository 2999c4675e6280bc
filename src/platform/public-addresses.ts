import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** By IANA's registries of special addresses (RFC 6890); of IPv6 only 2000::/3 is given to anybody. */
export function isPublic(address: string): boolean {
  const it = ipaddr.process(address)
  return it.range() === 'unicast' && (it instanceof ipaddr.IPv4 || it.match(given, 3))
}

const given = ipaddr.IPv6.parse('2000::')

/**
 * For a socket: looks a name up, and connects only where each of its addresses is allowed. Otherwise it fails with what
 * `refused` makes of the name and the address.
 */
export const lookupOf =
  (isAllowed: (address: string) => boolean, refused: (what: string) => Error): LookupFunction =>
  (name, options, done) =>
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const other = addresses?.find(it => !isAllowed(it.address))
      if (error || other) return done(error ?? refused(`${name} (${other?.address})`), '', 0)
      if (options.all) return done(null, addresses as never, 0)
      done(null, addresses[0]!.address, addresses[0]!.family)
    })
