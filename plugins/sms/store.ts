import { randomInt, timingSafeEqual } from 'node:crypto'
import type { Knex } from 'knex'
import type { Customer } from '../../src/crm/crm.ts'
import { keyedHash } from '../../src/platform/crypto.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'

interface SmsNumber {
  number: string
  confirmed: boolean
  /** Whether it may be used to sign in. */
  signIn: boolean
}

/** The mobile number of one person. */
export interface SmsNumbers {
  find(): Promise<SmsNumber | undefined>
  /** Keeps a number that is not confirmed yet, in place of another one. Gives the code that confirms it. */
  keep(number: string, secret: string): Promise<string>
  /** Whether this was its code: within ten minutes, and with the fifth try at the latest. */
  confirm(tx: Knex, code: string, secret: string): Promise<boolean>
  /** Whether the number may be used to sign in from now on. Gives it, if that changed. In a transaction of the workspace. */
  allow(tx: Knex, signIn: boolean): Promise<string | undefined>
  /** In a transaction of the workspace. */
  remove(tx: Knex): Promise<void>
}

declare global {
  namespace Portico {
    interface Ports {
      sms: SmsNumbers
    }
  }
}

const mostTries = 5

export function numberOf({ workspace, person }: Customer, database: Knex): SmsNumbers {
  const scope = { workspace: workspace.id }
  const ids = [workspace.id, person.id]
  const own = 'workspace_id = $1 and person_id = $2'
  const hashed = (code: string, number: string, secret: string) =>
    keyedHash(`sms ${ids.join(' ')} ${number} ${code}`, secret, 'mailed code')
  return {
    async find() {
      const [found] = await readWithin<SmsNumber>(database, scope, {
        text: `select n.number, n.confirmed_at is not null as confirmed, n.sign_in as "signIn"
               from portal.client_sms_numbers n
               where n.workspace_id = scope.workspace and n.person_id = $3::uuid`,
        values: [person.id],
      })
      return found
    },
    async keep(number, secret) {
      const code = String(randomInt(1_000_000)).padStart(6, '0')
      await within(database, scope, tx =>
        query(tx, {
          text: `insert into portal.client_sms_numbers (workspace_id, person_id, number, code_hash, expires_at)
                 values ($1, $2, $3, $4, portal.now() + interval '10 minutes')
                 on conflict (workspace_id, person_id) do update set number = excluded.number, confirmed_at = null, sign_in = false,
                   code_hash = excluded.code_hash, expires_at = excluded.expires_at, attempts = 0`,
          values: [...ids, number, hashed(code, number, secret)],
        }),
      )
      return code
    },
    async confirm(tx, code, secret) {
      const [row] = await query<{ number: string; hash: string }>(tx, {
        text: `update portal.client_sms_numbers set attempts = attempts + 1
               where ${own} and code_hash is not null and expires_at > portal.now() and attempts < ${mostTries}
               returning number, code_hash as hash`,
        values: ids,
      })
      const [right, typed] = [row?.hash ?? '', row ? hashed(code, row.number, secret) : ''].map(it => Buffer.from(it))
      if (!row || !timingSafeEqual(right!, typed!)) return false
      await query(tx, {
        text: `update portal.client_sms_numbers set confirmed_at = portal.now(), code_hash = null, expires_at = null
               where ${own}`,
        values: ids,
      })
      return true
    },
    async allow(tx, signIn) {
      const [changed] = await query<{ number: string }>(tx, {
        text: `update portal.client_sms_numbers set sign_in = $3
               where ${own} and confirmed_at is not null and sign_in <> $3 returning number`,
        values: [...ids, signIn],
      })
      // Nor by a code that was sent to another number, or before this was taken back.
      await query(tx, {
        text: `update portal.client_tokens set used_at = portal.now() where ${own} and kind = 'text' and used_at is null`,
        values: ids,
      })
      return changed?.number
    },
    async remove(tx) {
      await query(tx, { text: `delete from portal.client_sms_numbers where ${own}`, values: ids })
    },
  }
}
