// One server of the bench: the portal with everything on, or the floor, a bare Express handler with the same SQL and
// the same HTML and nothing else. Says its port to the parent process.
import type { AddressInfo } from 'node:net'
import express from 'express'
import { adapter } from '../demo/adapter/adapter.ts'
import { staff } from '../demo/mount.ts'
import { connectPortal } from '../demo/portal-database.ts'
import { shown } from '../src/answer.ts'
import { createPortal } from '../src/index.ts'
import { sections } from '../src/sections.ts'

const [, , kind, url = '', password = ''] = process.argv
const database = connectPortal(url, password, { min: 0, max: 10 })
let visit: Express.Request['portal'] | undefined
let rows: object | undefined

/** What the portal knew of a first request is what the floor renders with ever after. */
const watched = sections.map(section => ({
  ...section,
  routes(router: express.Router) {
    if (kind === 'floor')
      router.use((req, res, next) => {
        const { answer } = res
        res.answer = (view, data) => {
          visit ??= req.portal
          rows ??= data
          answer(view, data)
        }
        next()
      })
    section.routes(router)
  },
}))

const portal = await createPortal({
  database,
  crm: adapter(database),
  flags: { anywhere: () => true, enabled: () => true },
  staff,
  secrets: ['a secret of at least thirty-two characters'],
  log: { info() {}, warn() {}, error: console.error },
  sections: watched,
})

const app = express()
app.get('/floor', async (_req, res) => {
  if (!visit) return void res.status(503).end()
  const { invoices } = visit.crm
  const [page, overview] = await Promise.all([invoices.list({ sort: 'urgent', size: 20 }), invoices.overview()])
  res.type('html').send(shown(visit, 'invoices/list', { ...rows, overview, ...page }))
})
app.use('/portal', portal.clients)
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
