import { readFileSync } from 'node:fs'
import type { Run } from './plan.ts'
import { type Again, type Done, flaky } from './running.ts'

/** What failed, in its own words; which files were flaky; and a table of all runs. */
export function report(done: Done[], again: Again[], unable: Run[]): void {
  const passedLater = flaky(again)
  for (const it of [...done, ...again.map(one => one.done)].filter(one => !one.green))
    console.log(`\n== ${it.run.name}\n${readFileSync(it.log, 'utf8')}`)
  for (const { file, first } of passedLater)
    console.log(`flaky: ${file} failed in ${first.run.name}, and passed by itself`)
  for (const it of unable) console.log(`left out: ${it.name} needs ${it.suite.packages?.join(', ')}, of Debian`)
  console.log(`\n${table(done)}\n`)
  const sum = (count: (it: Done) => number) => done.reduce((total, it) => total + count(it), 0)
  const failed = sum(it => (it.green ? 0 : Math.max(1, it.failed.length))) - passedLater.length
  console.log(`${sum(it => it.passed)} passed, ${failed} failed, ${sum(it => it.skipped)} skipped`)
}

function table(done: Done[]): string {
  const rows = [...done]
    .sort((a, b) => b.seconds - a.seconds)
    .map(it => [it.run.name, it.seconds, it.passed, it.run.suite.budget, it.green ? '' : 'failed'])
  const lines = [['suite', 'seconds', 'tests', 'budget', ''], ...rows].map(row => row.map(String))
  const widths = lines[0]!.map((_, at) => Math.max(...lines.map(it => it[at]!.length)))
  return lines
    .map(row => row.map((cell, at) => (at ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))).join('  '))
    .join('\n')
}
