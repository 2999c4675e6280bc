import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import Mocha from 'mocha'
import { root } from '../../src/platform/root.ts'

/** What a run of mocha came to, as this reporter writes it into the file that `PORTICO_RESULTS` names. */
export interface Results {
  passed: number
  skipped: number
  /** Paths from the root of the files with a failed test or hook. */
  failed: string[]
}

/** Mocha's own, and beside it which files failed. */
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    const failed = new Set<string>()
    runner.on('fail', it => failed.add(relative(root, it.file ?? it.parent?.file ?? '')))
    runner.on('end', () => {
      const { passes: passed, pending: skipped } = this.stats
      const results: Results = { passed, skipped, failed: [...failed] }
      if (process.env.PORTICO_RESULTS) writeFileSync(process.env.PORTICO_RESULTS, JSON.stringify(results))
    })
  }
}
