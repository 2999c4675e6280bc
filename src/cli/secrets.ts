import type { Knex } from 'knex'
import { AnotherSecret, reseal } from '../auth/reseal.ts'
import { replaceLostSecret, secretId, secretInUse } from '../platform/secrets.ts'
import { type Config, connected } from './config.ts'
import { CommandError } from './errors.ts'
import { storeFrom } from './files.ts'

/**
 * Returns the portal's secrets from the environment: `PORTAL_SECRETS`, separated by spaces, or the one `PORTAL_SECRET`.
 */
export function secretsFrom({ PORTAL_SECRETS, PORTAL_SECRET }: NodeJS.ProcessEnv): string[] {
  const secrets = PORTAL_SECRETS?.split(/\s+/).filter(Boolean) ?? (PORTAL_SECRET ? [PORTAL_SECRET] : [])
  if (!secrets.length)
    throw new CommandError(
      'Set PORTAL_SECRET: 32 characters or more that nobody guesses. They sign cookies and seal what is kept.',
    )
  if (secrets.some(it => it.length < 32))
    throw new CommandError(
      'Each secret in PORTAL_SECRETS needs 32 characters or more. Separate them by spaces, the newest first.',
    )
  return secrets
}

/**
 * Seals values of older secrets again, and reports whether those can be retired. `lost` works without a secret that is
 * lost.
 */
export async function resealAll(config: Config, { lost: withoutLost }: { lost?: boolean } = {}): Promise<string> {
  const secrets = config.secrets ?? secretsFrom(process.env)
  if (withoutLost) return connected(config.ownerUrl, owner => goOnWithout(owner, secrets))
  return connected(config.url, async database => {
    const files = config.files ?? storeFrom(process.env, secrets)
    const { anew, lost } = await reseal(database, secrets, files).catch(inPlainWords)
    const done = `Sealed ${counted(anew)} anew with the first secret.`
    if (lost)
      throw new CommandError(
        `${done} ${counted(lost)} cannot be opened by any of these secrets. Add the secret that sealed them; if it is lost, they stay closed.`,
      )
    return `${done} Everything is sealed with it: the older secrets can be taken out.`
  })
}

const counted = (n: number) => (n === 1 ? '1 value' : `${n} values`)

function inPlainWords(error: unknown): never {
  if (!(error instanceof AnotherSecret)) throw error
  throw new CommandError(
    'The portal uses another secret. Add it to PORTAL_SECRETS. If nobody has it any more, run portico reseal --lost.',
  )
}

async function goOnWithout(owner: Knex, secrets: string[]): Promise<string> {
  const current = await secretInUse(owner)
  if (current === undefined || secrets.map(secretId).includes(current))
    throw new CommandError('Nothing is lost: the secret that the portal uses is among these.')
  await replaceLostSecret(owner, secrets[0] ?? '')
  return 'The portal goes on with this secret. What was sealed with the lost one stays closed: people set up their authenticator apps anew, customer codes are made anew, each workspace signs with a new key, mails that were waiting are not sent, and encrypted files of before cannot be opened.'
}
