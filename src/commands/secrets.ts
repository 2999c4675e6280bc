import type { Knex } from 'knex'
import { reseal } from '../reseal.ts'
import { replaceLostSecret } from '../secrets.ts'
import { type Config, connected } from './config.ts'
import { Trouble } from './problems.ts'

/** The portal's secrets from the environment: `PORTAL_SECRETS`, separated by spaces, or the one `PORTAL_SECRET`. */
export function secretsFrom({ PORTAL_SECRETS, PORTAL_SECRET }: NodeJS.ProcessEnv): string[] {
  const secrets = PORTAL_SECRETS?.split(/\s+/).filter(Boolean) ?? (PORTAL_SECRET ? [PORTAL_SECRET] : [])
  if (!secrets.length)
    throw new Trouble(
      'Set PORTAL_SECRET: 32 characters or more that nobody guesses. They sign cookies and seal what is kept.',
    )
  if (secrets.some(it => it.length < 32))
    throw new Trouble(
      'Each secret in PORTAL_SECRETS needs 32 characters or more. Separate them by spaces, the newest first.',
    )
  return secrets
}

/** Seals anew what older secrets sealed, and says whether these can be retired. `lost`: goes on without one that is lost. */
export async function resealAll(config: Config, { lost: withoutLost }: { lost?: boolean } = {}): Promise<string> {
  const secrets = config.secrets ?? secretsFrom(process.env)
  if (withoutLost) return connected(config.ownerUrl, owner => goOnWithout(owner, secrets[0] ?? ''))
  return connected(config.url, async database => {
    const { anew, lost } = await reseal(database, secrets)
    const done = `Sealed ${anew} values anew with the first secret.`
    if (lost)
      throw new Trouble(
        `${done} ${lost} values cannot be opened by any of these secrets. Add the secret that sealed them. If it is lost, run portico reseal --lost.`,
      )
    return `${done} Everything is sealed with it: the older secrets can be taken out.`
  })
}

async function goOnWithout(owner: Knex, secret: string): Promise<string> {
  await replaceLostSecret(owner, secret)
  return 'The portal goes on with this secret. What was sealed with the lost one stays closed: people set up their authenticator apps anew, each workspace signs with a new key, and mails that were waiting are not sent.'
}
