import { reseal } from '../reseal.ts'
import { type Config, connected, Trouble } from './config.ts'

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

/** Seals anew what older secrets sealed, and says whether these can be retired. */
export const resealAll = (config: Config): Promise<string> =>
  connected(config.url, async database => {
    const secrets = config.secrets ?? secretsFrom(process.env)
    const { anew, lost } = await reseal(database, secrets)
    const done = `Sealed ${anew} values anew with the first secret.`
    if (lost)
      throw new Trouble(
        `${done} ${lost} values cannot be opened by any of these secrets. Add the secret that sealed them.`,
      )
    return `${done} Everything is sealed with it: the older secrets can be taken out.`
  })
