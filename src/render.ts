import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ejs from 'ejs'
import { root } from './root.ts'

type Template = (locals: object) => string

/** Views that everybody uses, and `<plugin>/x` in place of a plugin's own. */
const shared = join(root, 'views')
/** Where the views of each plugin are, by its name. */
const own = new Map<string, string>()

/** From now on `<name>/x` is `x.ejs` in this folder. Throws where the name has another folder already. */
export function addViews(name: string, folder: string) {
  const before = own.get(name)
  if (before && before !== folder)
    throw new TypeError(`createPortal: two plugins have the name ${name}: ${before} and ${folder}.`)
  own.set(name, folder)
}

const templates = new Map<string, Template>()

/**
 * A view as text. Whatever is in `locals` is a variable in it. It is compiled once for each set of names, so that it
 * needs no `with`. `include('x')` is pasted in, so that a row costs no look-up; `part('x', { … })` is a view of its own
 * with more to know.
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
    _with: false,
    destructuredLocals: names,
    filename: `${view}.ejs`,
    compileDebug: process.env.NODE_ENV !== 'production',
  }) as unknown as Template
}

function fileOf(view: string): string | undefined {
  const [plugin = '', ...rest] = view.split('/')
  const folder = own.get(plugin)
  const files = [join(shared, `${view}.ejs`), ...(folder ? [join(folder, `${rest.join('/')}.ejs`)] : [])]
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
  return source.replace(/<%-\s*include\('([^']+)'\)\s*-?%>\n?/g, (_all, other) => flat(other))
}
