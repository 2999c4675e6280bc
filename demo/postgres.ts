import { claim, release } from './postgres/claim.ts'
import { createCluster } from './postgres/cluster.ts'
import { stopEarlierPostmaster } from './postgres/earlier.ts'
import { findPrograms } from './postgres/programs.ts'
import { startServer, stopServer } from './postgres/server.ts'

export interface Postgres {
  /** Connection string of a superuser, database "postgres", on 127.0.0.1. */
  url: string
  stop(): Promise<void>
}

export interface PostgresOptions {
  /** Holds the cluster, its password, its port and its log. Created when missing, else used again. */
  directory: string
  /** For tests: not durable. */
  quick?: boolean
  /** For tests: quick, and the directory is removed at the stop. */
  throwaway?: boolean
  log?(line: string): void
}

/** Starts the embedded PostgreSQL. Throws an Error whose message is a sentence that says what to do. */
export async function startPostgres({
  directory,
  throwaway = false,
  quick = throwaway,
  log = () => {},
}: PostgresOptions): Promise<Postgres> {
  const place = await claim(directory, { quick, throwaway })
  try {
    await stopEarlierPostmaster(place.cluster, log)
    const programs = await findPrograms(place)
    await createCluster(place, programs, log)
    const server = await startServer(place, programs, log)
    let stopped: Promise<void> | undefined
    return { url: server.url, stop: () => (stopped ??= stopServer(server).then(() => release(place))) }
  } catch (error) {
    await release(place)
    throw error
  }
}
