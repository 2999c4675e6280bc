import { expect } from 'chai'
import { matchesForeignHash } from './passwords.ts'

describe('a password of another system', () => {
  it('is compared as bcrypt, Argon2 or PBKDF2, and anything else fits nothing', async () => {
    const { hashPassword: hashed } = await import('../../auth/passwords.ts')
    const { hash } = await import('bcryptjs')
    const argon = await hashed('swordfish')
    const bcrypt = await hash('swordfish', 4)
    const { pbkdf2Sync } = await import('node:crypto')
    const django = `pbkdf2_sha256$20000$seasalt$${pbkdf2Sync('swordfish', 'seasalt', 20000, 32, 'sha256').toString('base64')}`
    const passlib = (it: string) => it.replaceAll('+', '.').replace(/=+$/, '')
    const derived = pbkdf2Sync('swordfish', Buffer.from('sea+salt', 'base64'), 30, 64, 'sha512').toString('base64')
    const odoo = `$pbkdf2-sha512$30$sea.salt$${passlib(derived)}`
    for (const it of [
      odoo,
      argon,
      `argon2${argon}`,
      bcrypt,
      bcrypt.replace('$2b$', '$2y$'),
      `bcrypt$${bcrypt}`,
      django,
    ]) {
      expect(await matchesForeignHash(it, 'swordfish'), it).to.equal(true)
      expect(await matchesForeignHash(it, 'Swordfish'), it).to.equal(false)
      expect(await matchesForeignHash(it.slice(0, -4), 'swordfish'), it).to.equal(false)
    }
    for (const it of ['', 'swordfish', '$1$x$y', 'pbkdf2_md5$1$a$b', 'pbkdf2_sha256$0$a$b', '!', '$2b$99$x'])
      expect(await matchesForeignHash(it, 'swordfish').catch(() => 'thrown'), it).to.equal(false)
  })

  it('fits the test vectors of jBCrypt and of RFC 7914', async () => {
    const rfc = Buffer.from('55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc', 'hex').toString(
      'base64',
    )
    expect(await matchesForeignHash('$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe', 'a')).to.equal(true)
    expect(await matchesForeignHash(`pbkdf2_sha256$1$salt$${rfc}`, 'passwd')).to.equal(true)
  })
})
