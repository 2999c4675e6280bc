import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { root } from '../../src/platform/root.ts'
import type { Change } from './changed.ts'
import { byDate, byNoDate, filesOf, onMap, suiteOf } from './files.ts'
import { isTouched } from './imports.ts'
import { environmentAt, type Moment, moments } from './moments.ts'
import { type Suite, suites } from './suites.ts'

/** One process of mocha: these files, in this environment. */
export interface Run {
  /** As the table at the end names it. */
  name: string
  suite: Suite
  files: string[]
  /** Read when it starts. */
  env(): NodeJS.ProcessEnv
}

const plugins = () => globSync('plugins/*/plugin.ts', { cwd: root }).map(it => it.split('/')[1]!)

/** What `.ci/run` does besides static checks and `npm test`. The turn is a commit's hash: it decides what is tried in turn. */
export function planCi(change: Change, turn: string): Run[] {
  const inTurn = ranked(
    suites.filter(it => it.when === 'turn' && !touches(it, change)).map(it => it.name),
    turn,
  )
  const chosen = suites.filter(
    it => it.when === 'always' || touches(it, change) || inTurn.slice(0, 2).includes(it.name),
  )
  return chosen.flatMap(it => runsInTurn(it, change, turn))
}

/** Everything in every combination. */
export const planWhole = (): Run[] => suites.flatMap(wholeRuns)

/** The test files of all suites that are about what has changed, `npm test` among them. */
export function planChanged(change: Change, turn: string): Run[] {
  const everyday: Suite = { ...everydaySuite, files: () => filesOf('test') }
  return [everyday, ...suites.filter(it => !['days', 'map'].includes(it.name))]
    .map(it => ({ ...it, files: () => it.files().filter(file => isTouched(file, change.files)) }))
    .flatMap(it => (it.files().length ? runsInTurn(it, change, turn) : []))
}

/** One suite with all its files: as `.ci/run` does it in this turn, or in every combination. */
export function planNamed(name: string, change: Change, turn: string, whole: boolean): Run[] {
  const suite = suites.find(it => it.name === name)
  if (!suite) throw new Error(`There is no suite ${name}. There are ${suites.map(it => it.name).join(', ')}.`)
  if (whole) return wholeRuns(suite)
  return runsInTurn(suite, change, turn).map(it => (name === 'days' ? it : { ...it, files: suite.files() }))
}

/** What `npm test` runs, as a suite. */
export const everydaySuite: Suite = {
  name: 'test',
  budget: 150,
  when: 'always',
  jobs: 3,
  files: () => filesOf('test'),
}

const touches = (suite: Suite, change: Change) =>
  isAbout(suite, change) || suite.files().some(it => isTouched(it, change.files))

/** Whether one of the places that it is about has changed, or everything counts as changed. */
const isAbout = (suite: Suite, { base, files }: Change) =>
  base === undefined || (suite.about ?? []).some(place => files.some(it => isIn(place, it)))

const isIn = (place: string, file: string) =>
  file === place || (file.startsWith(`${place}/`) && !file.endsWith('.test.ts'))

function runsInTurn(suite: Suite, change: Change, turn: string): Run[] {
  const run = (more: Partial<Run> = {}): Run => ({
    ...{ name: suite.name, suite, files: suite.files() },
    env: () => suite.env ?? {},
    ...more,
  })
  const env = (values: NodeJS.ProcessEnv) => run({ env: () => ({ ...suite.env, ...values }) })
  switch (suite.name) {
    case 'long':
      return [run({ files: longFiles(suite, change, turn) })]
    case 'days':
      return chosenMoments(turn).map(it => atMoment(suite, it, byDate().filter(isQuick)))
    case 'pages':
      return [env({ PORTICO_PAGES: turn, PORTICO_PAGES_CHANGED: changedPages(change) })]
    case 'plugins':
      return [env({ PORTICO_DELETED: changedPlugins(change).join() })]
    case 'newcomer':
      return [env({ PORTICO_NEWCOMERS: turn })]
    case 'package':
      return [env({ PORTICO_HOSTS: turn })]
    case 'map':
      return [run({ files: isAbout(suite, change) ? onMap() : touchedAndThird(onMap(), change, turn) })]
    default:
      return [run()]
  }
}

function wholeRuns(suite: Suite): Run[] {
  if (suite.name === 'days') return moments.map(it => atMoment(suite, it, [...byDate(), ...inTurns(it)]))
  return (suite.whole ?? [suite.env ?? {}]).map(env => ({
    name: suite.name,
    suite,
    files: suite.files(),
    env: () => env,
  }))
}

/** Long tests of what changed; when code of the portal did, also a third of the others. */
function longFiles(suite: Suite, change: Change, turn: string): string[] {
  const some = change.files.some(it => /^(src|plugins)\/.*(?<!\.test)\.ts$/.test(it))
  return some ? touchedAndThird(suite.files(), change, turn) : suite.files().filter(it => isTouched(it, change.files))
}

function touchedAndThird(all: string[], { files: changed }: Change, turn: string): string[] {
  const touched = all.filter(it => isTouched(it, changed))
  const others = all.filter(it => !touched.includes(it))
  return [...touched, ...third(others, turn)]
}

/** In `npm test`, and so in a few seconds. */
const isQuick = (file: string) => suiteOf(file) === 'test'

const atMoment = (suite: Suite, moment: Moment, files: string[]): Run => ({
  name: `days, ${moment.name}`,
  suite,
  files: moment.adapter === 'map' ? files.filter(it => onMap().includes(it)) : files,
  env: () => environmentAt(moment),
})

/** One on each of the two adapters. */
const chosenMoments = (turn: string) =>
  (['map', 'code'] as const).map(adapter => {
    const alike = moments.filter(it => it.adapter === adapter)
    return alike[rank('moment', turn) % alike.length]!
  })

/** What no date decides is tried at one of the moments: what can be on a map's adapter, on one. */
function inTurns(moment: Moment): string[] {
  const alike = moments.filter(it => it.adapter === moment.adapter)
  const mapped = onMap()
  return byNoDate()
    .filter(it => mapped.includes(it) === (moment.adapter === 'map'))
    .filter((_, index) => index % alike.length === alike.indexOf(moment))
}

const changedPlugins = ({ base, files }: Change) =>
  plugins().filter(name => base === undefined || files.some(it => isIn(`plugins/${name}`, it)))

/** Plugins whose pages are looked at in every combination; `*` where what all pages share has changed. */
const changedPages = (change: Change) =>
  change.base === undefined || change.files.some(it => /^(views|assets)\//.test(it))
    ? '*'
    : changedPlugins(change).join()

const third = (files: string[], turn: string) => files.filter(it => rank(it, '') % 3 === rank('third', turn) % 3)

/** In an order that the turn decides. */
const ranked = (names: string[], turn: string) => names.sort((a, b) => rank(a, turn) - rank(b, turn))

/** A number that follows from a name and a turn, and looks like chance. */
export const rank = (name: string, turn: string) =>
  createHash('sha256').update(`${turn} ${name}`).digest().readUInt32BE()
