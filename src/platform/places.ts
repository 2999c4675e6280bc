import { isIP } from 'node:net'
import { type CityResponse, open, type Reader } from 'maxmind'
import type { Log } from './log.ts'

/** Returns about where an address is, as "Amsterdam, Netherlands" in the reader's language; undefined if unknown. */
export type PlaceOf = (address: string | undefined, locale: string) => string | undefined

/**
 * Reads a GeoIP database (a MaxMind DB file of cities or countries) in the background. Without one, until it is read,
 * and if it cannot be read, no address has a place.
 */
export function placesIn(file: string | undefined, log: Log): PlaceOf {
  let reader: Reader<CityResponse> | undefined
  if (file)
    open<CityResponse>(file).then(
      it => {
        reader = it
      },
      err => log.error({ err }, 'the GeoIP database cannot be read; devices are shown without their place'),
    )
  return (address, locale) => {
    const found = reader && find(reader, address)
    const country = countryIn(found, locale)
    const names = Object(found?.city?.names) as Record<string, string | undefined>
    const city = names[locale.split('-')[0] ?? ''] ?? names.en
    return [city, country].filter(Boolean).join(', ') || undefined
  }
}

/** An IPv4 address may come in the form of IPv6. */
function find(reader: Reader<CityResponse>, address = '') {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!isIP(plain)) return undefined
  try {
    return reader.get(plain) ?? undefined
  } catch {
    // Such as an IPv6 address in a database of IPv4.
    return undefined
  }
}

function countryIn(found: CityResponse | undefined, locale: string): string | undefined {
  const code = found?.country?.iso_code
  return code && /^[A-Z]{2}$/.test(code) ? new Intl.DisplayNames(locale, { type: 'region' }).of(code) : undefined
}
