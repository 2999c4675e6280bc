// How long the audit takes for a million lines and 1,000 tables, and how much memory.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { audit } from '../audit/index.ts'

const files = 5_000
const root = mkdtempSync(join(tmpdir(), 'portico-bench-'))
let lines = 0

mkdirSync(join(root, 'routes'))
for (let at = 0; at < files; at++) put(`routes/module${at}.js`, moduleOf(at))
put('schema.sql', Array.from({ length: 1_000 }, (_, at) => tableOf(at)).join('\n'))

const began = performance.now()
await audit({ source: root })
const seconds = (performance.now() - began) / 1000
const { maxRSS } = process.resourceUsage()
console.log(
  `audit ${seconds.toFixed(1)} s, ${Math.round(maxRSS / 1024)} MB (${lines} lines, ${files + 1} files, 1000 tables)`,
)
rmSync(root, { recursive: true })

function put(path: string, text: string) {
  writeFileSync(join(root, path), text)
  lines += text.split('\n').length
}

function moduleOf(at: number): string {
  const routes = Array.from(
    { length: 20 },
    (_, route) => `router.get('/items${at}/${route}/:id', signedIn, async (req, res) => {
  const row = await knex('table${at % 1000}').where({ id: req.params.id, owner: req.user.id }).first()
  if (!row) return res.status(404).end()
  const total = row.lines
    .filter(line => line.quantity > 0)
    .map(line => line.quantity * line.price)
    .reduce((sum, one) => sum + one, 0)
  res.json({ ...row, total })
})
`,
  )
  return `const router = require('express').Router()\n${routes.join('\n')}\nmodule.exports = router\n`
}

function tableOf(at: number): string {
  return `create table table${at} (
  id integer primary key,
  parent_id integer references table${at === 0 ? 0 : at - 1} (id),
  name text not null,
  status text check (status in ('open', 'done')),
  total numeric(12, 2)
);`
}
