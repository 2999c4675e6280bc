import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

/** Moments at which clocks and calendars do something unusual, each where it happens. */
export interface Moment {
  name: string
  at: Date
  zone: string
  /** The demo's adapter on which the tests run: made of a map, or written by hand. */
  adapter: 'map' | 'code'
}

const inTenWeeks = new Date(Date.now() + 10 * 7 * 86_400_000)
const untilMonday = (8 - inTenWeeks.getUTCDay()) % 7
const fourOnThatMonday = new Date(inTenWeeks.getTime() + untilMonday * 86_400_000).setUTCHours(4, 0, 0, 0)

export const moments: Moment[] = [
  { name: 'the end of 29 February', at: new Date('2028-02-29T23:58:00Z'), zone: 'UTC', adapter: 'map' },
  {
    name: 'the end of a year, first on Earth',
    at: new Date('2026-12-31T23:50:00+14:00'),
    zone: 'Pacific/Kiritimati',
    adapter: 'code',
  },
  {
    name: 'the hour that summer time skips',
    at: new Date('2027-03-14T01:58:00-05:00'),
    zone: 'America/New_York',
    adapter: 'map',
  },
  {
    name: 'the hour that the end of summer time repeats',
    at: new Date('2027-11-07T01:58:00-04:00'),
    zone: 'America/New_York',
    adapter: 'code',
  },
  { name: 'a Monday at four, in ten weeks', at: new Date(fourOnThatMonday), zone: 'UTC', adapter: 'map' },
]

/**
 * The environment in which it is this moment, from now on: Debian's faketime moves the clock of Node.js and PostgreSQL,
 * while the monotonic clock of timers stays as it is. Throws where faketime is missing or does not work.
 */
export function environmentAt({ at, zone, adapter }: Moment): NodeJS.ProcessEnv {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (!library) throw new Error('The suite days needs faketime: apt-get install faketime')
  const env = {
    LD_PRELOAD: library,
    FAKETIME: `${Math.round((at.getTime() - Date.now()) / 1_000)}s`.replace(/^(?!-)/, '+'),
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    TZ: zone,
    PORTICO_ADAPTER: adapter,
    // A cluster of that moment.
    PORTICO_CLUSTER: '',
  }
  const shown = spawnSync(process.execPath, ['-p', 'Date.now()'], { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (Math.abs(Number(shown.stdout) - at.getTime()) > 60_000)
    throw new Error(`faketime does not work: it is ${shown.stdout}`)
  return env
}
