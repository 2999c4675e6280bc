// Writes portico.css (what the views use of Tabler, and source.css) and icons.svg (the icons that the views name).
// Run it after a change of views or of source.css: npm run assets
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { transform } from 'lightningcss'
import { PurgeCSS } from 'purgecss'

const here = import.meta.dirname
const { resolve } = createRequire(import.meta.url)
const files = globSync(['views/**/*.ejs', 'plugins/**/*.{ejs,ts}', 'src/**/*.ts'], { cwd: join(here, '..') })
  .filter(it => !it.endsWith('.test.ts'))
  .sort()
const texts = files.map(it => readFileSync(join(here, '..', it), 'utf8'))
const own = readFileSync(join(here, 'source.css'), 'utf8')

export async function stylesheet(): Promise<string> {
  const [used] = await new PurgeCSS().purge({
    content: texts.map(raw => ({ raw, extension: 'html' })),
    css: [resolve('@tabler/core/dist/css/tabler.css')],
    extractors: [{ extensions: ['html'], extractor: names }],
    safelist: ['dir', 'rtl', 'data-bs-theme', 'dark', 'light'],
    keyframes: true,
  })
  const tabler = used?.css.replace('@charset "UTF-8";', '') ?? ''
  const css = `@layer tabler, portico;\n@layer tabler {${withoutIdle(tabler)}}\n${own}`
  const { code } = transform({ filename: 'portico.css', code: Buffer.from(css), minify: true })
  return `${code}\n`
}

/** Each icon that a view or a section names, once; the name is its id. */
export function icons(): string {
  const named = texts.flatMap(text => [
    ...[...text.matchAll(/icon\(([^)]*)\)/g)].flatMap(it => [...(it[1] ?? '').matchAll(/'([a-z-]+)'/g)].map(m => m[1])),
    ...[...text.matchAll(/icon: '([a-z-]+)'/g)].map(it => it[1]),
    ...[...text.matchAll(/\['(?:green|red|blue|yellow|secondary)', '([a-z-]+)'/g)].map(it => it[1]),
  ])
  const symbols = [...new Set(named)]
    .filter(it => it !== 'flip')
    .sort()
    .map(name => {
      const svg = readFileSync(resolve(`@tabler/icons/outline/${name}.svg`), 'utf8')
      const inner = svg
        .replace(/<!--.*?-->/gs, '')
        .replace(/<\/?svg[^>]*>/g, '')
        .replace(/<path stroke="none"[^>]*>/, '')
        .replace(/\s*\n\s*/g, '')
      return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`
    })
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`
}

/** Tags, classes and attributes; a class may be made of a word that a view chooses, so quoted words count too. */
function names(source: string) {
  const tags = [...source.matchAll(/<([a-z][a-z0-9]*)/g)].map(it => it[1] ?? '')
  const classes = [...source.matchAll(/class="((?:[^"<]|<%.*?%>)*)"/gs)].flatMap(it =>
    (it[1] ?? '').split(/[\s'<>%=?:]+/),
  )
  const attributes = [...source.matchAll(/\s(type|role|dir|disabled|checked|selected)(?:="([^"]*)")?/g)].flatMap(it => [
    it[1] ?? '',
    it[2] ?? '',
  ])
  const badges = ['green', 'red', 'blue', 'yellow', 'secondary'].map(it => `bg-${it}-lt`)
  const alerts = ['success', 'warning', 'danger'].map(it => `alert-${it}`)
  return [...new Set([...tags, ...classes, ...attributes, ...badges, ...alerts])].filter(Boolean)
}

/** Tabler declares hundreds of custom properties; those that nothing reads go, until none is left. */
function withoutIdle(css: string): string {
  const read = new Set([...(css + own).matchAll(/var\(\s*(--[\w-]+)/g)].map(it => it[1]))
  const next = css.replace(/(^|[;{]\s*)(--tblr-[\w-]+)\s*:[^;{}]*;/g, (all, before, name) =>
    read.has(name) ? all : before,
  )
  return next === css ? css : withoutIdle(next)
}

if (import.meta.main) {
  writeFileSync(join(here, 'portico.css'), await stylesheet())
  writeFileSync(join(here, 'icons.svg'), icons())
}
