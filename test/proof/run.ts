import { parseArgs } from 'node:util'
import { buildCluster } from '../cluster.ts'
import { readChange } from './changed.ts'
import { install } from './debian.ts'
import { everydaySuite, planChanged, planCi, planNamed, planWhole, type Run } from './plan.ts'
import { type Done, isGreen, runAll, tryAgain } from './running.ts'
import { report } from './table.ts'

/**
 * Runs suites of tests: those that are named, what a change touches, what `.ci/run` does, or everything.
 *
 *     node test/proof/run.ts volume [--whole]
 *     node test/proof/run.ts --changed | --ci | --whole
 *
 * Ends with 1 where a test fails, and 2 for wrong usage.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { ci: { type: 'boolean' }, changed: { type: 'boolean' }, whole: { type: 'boolean' } },
})
const change = orWrongUsage(readChange)
/** As it is printed, so that it can be said again. */
const turn = (process.env.PORTICO_TURN ?? change.commit).slice(0, 8)
const first: Run[] = values.ci || (values.whole && !positionals.length) ? [whole(everydaySuite)] : []
const later = orWrongUsage(plan).filter(it => it.files.length)
console.log(`${change.commit.slice(0, 8)} since ${change.base?.slice(0, 8) ?? 'the beginning'}, PORTICO_TURN=${turn}`)
console.log(`${change.files.length} files changed. Suites: ${[...first, ...later].map(it => it.name).join('; ')}`)
const { able, unable } = install(later)
process.env.PORTICO_CLUSTER = await buildCluster()

const done: Done[] = [...(await runAll(first, 1)), ...(await runAll(able, first.length || able.length > 1 ? 2 : 1))]
const again = await tryAgain(done)
report(done, again, unable)
process.exitCode = isGreen(done, again) ? 0 : 1

function plan(): Run[] {
  if (values.ci) return planCi(change, turn)
  if (values.changed) return planChanged(change, turn)
  if (!positionals.length && values.whole) return planWhole()
  if (positionals.length) return positionals.flatMap(name => planNamed(name, change, turn, values.whole ?? false))
  throw new Error('Say which suites: a name, --changed, --ci or --whole.')
}

function orWrongUsage<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    console.error((error as Error).message)
    process.exit(2)
  }
}

function whole(suite: typeof everydaySuite): Run {
  return { name: suite.name, suite, files: suite.files(), env: () => ({}) }
}
