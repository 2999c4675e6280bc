import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isPublic } from '../../src/platform/public-addresses.ts'

/** Why nothing is sent to an address, as a sentence; undefined where it may be. `here`: this machine may be, for tests. */
export function refusalOf(address: string, here: boolean): string | undefined {
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol)) return 'Enter an address that begins with https://.'
  if (url.username || url.password) return 'Leave the user name and the password out of the address.'
  const host = hostOf(url)
  if (here && isThisMachine(host)) return undefined
  if (url.protocol !== 'https:') return 'Enter an address that begins with https://.'
  const inside = isIP(host) ? !isPublic(host) : /^[^.]*$|\.(localhost|local|internal)\.?$/.test(host)
  return inside ? 'Enter an address that can be reached from the internet.' : undefined
}

/** Without the brackets of an IPv6 address. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

export const isThisMachine = (host: string): boolean => host === 'localhost' || (isIP(host) > 0 && isLoopback(host))

export const isLoopback = (address: string): boolean => ipaddr.process(address).range() === 'loopback'

/** Whether a portal is tried out on one machine: its own address is of this one. */
export const isTrial = (portal: string | undefined): boolean => {
  const url = portal === undefined ? null : URL.parse(portal)
  return url !== null && isThisMachine(hostOf(url))
}
