import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { verify } from '@node-rs/argon2'
import { compare } from 'bcryptjs'

/**
 * Whether a password fits what another system stored of it: bcrypt (`$2a$`, `$2b$`, `$2y$`, also with Django's
 * `bcrypt$` before it), Argon2 (also with Django's `argon2` before it), PBKDF2 as Django and passlib's Django format write it
 * (`pbkdf2_sha256$iterations$salt$hash`), and as passlib writes it for Odoo (`$pbkdf2-sha512$iterations$salt$hash`, with
 * `.` for `+` and no padding). Anything else fits nothing.
 */
export async function matchesForeignHash(stored: string, password: string): Promise<boolean> {
  const bcrypt = /^(?:bcrypt\$)?(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})$/.exec(stored)
  if (bcrypt) return compare(password, bcrypt[1]!)
  const argon = /^(?:argon2)?(\$argon2(?:id|i|d)\$.+)$/.exec(stored)
  if (argon) return verify(argon[1]!, password).catch(() => false)
  const passlib = /^\$pbkdf2-(sha256|sha512)\$(\d{1,7})\$([./A-Za-z0-9]+)\$([./A-Za-z0-9]+)$/.exec(stored)
  if (passlib) {
    const [, digest = '', iterations = '', salt = '', hash = ''] = passlib
    return derivesTo(password, bytesOf(salt), Number(iterations), bytesOf(hash), digest)
  }
  const django = /^pbkdf2_(sha1|sha256|sha512)\$(\d{1,7})\$([^$]+)\$([A-Za-z0-9+/]+=*)$/.exec(stored)
  if (!django) return false
  const [, digest = '', iterations = '', salt = '', hash = ''] = django
  return derivesTo(password, salt, Number(iterations), Buffer.from(hash, 'base64'), digest)
}

/** passlib's own base64. */
const bytesOf = (text: string) => Buffer.from(text.replaceAll('.', '+'), 'base64')

async function derivesTo(
  password: string,
  salt: string | Buffer,
  iterations: number,
  expected: Buffer,
  digest: string,
): Promise<boolean> {
  // One that was cut off would fit by its beginning.
  if (expected.length !== lengths[digest] || iterations < 1) return false
  return timingSafeEqual(await derive(password, salt, iterations, expected.length, digest), expected)
}

const lengths: Record<string, number> = { sha1: 20, sha256: 32, sha512: 64 }

const derive = promisify(pbkdf2)
