import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server'
import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { keyedHash } from '../platform/crypto.ts'
import { query, within } from '../platform/database.ts'
import { type FactorOwner, factorsTable } from './factors.ts'
import { firstUse } from './limits.ts'

/** How long a challenge is valid, in seconds. */
const patience = 600

interface Parts {
  database: Knex
  secrets: string[]
  /** Whether the passkeys are staff's rather than clients'. */
  staff?: boolean
}

/** A passkey's owner, with the names that the browser shows. */
export interface Named extends FactorOwner {
  email: string
  name: string
}

export interface Passkey {
  id: string
  name: string
  createdAt: Date
  usedAt: Date | null
}

/**
 * Passkeys of one workspace (WebAuthn Level 3). They are bound to the host name of the page, so a passkey of another
 * portal or of a phishing page does not work here. All of them require user verification.
 */
export const passkeys = ({ database, secrets, staff = false }: Parts) => ({
  /** Returns the options for creating a passkey. */
  creation: (req: Request<any>, whose: Named) => creationOptions(database, req, whose, secrets),

  /** Returns the options for using a passkey. They name no account, so they do not reveal who has one. */
  request: (req: Request<any>) =>
    generateAuthenticationOptions({
      rpID: req.hostname,
      challenge: challenge(req, anybody(staff), secrets),
      userVerification: 'required',
    }),

  /** Stores a new passkey. Returns false if the browser's response does not match a challenge, or was used before. */
  async add(tx: Knex, req: Request<any>, whose: FactorOwner, name: string, answer: string): Promise<boolean> {
    const response = parsed(answer)
    const asked = (it: string) => isOurs(database, req, makerOf(whose), it, secrets)
    const credential = response && (await verifyCreation(req, response, asked))
    return credential ? savePasskey(tx, req, whose, name, credential) : false
  },

  /** Returns whose passkey signed this response; undefined for an invalid one. A signature works once. */
  async prove(req: Request<any>, answer: unknown): Promise<string | undefined> {
    const response = parsed(answer)
    const stored = response && (await findPasskey(database, req, staff, response.id))
    if (!stored) return undefined
    const asked = (it: string) => isOurs(database, req, anybody(staff), it, secrets)
    const counter = await verifyUse(req, response, stored, asked)
    if (counter === undefined) return undefined
    await saveUse(database, req, staff, response.id, counter)
    return stored.person
  },
})

export type Passkeys = ReturnType<typeof passkeys>

async function creationOptions(database: Knex, req: Request<any>, whose: Named, secrets: string[]) {
  const { workspace, t } = req.portal
  const mine = await list(database, whose)
  return generateRegistrationOptions({
    rpName: workspace.name,
    rpID: req.hostname,
    userID: new Uint8Array(createHash('sha256').update(userOf(whose)).digest()),
    userName: whose.email,
    userDisplayName: whose.name || t('Your account'),
    challenge: challenge(req, makerOf(whose), secrets),
    attestationType: 'none',
    excludeCredentials: mine.map(it => ({ id: it.id })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
}

/** Whether a challenge is ours and still unused. */
type IsAsked = (challenge: string) => Promise<boolean>

async function verifyCreation(req: Request<any>, response: any, asked: IsAsked) {
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response,
    expectedOrigin: originOf(req),
    expectedRPID: req.hostname,
    expectedChallenge: asked,
  }).catch(() => ({ verified: false, registrationInfo: undefined }))
  return verified ? registrationInfo?.credential : undefined
}

/** Stores the passkey; returns false if it exists already. */
async function savePasskey(
  tx: Knex,
  req: Request<any>,
  whose: FactorOwner,
  name: string,
  credential: WebAuthnCredential,
): Promise<boolean> {
  const { id, publicKey, counter, transports = [] } = credential
  const details = { transports, host: req.hostname }
  const added = await query(tx, {
    text: `insert into ${factorsTable(whose)}
             (workspace_id, id, person_id, kind, name, key, counter, details, confirmed_at)
           values ($1, $2, $3, 'passkey', $4, $5, $6, $7, portal.now()) on conflict do nothing returning id`,
    values: [whose.workspace, id, whose.person, name, Buffer.from(publicKey), counter, details],
  })
  return added.length === 1
}

interface StoredPasskey {
  person: string
  key: Buffer
  counter: string
  transports: never[]
}

async function findPasskey(database: Knex, req: Request<any>, staff: boolean, id: string) {
  const workspace = req.portal.workspace.id
  const [row] = await within(database, { workspace }, tx =>
    query<StoredPasskey>(tx, {
      text: `select f.person_id::text as person, f.key, f.counter, f.details -> 'transports' as transports
             from ${factorsTable({ staff })} f
             where f.workspace_id = $1 and f.id = $2 and f.kind = 'passkey' and f.details ->> 'host' = $3`,
      values: [workspace, id, req.hostname],
    }),
  )
  return row
}

/** Verifies a use of the passkey. Returns its new counter; undefined for an invalid signature. */
async function verifyUse(req: Request<any>, response: any, stored: StoredPasskey, asked: IsAsked) {
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response,
    expectedOrigin: originOf(req),
    expectedRPID: req.hostname,
    expectedChallenge: asked,
    credential: {
      id: response.id,
      publicKey: new Uint8Array(stored.key),
      counter: Number(stored.counter),
      transports: stored.transports,
    },
  }).catch(() => ({ verified: false, authenticationInfo: undefined }))
  return verified ? authenticationInfo?.newCounter : undefined
}

const saveUse = (database: Knex, req: Request<any>, staff: boolean, id: string, counter: number) =>
  within(database, { workspace: req.portal.workspace.id }, tx =>
    query(tx, {
      text: `update ${factorsTable({ staff })} set counter = greatest(counter, $3), used_at = portal.now(), ends_at = null
             where workspace_id = $1 and id = $2`,
      values: [req.portal.workspace.id, id, counter],
    }),
  )

export const list = (database: Knex, whose: FactorOwner): Promise<Passkey[]> =>
  within(database, { workspace: whose.workspace }, tx =>
    query(tx, {
      text: `select f.id, f.name, f.created_at as "createdAt", f.used_at as "usedAt" from ${factorsTable(whose)} f
             where f.workspace_id = $1 and f.person_id = $2 and f.kind = 'passkey' order by f.created_at`,
      values: [whose.workspace, whose.person],
    }),
  )

/** Removes a passkey, and the recovery codes if it was the last second factor. Returns false if it is not theirs. */
export async function removePasskey(tx: Knex, whose: FactorOwner, id: string): Promise<boolean> {
  const removed = await query(tx, {
    text: `delete from ${factorsTable(whose)}
           where workspace_id = $1 and person_id = $2 and kind = 'passkey' and id = $3 returning id`,
    values: [whose.workspace, whose.person, id],
  })
  await query(tx, {
    text: `delete from ${factorsTable(whose)} f where f.workspace_id = $1 and f.person_id = $2 and not exists (
             select from ${factorsTable(whose)} o
             where o.workspace_id = $1 and o.person_id = $2 and o.confirmed_at is not null)`,
    values: [whose.workspace, whose.person],
  })
  return removed.length === 1
}

const userOf = ({ workspace, person, staff }: FactorOwner) => `${workspace} ${staff ? 'staff ' : ''}${person}`
const makerOf = ({ person, staff }: FactorOwner) => (staff ? `staff ${person}` : person)
const anybody = (staff: boolean) => (staff ? 'any staff' : 'anybody')

const originOf = (req: Request<any>) => `${req.protocol}://${req.get('host')}`

/** Returns a challenge: sixteen random bytes, an expiry and a signature. Nothing is stored before it is used. */
function challenge(req: Request<any>, whose: string, secrets: string[]): Uint8Array<ArrayBuffer> {
  const fresh = Buffer.alloc(20)
  randomBytes(16).copy(fresh)
  fresh.writeUInt32BE(Math.floor(req.portal.now.getTime() / 1_000) + patience, 16)
  return new Uint8Array(Buffer.concat([fresh, signature(req, whose, fresh, secrets[0] ?? '')]))
}

const signature = (req: Request<any>, whose: string, fresh: Buffer, secret: string) =>
  Buffer.from(
    keyedHash(`${req.portal.workspace.id} ${whose} ${fresh.toString('hex')}`, secret, 'passkey challenge'),
    'base64url',
  )

/** Whether this challenge was issued to this person recently and is still unused. */
async function isOurs(database: Knex, req: Request<any>, whose: string, asked: string, secrets: string[]) {
  const bytes = Buffer.from(asked, 'base64url')
  const [fresh, signed] = [bytes.subarray(0, 20), bytes.subarray(20)]
  if (bytes.length !== 52 || fresh.readUInt32BE(16) * 1_000 < req.portal.now.getTime()) return false
  if (!secrets.some(it => timingSafeEqual(signature(req, whose, fresh, it), signed))) return false
  return firstUse(database, `passkey:${asked}`, patience)
}

/** Parses the JSON of a browser's `toJSON`. */
function parsed(answer: unknown): any {
  try {
    return Answer.parse(JSON.parse(String(answer)))
  } catch {
    return undefined
  }
}

const Answer = z.looseObject({
  id: z.string().min(1).max(2_000),
  rawId: z.string(),
  type: z.literal('public-key'),
  response: z.looseObject({ clientDataJSON: z.string() }),
})
