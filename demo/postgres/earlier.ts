import { execFile } from 'node:child_process'
import { readFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Obstacle } from '../obstacle.ts'

/**
 * Clears what a killed start left behind: a postmaster that still runs is stopped, and a postmaster.pid
 * whose number now belongs to another program is removed. Call it with the folder's lock held.
 */
export async function stopEarlierPostmaster(cluster: string, log: (line: string) => void): Promise<void> {
  const pid = await pidIn(cluster)
  if (!pid) return
  if (await serves(pid, cluster)) {
    log('stopping the PostgreSQL that an earlier start left running')
    await stopGently(pid, cluster)
  }
  // One that was killed leaves it, and its number may live on for a moment without serving anything.
  await rm(join(cluster, 'postmaster.pid'), { force: true })
}

async function pidIn(cluster: string): Promise<number | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
  return Number.parseInt(text, 10) || null
}

/** PostgreSQL works inside its data directory, which proves whose process a number is. A zombie works nowhere. */
async function serves(pid: number, cluster: string): Promise<boolean> {
  if (process.platform === 'linux') return (await readlink(`/proc/${pid}/cwd`).catch(() => null)) === cluster
  const ps = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return ps.stdout.includes('postgres') && ps.stdout.includes(cluster)
}

async function stopGently(pid: number, cluster: string) {
  for (const [signal, seconds] of [
    ['SIGINT', 10],
    ['SIGQUIT', 5],
  ] as const) {
    process.kill(pid, signal)
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
      if (!(await serves(pid, cluster))) return
    }
  }
  throw new Obstacle(`A PostgreSQL of an earlier start does not stop. End process ${pid}, then start again.`)
}
