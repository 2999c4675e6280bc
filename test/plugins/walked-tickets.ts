import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { role } from '../../demo/portal-database.ts'
import { migrate } from '../../src/index.ts'
import { root } from '../../src/platform/root.ts'
import type { Plugin } from '../../src/sdk.ts'
import { fresh } from '../database.ts'
import { writePlugin } from './walked.ts'

/** The plugin that docs/plugins.md builds, in a folder outside of the tree, with `portico/sdk` alone: once for a process. */
export const makeTickets = () => {
  made ??= make()
  return made
}
let made: ReturnType<typeof make> | undefined

async function make() {
  const folder = mkdtempSync(join(root, 'test', 'plugins', 'walked-'))
  const files = writePlugin(folder, join(root, 'src', 'sdk.ts'))
  const tickets: Plugin = (await import(pathToFileURL(join(folder, 'plugin.ts')).href)).default
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return { folder, files, tickets }
}

/** A database with the tables of these plugins. */
export async function freshWith(plugins: Plugin[]) {
  const copy = await fresh()
  await migrate(copy.owner, { role, plugins })
  return copy
}
