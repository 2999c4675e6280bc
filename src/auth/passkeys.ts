import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { keyedHash } from '../crypto.ts'
import { query, within } from '../database.ts'
import { factorsTable, type Whose } from './factors.ts'

/** How long a challenge may be answered, in seconds. */
const patience = 600

interface Parts {
  database: Knex
  secrets: string[]
  /** Those of staff, and not of clients' people. */
  staff?: boolean
}

/** Somebody, as a browser names them beside their passkey. */
export interface Named extends Whose {
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
 * Passkeys of one workspace (WebAuthn Level 3). They belong to the host name that a page was opened at, so that one of
 * another portal, or of a page that only looks like this one, opens nothing. All are asked to verify their person.
 */
export const passkeys = ({ database, secrets, staff = false }: Parts) => ({
  /** What a browser needs to make one. */
  async creation(req: Request<any>, whose: Named) {
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
  },

  /** What a browser needs to use one; of whom is not said, so that it tells nobody who has any. */
  request: (req: Request<any>) =>
    generateAuthenticationOptions({
      rpID: req.hostname,
      challenge: challenge(req, anybody(staff), secrets),
      userVerification: 'required',
    }),

  /** Stores a new one. False where the browser's answer is not one to what was asked, or was given already. */
  async add(tx: Knex, req: Request<any>, whose: Whose, name: string, answer: string): Promise<boolean> {
    const response = parsed(answer)
    if (!response) return false
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      ...{ response, expectedOrigin: originOf(req), expectedRPID: req.hostname },
      expectedChallenge: it => isOurs(database, req, makerOf(whose), it, secrets),
    }).catch(() => ({ verified: false, registrationInfo: undefined }))
    if (!verified || !registrationInfo) return false
    const { id, publicKey, counter, transports = [] } = registrationInfo.credential
    const added = await query(tx, {
      text: `insert into ${factorsTable(whose)}
               (workspace_id, id, person_id, kind, name, key, counter, details, confirmed_at)
             values ($1, $2, $3, 'passkey', $4, $5, $6, $7, portal.now()) on conflict do nothing returning id`,
      values: [
        ...[whose.workspace, id, whose.person, name, Buffer.from(publicKey), counter],
        { transports, host: req.hostname },
      ],
    })
    return added.length === 1
  },

  /** Whose passkey this is; undefined for an answer that proves nothing. A signature counts once. */
  async prove(req: Request<any>, answer: unknown): Promise<string | undefined> {
    const workspace = req.portal.workspace.id
    const response = parsed(answer)
    const [row] = response
      ? await within(database, { workspace }, tx =>
          query<{ person: string; key: Buffer; counter: string; transports: never[] }>(tx, {
            text: `select f.person_id::text as person, f.key, f.counter, f.details -> 'transports' as transports
                   from ${factorsTable({ staff })} f
                   where f.workspace_id = $1 and f.id = $2 and f.kind = 'passkey' and f.details ->> 'host' = $3`,
            values: [workspace, response.id, req.hostname],
          }),
        )
      : []
    if (!response || !row) return undefined
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...{ response, expectedOrigin: originOf(req), expectedRPID: req.hostname },
      expectedChallenge: it => isOurs(database, req, anybody(staff), it, secrets),
      credential: {
        ...{ id: response.id, publicKey: new Uint8Array(row.key), counter: Number(row.counter) },
        transports: row.transports,
      },
    }).catch(() => ({ verified: false, authenticationInfo: undefined }))
    if (!verified || !authenticationInfo) return undefined
    await within(database, { workspace }, tx =>
      query(tx, {
        text: `update ${factorsTable({ staff })} set counter = greatest(counter, $3), used_at = portal.now()
               where workspace_id = $1 and id = $2`,
        values: [workspace, response.id, authenticationInfo.newCounter],
      }),
    )
    return row.person
  },
})

export type Passkeys = ReturnType<typeof passkeys>

export const list = (database: Knex, whose: Whose): Promise<Passkey[]> =>
  within(database, { workspace: whose.workspace }, tx =>
    query(tx, {
      text: `select f.id, f.name, f.created_at as "createdAt", f.used_at as "usedAt" from ${factorsTable(whose)} f
             where f.workspace_id = $1 and f.person_id = $2 and f.kind = 'passkey' order by f.created_at`,
      values: [whose.workspace, whose.person],
    }),
  )

/** With the recovery codes, where it was the last of the second factors. False for one that is not theirs. */
export async function removePasskey(tx: Knex, whose: Whose, id: string): Promise<boolean> {
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

const userOf = ({ workspace, person, staff }: Whose) => `${workspace} ${staff ? 'staff ' : ''}${person}`
const makerOf = ({ person, staff }: Whose) => (staff ? `staff ${person}` : person)
const anybody = (staff: boolean) => (staff ? 'any staff' : 'anybody')

const originOf = (req: Request<any>) => `${req.protocol}://${req.get('host')}`

/** Sixteen random bytes, when they are over, and a signature: nothing is stored before it is answered. */
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

/** Whether we asked this, of this person, not long ago, and nobody has answered it yet. */
async function isOurs(database: Knex, req: Request<any>, whose: string, asked: string, secrets: string[]) {
  const bytes = Buffer.from(asked, 'base64url')
  const [fresh, signed] = [bytes.subarray(0, 20), bytes.subarray(20)]
  if (bytes.length !== 52 || fresh.readUInt32BE(16) * 1_000 < req.portal.now.getTime()) return false
  if (!secrets.some(it => timingSafeEqual(signature(req, whose, fresh, it), signed))) return false
  const first = await query(database, {
    text: `insert into portal_jobs.limits (key, points, expire) values ($1, 1, $2) on conflict do nothing returning key`,
    // Rows of this table expire by the clock of the process, as the library has it that clears them.
    values: [`passkey:${asked}`, Date.now() + patience * 1_000],
  })
  return first.length === 1
}

/** As a browser's `toJSON` gives it. */
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
