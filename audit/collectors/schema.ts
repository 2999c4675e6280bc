import { basename } from 'node:path'
import type { Table } from '../model.ts'
import type { Script } from './javascript.ts'
import type { Class } from './pieces.ts'
import { type Change, replay } from './schema/changes.ts'
import { compiledChanges } from './schema/compiled.ts'
import { doctrineChanges } from './schema/doctrine.ts'
import { migrationChanges } from './schema/knex.ts'
import { metadataChanges } from './schema/metadata.ts'
import { modelChanges } from './schema/models.ts'
import { phpChanges } from './schema/php.ts'
import { prismaChanges } from './schema/prisma.ts'
import { pythonChanges } from './schema/python.ts'
import { railsChanges } from './schema/rails.ts'
import { sqlChanges } from './schema/sql.ts'
import type { SourceFile } from './tree.ts'

/** The schema that a source tree makes: dumps first, then migrations in their order, then what the models add. */
export function readSchema(files: SourceFile[], scripts: Map<string, Script>): Table[] {
  const classes = new Map([...scripts.values()].flatMap(it => it.classes).map(it => [it.name, it]))
  const dumped = files.some(it => /(^|\/)db\/schema\.rb$/.test(it.path))
  const described = files
    .filter(it => !(dumped && /(^|\/)db\/migrate\//.test(it.path)))
    .map(file => ({ file, changes: changesOf(file, scripts.get(file.path), classes) }))
    .filter(it => it.changes.length)
    .map(it => ({ ...it, stage: stage(it.file.path), name: basename(it.file.path) }))
  described.sort(
    (a, b) => a.stage - b.stage || collator.compare(a.name, b.name) || collator.compare(a.file.path, b.file.path),
  )
  return replay([
    ...described.flatMap(it => it.changes),
    ...doctrineChanges(files),
    ...pythonChanges(files),
    ...compiledChanges(files),
  ])
}

const collator = new Intl.Collator('en', { numeric: true })

/** Dumps are replayed first (0), then migrations (1), then models (2). */
function stage(path: string): number {
  if (/schema[^/]*\.sql$|structure\.sql$|dump[^/]*\.sql$/.test(path)) return 0
  return /migrat|upgrade|\/sql\/|\/versions\//i.test(path) || /\.sql$/.test(path) ? 1 : 2
}

function changesOf(file: SourceFile, script: Script | undefined, classes: Map<string, Class>): Change[] {
  const { path, text } = file
  if (path.endsWith('.sql')) return /\btable\b/i.test(text) ? sqlChanges(file) : []
  if (path.endsWith('.prisma')) return prismaChanges(file)
  if (path.endsWith('.rb'))
    return /_table|add_column|add_reference|Schema\.define|Schema\[/.test(text) ? railsChanges(file) : []
  if (/\.(json|xml)$/.test(path)) return metadataChanges(file)
  if (/\.(php|inc)$/.test(path)) return [...metadataChanges(file), ...phpChanges(file)]
  return script ? [...migrationChanges(script), ...modelChanges(script, classes)] : []
}
