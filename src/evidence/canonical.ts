import { createHash } from 'node:crypto'
import serialize from 'canonicalize'

/** JSON that is the same bytes for the same content (RFC 8785). */
export function canonical(value: object): string {
  const text = serialize(value)
  if (text === undefined) throw new TypeError('This cannot be written as JSON.')
  return text
}

/**
 * SHA-256 of the content's canonical JSON, in hexadecimal digits. A page shows it and its form sends it back, so that what
 * is signed is what was shown.
 */
export const fingerprintOf = (content: object): string => sha256(canonical(content))

/** SHA-256 in hexadecimal digits (FIPS 180-4). */
export const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256')
  for (const it of parts) hash.update(it)
  return hash.digest('hex')
}
