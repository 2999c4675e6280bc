import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/**
 * What the portal's secrets are used for. Each use derives a key of its own (NIST SP 800-108, key separation).
 */
export type KeyUse =
  | 'mail'
  | 'second factor'
  | 'signing key'
  | 'public link'
  | 'customer code'
  | 'mailed code'
  | 'passkey challenge'
  | 'limit'
  | 'pending sign-in'
  | 'session cookie'
  | 'secret id'
  | 'plugin setting'
  | 'kept form'
  | 'file key'
  | 'reply address'
  | 'unsubscribe'
  | 'text message'

/**
 * Encrypts a text with the first secret: AES-256-GCM (NIST SP 800-38D), a random nonce before it and the tag behind it.
 */
export function seal(text: string, secrets: string[], use: KeyUse): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secrets[0] ?? '', use), nonce)
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/**
 * The text, whichever of the secrets it was sealed with; undefined with none of them, or where the bytes were changed.
 */
export const unsealOrUndefined = (bytes: Buffer, secrets: string[], use: KeyUse): string | undefined =>
  unsealWith(bytes, secrets, use)?.text

/** The same, and whether it was sealed as it would be now: with the first secret, and for this use alone. */
export function unsealWith(
  bytes: Buffer,
  secrets: string[],
  use: KeyUse,
): { text: string; current: boolean } | undefined {
  for (const [at, secret] of secrets.entries()) {
    const text = decrypted(bytes, keyOf(secret, use))
    if (text !== undefined) return { text, current: at === 0 }
  }
  for (const secret of secrets) {
    const text = decrypted(bytes, sharedKeyOf(secret))
    if (text !== undefined) return { text, current: false }
  }
  return undefined
}

/** HMAC-SHA-256 (RFC 2104) under the use's own key, base64url. */
export const keyedHash = (text: string, secret: string, use: KeyUse): string =>
  createHmac('sha256', keyOf(secret, use)).update(text).digest('base64url')

/** For a library that wants secrets of its own. */
export const derived = (secret: string, use: KeyUse): string => keyOf(secret, use).toString('base64url')

function decrypted(bytes: Buffer, key: Buffer): string | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    return decipher.update(bytes.subarray(12, -16)).toString('utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}

/** HKDF (RFC 5869) of a secret, with the use as its label. */
const keyOf = (secret: string, use: KeyUse) => Buffer.from(hkdfSync('sha256', secret, '', `portico ${use} key`, 32))

/** Until November 2026 every use had this key. */
const sharedKeyOf = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', 'portico mail', 32))

/** By which a code is found: as its client's people type it, without the dash. */
export const customerCodeHash = (code: string, secret: string) => keyedHash(code, secret, 'customer code')
