import {
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
  webcrypto,
  X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import { BitString, Integer, Utf8String } from 'asn1js'
import type { Knex } from 'knex'
import * as pkijs from 'pkijs'
import { v7 as uuid } from 'uuid'
import type { Workspace } from '../crm/crm.ts'
import { currentTime } from '../platform/clock.ts'
import { seal, unsealOrUndefined } from '../platform/crypto.ts'
import { query, within } from '../platform/database.ts'

/** A workspace's own: it seals what was signed. */
export interface Key {
  id: string
  /** X.509, PEM. */
  certificate: string
  private: KeyObject
}

pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as never }))

/**
 * The key that a workspace signs with; its first signature makes it, in whichever process comes first. What was signed
 * with one key is sealed with it too: `id` names it. Another is given only where its secret is lost.
 */
export function signingKeys(database: Knex, secrets: string[]) {
  const known = new Map<string, Promise<Key>>()
  return (workspace: Workspace, id = ''): Promise<Key> => {
    const name = JSON.stringify([workspace.id, id])
    let key = known.get(name)
    if (!key) {
      key = find(database, workspace, secrets, id)
      key.catch(() => known.delete(name))
      known.set(name, key)
    }
    return key
  }
}

async function find(database: Knex, workspace: Workspace, secrets: string[], id: string): Promise<Key> {
  const made = (await stored(database, workspace, secrets, id)) ?? (await make(database, workspace, secrets))
  // Somebody else may have been quicker: the first one is everybody's.
  return (await stored(database, workspace, secrets, id)) ?? made
}

/** A key whose secret is gone cannot sign any more. Its certificate still verifies. */
const stored = (database: Knex, { id }: Workspace, secrets: string[], preferred: string) =>
  within(database, { workspace: id }, async tx => {
    const rows = await query<{ id: string; certificate: string; sealed: Buffer }>(tx, {
      text: `select id, certificate, sealed from portal.client_keys where workspace_id = $1
             order by id::text = $2 desc, created_at, id`,
      values: [id, preferred],
    })
    for (const { id, certificate, sealed } of rows) {
      const own = privateOf(certificate, sealed, secrets)
      if (own) return { id, certificate, private: own }
    }
    return undefined
  })

/** Undefined if no secret opens it, or if it does not belong to the certificate. */
function privateOf(certificate: string, sealed: Buffer, secrets: string[]): KeyObject | undefined {
  const pem = unsealOrUndefined(sealed, secrets, 'signing key')
  try {
    const key = pem ? createPrivateKey(pem) : undefined
    return key && new X509Certificate(certificate).checkPrivateKey(key) ? key : undefined
  } catch {
    return undefined
  }
}

/** A certificate of a workspace; `proven` where the portal can show by its secret that the key is its own. */
export interface Certified {
  certificate: string
  proven: boolean
}

/** All certificates of the workspace, also those whose key cannot be opened any more. */
export const certificatesOf = (database: Knex, workspace: string, secrets: string[]): Promise<Certified[]> =>
  within(database, { workspace }, async tx => {
    const rows = await query<{ certificate: string; sealed: Buffer }>(tx, {
      text: 'select certificate, sealed from portal.client_keys where workspace_id = $1 order by created_at, id',
      values: [workspace],
    })
    return rows.map(it => ({
      certificate: it.certificate,
      proven: privateOf(it.certificate, it.sealed, secrets) !== undefined,
    }))
  })

async function make(database: Knex, workspace: Workspace, secrets: string[]): Promise<Key> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 })
  const key = {
    id: uuid(),
    certificate: await certificateFor(workspace.name, pair, currentTime(database).getTime()),
    private: pair.privateKey,
  }
  await within(database, { workspace: workspace.id }, tx =>
    query(tx, {
      text: 'insert into portal.client_keys (workspace_id, id, certificate, sealed) values ($1, $2, $3, $4)',
      values: [
        workspace.id,
        key.id,
        key.certificate,
        seal(key.private.export({ type: 'pkcs8', format: 'pem' }) as string, secrets, 'signing key'),
      ],
    }),
  )
  return key
}

/** Self-signed, for signatures only (RFC 5280). It shows that two seals come from the same portal, not who runs it. */
async function certificateFor(
  name: string,
  pair: { privateKey: KeyObject; publicKey: KeyObject },
  from: number,
): Promise<string> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const [privateKey, publicKey] = [pair.privateKey, pair.publicKey].map((it, at) =>
    it.toCryptoKey(algorithm, true, [at === 0 ? 'sign' : 'verify']),
  )
  const certificate = new pkijs.Certificate({ version: 2, serialNumber: new Integer({ valueHex: serial() }) })
  const called = [
    new pkijs.AttributeTypeAndValue({
      type: '2.5.4.3',
      value: new Utf8String({ value: `${name.slice(0, 50)}, Portico` }),
    }),
  ]
  certificate.issuer.typesAndValues.push(...called)
  certificate.subject.typesAndValues.push(...called)
  certificate.notBefore.value = new Date(from - 3_600_000)
  certificate.notAfter.value = new Date(from + 20 * 365.25 * 86_400_000)
  certificate.extensions = [
    extension('2.5.29.19', new pkijs.BasicConstraints({ cA: false }).toSchema(), true),
    // Digital signature and non-repudiation.
    extension('2.5.29.15', new BitString({ valueHex: new Uint8Array([0xc0]).buffer, unusedBits: 6 }), true),
  ]
  await certificate.subjectPublicKeyInfo.importKey(publicKey as never)
  await certificate.sign(privateKey as never, 'SHA-256')
  const base64 = Buffer.from(certificate.toSchema(true).toBER(false)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

const extension = (extnID: string, value: { toBER(sizeOnly: boolean): ArrayBuffer }, critical: boolean) =>
  new pkijs.Extension({ extnID, critical, extnValue: value.toBER(false) })

/** Positive, of at most 20 bytes. */
const serial = () => {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return new Uint8Array(bytes).buffer
}

/** RSA with SHA-256 (RFC 8017, RSASSA-PKCS1-v1_5), base64. */
export const signed = (text: string, key: Key) => sign('sha256', Buffer.from(text), key.private).toString('base64')
