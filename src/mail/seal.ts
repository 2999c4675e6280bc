import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** For texts that hold a link or a code: AES-256-GCM under a key of the first secret (NIST SP 800-38D). */
export function seal(text: string, secrets: string[]): Buffer {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secrets[0] ?? ''), iv)
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** With whichever secret it was sealed. Undefined with none of them: the secrets were changed, or the bytes were. */
export function unseal(bytes: Buffer, secrets: string[]): string | undefined {
  for (const it of secrets) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', keyOf(it), bytes.subarray(0, 12))
      decipher.setAuthTag(bytes.subarray(-16))
      return decipher.update(bytes.subarray(12, -16)).toString('utf8') + decipher.final('utf8')
    } catch {
      // Another one.
    }
  }
  return undefined
}

const keyOf = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', 'portico mail', 32))
