import { createHash } from 'node:crypto'
import type { Response } from 'express'

/** Text that is HTML already. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Html | Html[] | undefined | false

/** HTML with everything escaped that is put in, unless it is Html itself. */
export function html(parts: TemplateStringsArray, ...values: Part[]): Html {
  return new Html(parts.reduce((text, part, index) => text + shown(values[index - 1]) + part))
}

function shown(value: Part): string {
  if (value === undefined || value === false) return ''
  if (Array.isArray(value)) return value.map(each => each.text).join('\n')
  if (value instanceof Html) return value.text
  return String(value).replace(/[&<>"']/g, sign => entities[sign]!)
}
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const css = `
:root { color-scheme: light dark; --line: light-dark(#c9cdd3, #4a515c); --paper: light-dark(#fff, #1d2127);
  --ink: light-dark(#17202b, #eceff3); --soft: light-dark(#4d5866, #aeb7c2); --brand: light-dark(#17457a, #9cc4f5);
  --on-brand: light-dark(#fff, #10243d); --bad: light-dark(#a3161c, #ff9d9d); --warn: light-dark(#fff3c4, #4a3d0c) }
* { box-sizing: border-box }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: light-dark(#f3f4f6, #14171b) }
header.demo { background: var(--warn); padding: .6rem 1rem; text-align: center; font-weight: 600 }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
main.wide { max-width: 60rem }
h1 { font-size: 1.35rem; margin: 0 0 .25rem } h2 { font-size: 1.1rem; margin: 0 0 .75rem }
section, article { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem;
  margin-top: 1rem; overflow-wrap: anywhere }
.amount { font-size: 2rem; font-weight: 650; margin: 0; font-variant-numeric: tabular-nums }
.soft { color: var(--soft) } .problem { color: var(--bad); font-weight: 600 }
table { width: 100%; border-collapse: collapse } td, th { padding: .35rem 0; text-align: start; vertical-align: top }
td.num { text-align: end; white-space: nowrap; padding-inline-start: 1rem; font-variant-numeric: tabular-nums }
label { display: block; margin-top: .8rem; font-weight: 550 } label.check { display: flex; gap: .6rem; font-weight: 400 }
label.check input { width: 1.4rem; height: 1.4rem; flex: none }
input:not([type=checkbox]) { display: block; width: 100%; font: inherit; font-weight: 400; color: inherit; background: transparent;
  padding: .7rem; border: 1px solid light-dark(#7b8490, #87909c); border-radius: .4rem; margin-top: .2rem }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem }
button, a.button { display: inline-block; font: inherit; font-weight: 600; padding: .8rem 1.1rem; min-height: 3rem;
  border-radius: .4rem; cursor: pointer; border: 1px solid var(--line); background: var(--paper); color: var(--ink);
  text-decoration: none; text-align: center }
button.first, a.first { background: var(--brand); color: var(--on-brand); border-color: var(--brand) }
.tall button, .tall a.button { width: 100%; margin-top: 1rem }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-top: .8rem } .row form { margin: 0 }
.row label { margin: 0 } .row input { width: 8rem !important } .row button { min-height: 2.6rem; padding: .5rem .8rem }
button.small { min-height: 2.2rem; padding: .2rem .7rem }
button.plain { border: 0; background: none; color: var(--brand); text-decoration: underline }
.state { display: inline-block; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .7rem; font-weight: 600 }
a { color: var(--brand) } :focus-visible { outline: 3px solid var(--brand); outline-offset: 2px }
code { font-size: .9em } summary { cursor: pointer; padding: .4rem 0 } details { margin-top: .6rem }
`
const styleHash = createHash('sha256').update(css).digest('base64')

/** '23 Nov 2026, 11:50 UTC' of Unix seconds. */
export function showTime(seconds: number): string {
  const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  return `${format.format(seconds * 1000)} UTC`
}

interface Page {
  title: string
  body: Html
  wide?: boolean
  status?: number
  /** Where a form of this page may lead beside the page's own site. */
  leadsTo?: (string | null)[]
}

/** Sends a page: no scripts, nothing from elsewhere, and clearly no real bank. */
export function sendPage(response: Response, { title, body, wide, status = 200, leadsTo = [] }: Page): void {
  const origins = leadsTo.filter(url => url !== null).map(url => new URL(url.replaceAll(/[{}]/g, '')).origin)
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    ["form-action 'self'", ...new Set(origins)].join(' '),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  response.status(status).set({
    'Content-Security-Policy': policy.join('; '),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  })
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – Demo bank</title>
<style>${new Html(css)}</style>
</head>
<body>
<header class="demo">Demo bank: no real money</header>
<main${wide ? new Html(' class="wide"') : ''}>
${body}
</main>
</body>
</html>`
  response.type('html').send(page.text)
}
