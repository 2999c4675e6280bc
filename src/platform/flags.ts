import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const flagName = 'customer_portal_enabled'

/** The feature flag `customer_portal_enabled`. Asked for each request before anything else; answers from memory. */
export interface Flags {
  /** Whether the portal is on for anybody at all. */
  enabledAnywhere(): boolean
  /** Whether it is on for the workspace of this slug. */
  enabled(workspace: string): boolean
  /** Whether the source has ever been read: a flag server that has not answered yet says nothing. True if not given. */
  known?(): boolean
  close?(): void
}

export interface FlagSource {
  /** An Unleash server. It decides alone where it is given. */
  unleashUrl?: string
  unleashToken?: string
  /** `true`, `false` or slugs with commas between them. It decides over the file. */
  value?: string
  /** `{ "customer_portal_enabled": true | false | ["slug", …] }`, read again when it changes. */
  file?: string
  /** Told when Unleash does not answer, or the file cannot be read. */
  warn?(error: Error): void
}

/** Flags from the environment: UNLEASH_URL and UNLEASH_TOKEN, CUSTOMER_PORTAL_ENABLED, otherwise `flags.json`. */
export const flagsFromEnvironment = (env = process.env, more: Partial<FlagSource> = {}): Promise<Flags> =>
  flagsFrom({
    unleashUrl: env.UNLEASH_URL,
    unleashToken: env.UNLEASH_TOKEN,
    value: env.CUSTOMER_PORTAL_ENABLED,
    file: 'flags.json',
    ...more,
  })

/** Flags from Unleash, a fixed value or a file, in this order. */
export async function flagsFrom({ unleashUrl, unleashToken, value, file, warn }: FlagSource): Promise<Flags> {
  if (unleashUrl) return unleash(unleashUrl, unleashToken, warn)
  if (value !== undefined) return decided(() => parsed(value))
  return decided(file ? fromFile(file, warn) : () => false)
}

type State = boolean | string[]

const decided = (state: () => State): Flags => ({
  enabledAnywhere() {
    const now = state()
    return Array.isArray(now) ? now.length > 0 : now
  },
  enabled(workspace) {
    const now = state()
    return Array.isArray(now) ? now.includes(workspace) : now
  },
})

function parsed(text: string): State {
  const value = text.trim()
  if (value === 'true') return true
  if (value === 'false' || value === '') return false
  return value.split(',').map(it => it.trim())
}

/** A missing file means off. Invalid JSON keeps the last known state. */
function fromFile(file: string, warn: FlagSource['warn']): () => State {
  let state: State = false
  let version = ''
  let looked = 0
  return () => {
    if (Date.now() - looked < 250) return state
    looked = Date.now()
    const stat = statSync(file, { throwIfNoEntry: false })
    if (!stat) {
      version = ''
      state = false
    } else if (version !== `${stat.mtimeMs} ${stat.size}`) {
      version = `${stat.mtimeMs} ${stat.size}`
      try {
        const it = JSON.parse(readFileSync(file, 'utf8'))[flagName]
        state = Array.isArray(it) ? it.map(String) : it === true
      } catch (error) {
        warn?.(new Error(`${file} cannot be read; the last known state holds`, { cause: error }))
      }
    }
    return state
  }
}

/**
 * The flag is judged with the workspace's slug as context field `workspace` and as user id, and without one for "anywhere": a
 * strategy on slugs is off there, so it is asked of the slugs that the strategy names too.
 * With the server unreachable the last known state holds (it is also kept on disk); with none, off.
 */
async function unleash(url: string, token: string | undefined, warn: FlagSource['warn']): Promise<Flags> {
  const { Unleash } = await import('unleash-client')
  const client = new Unleash({
    url,
    appName: 'portico',
    backupPath: await keptFor(url),
    customHeaders: token ? { Authorization: token } : {},
    refreshInterval: 5_000,
    disableMetrics: true,
  })
  let known = false
  for (const event of ['ready', 'synchronized'] as const)
    client.on(event, () => {
      known = true
    })
  client.on('error', error => warn?.(error))
  client.on('warn', message => warn?.(new Error(String(message))))
  const asked = (workspace: string) => client.isEnabled(flagName, contextOf(workspace), false)
  return {
    enabledAnywhere: () => client.getFeatureToggleDefinition(flagName)?.enabled ?? false,
    enabled: asked,
    known: () => known,
    close: () => client.destroy(),
  }
}

/** The slug stands for user and session too, so that a gradual rollout says the same of a workspace at each request. */
const contextOf = (workspace: string) => ({ userId: workspace, sessionId: workspace, properties: { workspace } })

/** Where the last known state of this server is kept over a restart: of no other server, and for this user only. */
async function keptFor(url: string): Promise<string> {
  const name = createHash('sha256').update(url).digest('hex').slice(0, 16)
  const folder = join(tmpdir(), `portico-flags-${process.getuid?.() ?? 'user'}-${name}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}
