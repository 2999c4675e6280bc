import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ejs from 'ejs'
import { root } from './root.ts'

type Template = (locals: object) => string

/** `views/<section>/x.ejs` comes before a section's own. */
const folders = [join(root, 'views'), join(root, 'plugins')]
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

const folderOf = (view: string) => folders.find(it => existsSync(join(it, `${view}.ejs`)))

const there = new Map<string, boolean>()
/** Whether there is a view of this name. */
export function hasView(view: string): boolean {
  const known = there.get(view) ?? folderOf(view) !== undefined
  there.set(view, known)
  return known
}

function flat(view: string): string {
  const folder = folderOf(view)
  if (!folder) throw new Error(`There is no view ${view}.ejs in views/ or plugins/.`)
  const source = readFileSync(join(folder, `${view}.ejs`), 'utf8')
  return source.replace(/<%-\s*include\('([^']+)'\)\s*-?%>\n?/g, (_all, other) => flat(other))
}
