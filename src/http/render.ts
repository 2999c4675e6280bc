import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ejs from 'ejs'
import { root } from '../platform/root.ts'

type Template = (locals: object) => string

/** The shared views. A file `<plugin>/x` there replaces the plugin's own view. */
const shared = join(root, 'views')
/** The view folders of each plugin, by its name: its own folder, then those shared with others. */
const own = new Map<string, readonly string[]>()

/**
 * Registers a plugin's view folders: `<name>/x` is `x.ejs` in the first folder that has it. Throws a TypeError if the
 * name is registered with another folder.
 */
export function addViews(name: string, folders: readonly [own: string, ...shared: string[]]) {
  const [folder] = folders
  const before = own.get(name)?.[0]
  if (before && before !== folder)
    throw new TypeError(`createPortal: two plugins have the name ${name}: ${before} and ${folder}.`)
  own.set(name, folders)
}

const templates = new Map<string, Template>()

/**
 * Renders a view. Each key of `locals` is a variable in it. A view is compiled once for each set of keys, so that it
 * needs no `with`. `include('x')` is inlined, so that a row costs no look-up, and `include('./x')` is the plugin's own
 * view next to it; `part('x', { … })` renders a separate view with extra variables.
 */
export function render(view: string, locals: object): string {
  const known = { ...locals, part: (other: string, more: object) => render(other, { ...locals, ...more }) }
  const names = Object.keys(known)
  const key = `${view} ${names}`
  let template = templates.get(key)
  if (!template) {
    template = compile(view, names)
    templates.set(key, template)
  }
  return template(known)
}

function compile(view: string, names: string[]): Template {
  return ejs.compile(flat(view), {
    strict: true,
    rmWhitespace: true, // views are indented; pages are not
    _with: false,
    destructuredLocals: names,
    filename: `${view}.ejs`,
    compileDebug: process.env.NODE_ENV !== 'production',
  }) as unknown as Template
}

function fileOf(view: string): string | undefined {
  const [plugin = '', ...rest] = view.split('/')
  const folders = own.get(plugin) ?? []
  const files = [join(shared, `${view}.ejs`), ...folders.map(it => join(it, `${rest.join('/')}.ejs`))]
  return files.find(it => existsSync(it))
}

const there = new Map<string, boolean>()
/** Whether there is a view of this name. */
export function hasView(view: string): boolean {
  const known = there.get(view) ?? fileOf(view) !== undefined
  there.set(view, known)
  return known
}

function flat(view: string): string {
  const file = fileOf(view)
  if (!file) throw new Error(`There is no view ${view}.ejs in views/, nor in the folder of a plugin.`)
  const source = readFileSync(file, 'utf8')
  return source.replace(/<%-\s*include\('([^']+)'\)\s*-?%>\n?/g, (_all, other) => flat(beside(view, other)))
}

/** Resolves `./x` in the view `proposals/show` to `proposals/x`. */
const beside = (view: string, other: string) => other.replace(/^\.\//, view.replace(/[^/]+$/, ''))
