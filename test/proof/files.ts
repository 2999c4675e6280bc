import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { root } from '../../src/platform/root.ts'

/** Every test file, by its path from the root. The audit's example CRMs and what tests write themselves are none. */
export const testFiles = (): string[] => (found ??= findTestFiles())
let found: string[] | undefined

const findTestFiles = () =>
  globSync('{test,src,plugins,demo,docs}/**/*.test.ts', { cwd: root, exclude: ['test/audit/crms/**'] }).sort()

/** The suite of a test file: the second part of its name, or `test` for what `npm test` runs. */
export function suiteOf(file: string): string {
  const [, ...parts] = basename(file, '.test.ts').split('.')
  return parts.join('.') || 'test'
}

export const filesOf = (suite: string) => testFiles().filter(it => suiteOf(it) === suite)

/** What a contributor may wait for: `npm test`, and the long tests. The suites `map` and `days` run them in other ways. */
const everyday = () => testFiles().filter(it => ['test', 'long'].includes(suiteOf(it)))

/**
 * Whether a test reads the demo CRM through the portal, by the adapter that the run chose: it imports none itself, and does
 * not say `@adapter code` with what the demo's map lacks for it.
 */
const readsCrm = onceForEach(text => {
  return /from '[^']*\/visit\.ts'/.test(text) && !/from '[^']*\/demo\/adapter\/|@adapter code:/.test(text)
})

const clockMoves = /\bsetClock\(|\.pass\(|\bat: '2\d{3}-/
const timeInTitle =
  /\bit\([`'"][^`'"\n]*\b(days?|dates?|due|overdue|weeks?|months?|years?|hours?|zones?|expire[sd]?|clock|tomorrow)\b/

/** Whether dates decide what a test shows: it moves the portal's clock, or the name of one of its tests speaks of time. */
const isAboutTime = onceForEach(text => clockMoves.test(text) || timeInTitle.test(text))

/** What is worth trying on the adapter that is made of a map. */
export const onMap = () => everyday().filter(readsCrm)

/** What dates decide, and all else: the suite `days` runs the first at each of its moments, the second at one of them. */
export const byDate = () => everyday().filter(isAboutTime)
export const byNoDate = () => everyday().filter(it => !isAboutTime(it) && usesDatabase(it))

const usesDatabase = onceForEach(text => /\/visit\.ts|\/database\.ts/.test(text))

/** A question about the text of a file, asked once of each. */
function onceForEach(question: (text: string) => boolean): (file: string) => boolean {
  const answers = new Map<string, boolean>()
  return file => {
    const known = answers.get(file) ?? question(readFileSync(`${root}/${file}`, 'utf8'))
    answers.set(file, known)
    return known
  }
}
