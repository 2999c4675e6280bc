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

/** What a source tree says. Nothing in it is run or changed. */
export async function readSource(directory: string, progress: (text: string) => void = () => {}): Promise<Facts> {
  const { files, notes } = await readTree(directory, count => progress(`source: ${count} files read`))
  const facts = { ...noFacts(), looked: { database: false, source: true, http: false }, notes }
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
    if (!/\.([cm]?[jt]sx?|vue|svelte)$/.test(file.path) || !telling.test(file.text)) continue
    const script = readScript(file)
    if (script) scripts.set(file.path, script)
    else unread++
  }
  if (unread) notes.push(`${unread} JavaScript or TypeScript files are not valid and were left out.`)
  return scripts
}

/** A file without any of these has neither tables nor routes, nor anything that a route leads to. */
const telling = /\b(import|require|export|module|express|router|knex|schema|sequelize|Entity|Route|app\.)\b/
