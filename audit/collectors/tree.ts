import { type Dirent, existsSync } from 'node:fs'
import { open, readdir, readFile, realpath } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { anyName, either } from '../patterns.ts'
import { ignoreRules } from './ignore.ts'

export interface SourceFile {
  /** From the root of the tree, with `/`. */
  path: string
  text: string
}

export interface Tree {
  files: SourceFile[]
  /** How many files are in languages that the audit does not read. */
  unread: number
  /** What could not be read, in sentences. */
  notes: string[]
}

/** Nobody writes larger files by hand. */
const largest = 2 * 1024 * 1024

/** Reads every source file of a tree once, and nothing else of it. Symbolic links are not followed. */
export async function readTree(root: string, progress: (files: number) => void = () => {}): Promise<Tree> {
  if (!existsSync(root)) throw new Error(`There is no directory ${root}.`)
  const top = await realpath(root)
  const found: string[] = []
  const notes: string[] = []
  await walk(top, ignoreRules(top, ''), found, notes, path => relative(top, path).split(sep).join('/'))
  found.sort()
  const unread = takeUnread(found, notes)

  const files: SourceFile[] = []
  let done = 0
  for (let from = 0; from < found.length; from += 64) {
    const read = await Promise.all(found.slice(from, from + 64).map(path => readSource(join(top, path), path, notes)))
    files.push(...read.filter(it => it !== undefined))
    done += read.length
    progress(done)
  }
  if (!files.length) notes.push('No source file that the audit can read is in the directory.')
  return { files, unread, notes }
}

/** Takes the files of other languages from those found, and says how many there are of each. */
function takeUnread(found: string[], notes: string[]): number {
  const unread = found.filter(it => !isSource(it))
  const kept = found.filter(isSource)
  found.splice(0, found.length, ...kept)
  const languages = Map.groupBy(unread, it => otherLanguages[extname(it).toLowerCase()]!)
  for (const [language, { length }] of languages)
    notes.push(`${length} ${length === 1 ? 'file' : 'files'} of ${language} ${length === 1 ? 'was' : 'were'} not read.`)
  return unread.length
}

type Ignored = (path: string, directory: boolean) => boolean

async function walk(
  directory: string,
  ignored: Ignored,
  found: string[],
  notes: string[],
  name: (p: string) => string,
) {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => {
    notes.push(`The directory ${name(directory)} cannot be read.`)
    return [] as Dirent[]
  })
  const own = ignoreRules(directory, name(directory))
  const out: Ignored = (path, isDirectory) => ignored(path, isDirectory) || own(path, isDirectory)
  for (const entry of entries) {
    const path = join(directory, entry.name)
    const short = name(path)
    if (entry.isDirectory()) {
      if (!skippedDirectories.test(entry.name) && !out(short, true)) await walk(path, out, found, notes, name)
    } else if (entry.isFile() && (isSource(short) || isUnread(short)) && !out(short, false)) found.push(short)
  }
}

/** Directories that hold no source of the CRM's own. */
const skippedDirectories = anyName(
  /\..+/,
  'node_modules bower_components vendor vendors third_?party dist build out target coverage',
  '__pycache__ venv env site-packages',
  /[\w.]+\.(Unit|Integration|Functional)?Tests?/,
  'tests? __tests__ __mocks__ specs? e2e fixtures cypress storybook',
  'locales? lang langs languages translations i18n l10n',
  'tmp temp logs? cache docs? examples? samples? patches screenshots android ios stubs factories benchmarks?',
)

const isSource = (path: string) =>
  (sourceExtensions.has(extname(path).toLowerCase()) || manifests.test(basename(path))) && !notSource.test(path)

/** Code of servers in languages that the audit does not read. */
const isUnread = (path: string) => extname(path).toLowerCase() in otherLanguages && !notSource.test(path)

const otherLanguages: Record<string, string> = {
  '.scala': 'Scala',
  '.groovy': 'Groovy',
  '.clj': 'Clojure',
  '.rs': 'Rust',
  '.pl': 'Perl',
}

const manifests = /^(Gemfile|Pipfile|requirements[\w-]*\.txt|go\.mod)$/

const code = '.ts .tsx .mts .cts .js .jsx .mjs .cjs .vue .svelte .php .inc .py .rb .sql .prisma .graphql .graphqls .gql'
const compiled = '.java .kt .kts .gradle .go .ex .exs .cs .csproj'
const data = '.json .yml .yaml .toml .xml'
const templates = '.ejs .erb .twig .blade .html .hbs .haml .slim'
const sourceExtensions = new Set(`${code} ${compiled} ${data} ${templates}`.split(' '))

const madeByTools = /\.min\.|\.bundle\.|\.d\.[cm]?ts$/
const tests = either(
  /[._-](test|spec|stories|e2e)\.[a-z]+$/,
  /(^|\/)(test|spec)_\w+\.(py|rb)$/,
  /_(test|spec)\.(py|rb|go|exs)$/,
  /Tests?\.(java|kt|cs)$|IT\.java$|\.(Designer|g)\.cs$|\.pb\.go$/,
)
const lockFiles = /(^|\/)(package-lock|composer\.lock|yarn|pnpm-lock|npm-shrinkwrap)/
/** Files that nobody wrote, and tests. */
const notSource = new RegExp(`(${either(madeByTools, tests, lockFiles, /\.generated\.|\.lock$|Test\.php$/).source})`)

async function readSource(path: string, short: string, notes: string[]): Promise<SourceFile | undefined> {
  try {
    const file = await open(path)
    let bytes: Buffer
    try {
      const { size } = await file.stat()
      if (size > largest) {
        notes.push(`${short} was not read: it is ${Math.round(size / 1024 / 1024)} MB large.`)
        return undefined
      }
      bytes = await readFile(file)
    } finally {
      await file.close()
    }
    const text = decoded(bytes)
    return generated(text, short) ? undefined : { path: short, text }
  } catch (error) {
    notes.push(`${short} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
    return undefined
  }
}

/** A file that is not UTF-8 is taken for Latin-1, in which every byte is a letter. */
function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}

/** Whether a file says that it is generated, or has lines that nobody writes. */
function generated(text: string, path: string): boolean {
  if (/@generated|DO NOT EDIT|auto-?generated (file|by)/i.test(text.slice(0, 500)) && !path.endsWith('schema.rb'))
    return true
  if (/\.(json|sql|ya?ml)$/.test(path)) return false
  const lines = text.length > 20_000 ? text.split('\n', 50) : []
  return lines.some(line => line.length > 8_000)
}
