import { basename } from 'node:path'
import type { Facts } from '../model.ts'
import { noFacts } from '../model.ts'
import { classesOf } from './classes.ts'
import { readIdentities, readMentions } from './identities.ts'
import { readScript, type Script } from './javascript.ts'
import { modulesOf } from './modules.ts'
import { readPackages } from './packages.ts'
import { readRoutes } from './routes.ts'
import { readSchema } from './schema.ts'
import { readTree, type SourceFile } from './tree.ts'

/** Reads the facts of a source tree. Runs and changes nothing in it. */
export async function readSource(directory: string, progress: (text: string) => void = () => {}): Promise<Facts> {
  const { files, notes, unread } = await readTree(directory, count => progress(`source: ${count} files read`))
  const facts: Facts = { ...noFacts(), looked: { database: false, source: true, http: false }, notes, unread }
  facts.paths = files.map(it => it.path).filter(isCode)
  facts.files = facts.paths.length
  facts.languages = languagesOf(facts.paths)
  facts.entrances = entrancesOf(files)
  progress('source: scripts')
  const scripts = readScripts(files, notes)
  const classes = classesOf(files)
  const modules = modulesOf(scripts, new Set(files.map(it => it.path)))
  progress('source: schema')
  facts.tables = readSchema(files, scripts)
  progress('source: routes')
  facts.routes = readRoutes(files, modules, classes)
  progress('source: identities')
  facts.identities = readIdentities(files, scripts, classes)
  facts.packages = readPackages(files)
  facts.mentions = readMentions(files)
  return facts
}

function readScripts(files: SourceFile[], notes: string[]): Map<string, Script> {
  const scripts = new Map<string, Script>()
  let unread = 0
  for (const file of files) {
    if (!/\.([cm]?[jt]sx?|vue|svelte)$/.test(file.path) || !relevantCode.test(file.text)) continue
    const script = readScript(file)
    if (script) scripts.set(file.path, script)
    else unread++
  }
  if (unread) notes.push(`${unread} JavaScript or TypeScript files are not valid and were left out.`)
  return scripts
}

const isCode = (path: string) => /\.([cm]?[jt]sx?|vue|svelte|php|inc|py|rb|java|kt|go|exs?|cs)$/.test(path)

const ofServers = ['php', 'py', 'rb', 'java', 'kt', 'go', 'ex', 'cs']

const languagesOf = (paths: string[]): Record<string, number> =>
  Object.fromEntries(ofServers.map(it => [it, paths.filter(path => path.endsWith(`.${it}`)).length]))

/** Files whose names say that guards or routes stand there; the shortest paths first. */
const entrancesOf = (files: SourceFile[]): string[] =>
  files
    .filter(it => isCode(it.path) && entrance.test(basename(it.path)))
    .map(it => `${it.path}:1`)
    .sort((a, b) => rank(a) - rank(b) || a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
    .slice(0, 10)

const entrance = /^(middleware|proxy|auth|guards?|security|session|routes?|router|urls|web|api|server|app|main)\.\w+$/i
const rank = (path: string) => (/(middleware|auth|guards?|security|session)\.\w+:/i.test(path) ? 0 : 1)

/** A file without any of these words has no tables, routes or handlers. */
const relevantCode = /\b(import|require|export|module|express|router|knex|schema|sequelize|Entity|Route|app\.)\b/
