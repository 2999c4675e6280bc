import { globSync } from 'node:fs'
import { join, matchesGlob, normalize } from 'node:path'

/**
 * The second part of a test file's name is its suite: `npx mocha plugins/invoices` runs that folder's `x.test.ts`, and
 * `x.volume.test.ts` only where it is named itself (or by `npm run proof:volume`).
 */
const named = process.argv.slice(2).filter(it => it.endsWith('.test.ts'))
const isNamed = file => named.some(it => file === normalize(it) || matchesGlob(file, it))
const otherSuites = globSync('{test,src,plugins,demo,docs}/**/*.*.test.ts').filter(it => !isNamed(it))

// What Node.js compiled once, each of the processes takes from here.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled')

export default {
  require: 'test/database.ts',
  extension: ['.test.ts'],
  recursive: true,
  ignore: otherSuites,
  timeout: 60_000,
  slow: 2_000,
  exit: true,
  parallel: true,
  jobs: 3,
}
