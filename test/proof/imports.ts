import { readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { root } from '../../src/platform/root.ts'
import { testFiles } from './files.ts'

/** What more test files than this import is tried by each of them: it counts as nobody's own. */
const common = 40

/** The files of the repository that a file names: by import, or as a program to start. */
function importsOf(file: string): string[] {
  const known = found.get(file)
  if (known) return known
  const text = readFileSync(join(root, file), 'utf8')
  const relative = [...text.matchAll(/(?:from|import\(|import) ?'(\.{1,2}\/[^']+)'/g)].map(([, path = '']) => path)
  const started = [...text.matchAll(/import\.meta\.dirname, ((?:'[^']+'(?:, )?)+)/g)].map(([, parts = '']) =>
    join(...[...parts.matchAll(/'([^']+)'/g)].map(([, part = '']) => part)),
  )
  const paths = [...relative, ...started].map(path => normalize(join(dirname(file), path)))
  const named = [...new Set(paths)].filter(isFile)
  found.set(file, named)
  return named
}
const found = new Map<string, string[]>()

const isFile = (path: string) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile() ?? false

/**
 * What a test file is about: itself and its helpers, what they import by name, and the plugin or folder of `src` that it
 * lies in. What the product imports further is not followed: from there on everything leads to everything.
 */
function subjectsOf(file: string): Set<string> {
  const known = subjects.get(file)
  if (known) return known
  const files = new Set([file])
  for (const it of files) {
    if (!it.startsWith('test/') && it !== file) continue
    for (const imported of importsOf(it)) if (importers(imported) <= common) files.add(imported)
  }
  subjects.set(file, files)
  return files
}
const subjects = new Map<string, Set<string>>()

/** Whether one of these paths is what this test file is about. */
export function isTouched(file: string, changed: string[]): boolean {
  const [files, folder] = [subjectsOf(file), ownFolder(file)]
  return changed.some(it => files.has(it) || (folder !== undefined && it.startsWith(folder) && isPartOf(it, file)))
}

/** Another test file of the same folder changes nothing for this one. */
const isPartOf = (changed: string, file: string) => changed === file || !changed.endsWith('.test.ts')

/** `plugins/tasks/` and `src/auth/`; tests elsewhere say by their imports what they are about. */
const ownFolder = (file: string) => /^(?:plugins|src|docs\/crms)\/[\w-]+\//.exec(file)?.[0]

/** How many test files import it, themselves or by their helpers. */
function importers(file: string): number {
  counts ??= countImporters()
  return counts.get(file) ?? 0
}
let counts: Map<string, number> | undefined

function countImporters(): Map<string, number> {
  const counted = new Map<string, number>()
  for (const test of testFiles()) {
    const reached = new Set([test])
    for (const it of reached)
      if (it === test || it.startsWith('test/')) for (const imported of importsOf(it)) reached.add(imported)
    for (const it of reached) counted.set(it, (counted.get(it) ?? 0) + 1)
  }
  return counted
}
