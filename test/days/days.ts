import { spawn, spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import readsCrm from '../reads-crm.json' with { type: 'json' }
import { type Moment, moments } from './moments.ts'

/**
 * Runs the tests at other moments and in other time zones: the clock of this process and of PostgreSQL is moved by
 * Debian's faketime, relative to now, while the monotonic clock of timers stays as it is. At some moments they run on the
 * adapter that is made of a map, which is how `.ci/run` tries that adapter.
 */
const root = join(import.meta.dirname, '..', '..')
const mocha = ['node_modules/mocha/bin/mocha.js', '--no-package', '--config', 'test/days/mocha.json']

const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
if (!library) {
  console.error('proof:days needs faketime: apt-get install faketime')
  process.exit(1)
}

/** What a browser shows or does, what the audit finds, programs and how much there may be: other suites. */
const elsewhere = [
  'test/{pages,mails,gallery,promises,help,passkeys,signing,edges,denials,passing,stand-alone,elsewhere}.test.ts',
  '{demo/postgres,src/auth/sign-in-with,src/serve/staff,src/crm/activation/indexes,src/settings/{import,people}-volume,plugins/*/volume,plugins/*/browser,test/plugins/cli,test/plugins/types}.test.ts',
]
/** What dates and times decide: run at each moment. The others take turns, so that each is run at one of them. */
const byTime = [
  'src/platform/{clock,dates,switch-off}.test.ts',
  'src/plugin/timeline.test.ts',
  'src/home/*.test.ts',
  'src/auth/auth.test.ts',
  'plugins/{invoices,proposals}/*.test.ts',
  'plugins/reminders/reminders.test.ts',
]
const all = globSync(['{src,plugins,demo}/**/*.test.ts', 'test/*.test.ts', 'test/plugins/attached.test.ts'], {
  cwd: root,
  exclude: elsewhere,
}).sort()
const always = globSync(byTime, { cwd: root, exclude: elsewhere })
const others = all.filter(it => !always.includes(it))
/** What `proof:map` runs, too. */
const onMap = globSync(others, { cwd: root, exclude: [...manifest.mocha.ignore, ...readsCrm.ignore] })

let failed = 0
for (const moment of moments) {
  const alike = moments.filter(it => it.adapter === moment.adapter)
  const inTurn = others
    .filter(it => onMap.includes(it) === (moment.adapter === 'map'))
    .filter((_, index) => index % alike.length === alike.indexOf(moment))
  failed += (await passes(moment, library, [...always, ...inTurn])) ? 0 : 1
}
console.log(`${moments.length - failed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0

async function passes({ name, at, zone, adapter }: Moment, library: string, files: string[]): Promise<boolean> {
  const env = {
    ...process.env,
    LD_PRELOAD: library,
    FAKETIME: `${Math.round((at.getTime() - Date.now()) / 1_000)}s`.replace(/^(?!-)/, '+'),
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    TZ: zone,
    PORTICO_ADAPTER: adapter,
  }
  const told = spawnSync(process.execPath, ['-p', 'Date.now()'], { env, encoding: 'utf8' }).stdout
  if (Math.abs(Number(told) - at.getTime()) > 60_000) throw new Error(`faketime does not work: it is ${told}`)
  const began = performance.now()
  console.log(`${name}: ${at.toISOString()}, ${zone}, ${adapter}`)
  const child = spawn(process.execPath, [...mocha, ...files], { cwd: root, env, stdio: 'inherit' })
  const status = await new Promise(resolve => child.once('exit', resolve))
  console.log(`${name}: ${status === 0 ? 'green' : 'red'} after ${Math.round((performance.now() - began) / 1_000)} s`)
  return status === 0
}
