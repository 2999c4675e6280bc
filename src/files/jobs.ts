import { coreHostOf } from '../auth/host.ts'
import { bySystem, insert } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import { type FileStore, MissingFile } from '../platform/files.ts'
import type { Host, Job } from '../plugin/plugin.ts'
import { releaseAbandoned } from './kept.ts'
import { fileKey } from './receive.ts'
import { type ScanResult, scanForViruses } from './scan.ts'

/** What is done later with files, whichever plugin holds them. */
export const fileJobs: Record<`files.${string}`, Job> = {
  /** Scans a file that arrived, as soon as the scanner can. Running it twice has the same result. */
  'files.scan': {
    async work({ workspace, data }, host) {
      const { scanner } = coreHostOf(host)
      const [file] = await readWithin<{ id: string; name: string; client: string }>(
        host.database,
        { workspace: workspace.id },
        {
          text: `select f.id, f.name, f.client_id as client from portal.client_files f
                 where f.workspace_id = scope.workspace and f.id = $3 and f.state = 'checking'`,
          values: [data.file],
        },
      )
      if (!file || !host.files) return undefined
      const key = fileKey(workspace.id, file.id)
      const result = scanner ? await scanned(scanner, host.files, key) : { scan: 'none' as const }
      if (result instanceof Error) {
        await scanLater(host, workspace, data, result)
        return undefined
      }
      if (!('threat' in result)) {
        await release(host, workspace.id, file.id, result.scan)
        return undefined
      }
      await condemn(host, workspace.id, file, result.threat)
      await host.files.remove(key)
      return undefined
    },
  },
  /** Removes bytes that no row of `client_files` knows, and tells the log about files that are missing. */
  'files.sweep': {
    every: 86_400,
    async work({ workspace }, host) {
      if (!host.files) return undefined
      const day = 86_400_000
      await within(host.database, { workspace: workspace.id }, tx => releaseAbandoned(tx, workspace.id, 86_400))
      const known = await knownFiles(host, workspace.id)
      // Twice as long as an upload may stand still: none that could still be kept is swept up.
      const missing = await sweep(host.files, workspace.id, known, 2 * day)
      await host.files.tidy(day)
      const still = missing.length ? await knownFiles(host, workspace.id) : new Set()
      const lost = missing.filter(it => still.has(it))
      if (lost.length) host.log.error({ workspace: workspace.slug, lost }, 'files are missing in the file store')
      return undefined
    },
  },
}

/** What was found, or why the scan has to be tried again. A file that is gone is for the log alone. */
const scanned = async (scanner: string, files: FileStore, key: string): Promise<ScanResult | Error> => {
  try {
    return await scanForViruses(scanner, await files.read(key))
  } catch (error) {
    if (error instanceof MissingFile) throw error
    return error as Error
  }
}

/** Seconds until the first try after a failed one, and the most between two. */
const retry = { first: 30, most: 600 }

/** A queue gives up after some tries; a file waits as long as the scanner is away. */
async function scanLater(host: Host, workspace: { id: string; slug: string }, data: any, err: Error) {
  const failed = (data.failed ?? 0) + 1
  const seconds = Math.min(retry.first * 2 ** (failed - 1), retry.most)
  host.log.error(
    { err, workspace: workspace.slug, file: data.file, seconds },
    'a file could not be scanned for viruses',
  )
  await within(host.database, { workspace: workspace.id }, tx =>
    host.jobs.queue(tx, { job: 'files.scan', workspace, data: { ...data, failed }, seconds }),
  )
}

const release = (host: Host, workspace: string, id: string, scan: 'none' | 'clean' | 'too-large') =>
  within(host.database, { workspace }, tx =>
    query(tx, {
      text: `update portal.client_files set state = 'ready', scan = $3 where workspace_id = $1 and id = $2 and state = 'checking'`,
      values: [workspace, id, scan],
    }),
  )

/** Both sides are told, in the list and in the activity log, and the file can be opened by nobody. */
const condemn = (
  host: Host,
  workspace: string,
  { id, name, client }: { id: string; name: string; client: string },
  threat: string,
) =>
  within(host.database, { workspace }, async tx => {
    const changed = await query(tx, {
      text: `update portal.client_files set state = 'infected', threat = $3
             where workspace_id = $1 and id = $2 and state = 'checking' returning id`,
      values: [workspace, id, threat.slice(0, 200)],
    })
    if (!changed.length) return
    for (const it of host.plugins) await it.infected?.(tx, { workspace, client, id })
    await insert(tx, [bySystem(workspace, { event: 'files.infected', subject: { id, number: name, threat } }, client)])
  })

async function knownFiles(host: Host, workspace: string): Promise<Set<string>> {
  const rows = await readWithin<{ id: string }>(
    host.database,
    { workspace },
    {
      text: `select f.id from portal.client_files f where f.workspace_id = scope.workspace and f.state in ('checking', 'ready')`,
    },
  )
  return new Set(rows.map(it => it.id))
}

/** Characters of a UUID. */
const idLength = 36

/** Removes stored files that no row knows and that are older than so many milliseconds. Returns the ids of rows whose file is missing. */
async function sweep(files: FileStore, workspace: string, known: Set<string>, limit: number): Promise<string[]> {
  const missing = new Set(known)
  for await (const { key, age } of files.list(fileKey(workspace, '').slice(0, -1))) {
    // A preview is named like its file, and goes with it.
    const id = key.slice(key.indexOf('/') + 1).slice(0, idLength)
    missing.delete(id)
    if (!known.has(id) && age > limit) await files.remove(key)
  }
  return [...missing]
}
