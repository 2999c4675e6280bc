// One server of the bench: the portal with everything on, and beside it the floors: for each page a bare Express
// handler with the same SQL and the same HTML and nothing else. Says its port to the parent process.
import type { AddressInfo } from 'node:net'
import express, { type RequestHandler } from 'express'
import { adapter } from '../demo/adapter/adapter.ts'
import { staff } from '../demo/mount.ts'
import { connectPortal } from '../demo/portal-database.ts'
import { home } from '../src/home/home.ts'
import { shown } from '../src/http/respond.ts'
import { createPortal } from '../src/index.ts'
import { allowLoopback } from '../src/platform/outgoing.ts'
import { sections } from '../src/plugin/discover.ts'
import type { Host } from '../src/plugin/plugin.ts'

const [, , url = '', password = '', mailUrl] = process.argv
const database = connectPortal(url, password, { min: 0, max: 10 })
if (process.env.LOOPBACK) allowLoopback()
const log = { info() {}, warn() {}, error: console.error }

/** What the portal knew of the first request is what the floors work with ever after. */
let visit: Express.Request['portal'] | undefined
const handlers = new Map<string, RequestHandler<any>>([
  ['/', home({ crm: adapter(database), database, sections, log })],
])

const watched = sections.map(section => ({
  ...section,
  routes(router: express.Router, host: Host) {
    const capture: RequestHandler = (req, _res, next) => {
      visit ??= req.portal
      next()
    }
    const get = router.get.bind(router) as (...of: any[]) => any
    router.get = ((path: string, ...its: RequestHandler[]) => {
      handlers.set(`/${section.name}${path}`, its.at(-1)!)
      const [rule, ...rest] = its
      return get(path, rule, capture, ...rest)
    }) as never
    section.routes(router, host)
  },
}))

const portal = await createPortal({
  database,
  crm: adapter(database),
  flags: { enabledAnywhere: () => true, enabled: () => true },
  staff,
  secrets: ['a secret of at least thirty-two characters'],
  log,
  mail: mailUrl ? { url: mailUrl, from: 'portal@example.com' } : undefined,
  address: 'http://127.0.0.1/portal',
  sections: watched,
})

const floor =
  (path: string): RequestHandler<any> =>
  (req, res, next) => {
    if (!visit) return void res.status(503).end()
    const known = visit
    const respond = (view: string, data: object) => res.type('html').send(shown(known, view, data))
    return handlers.get(path)?.(
      Object.create(req, { portal: { value: known }, params: { value: req.params } }),
      Object.create(res, { respond: { value: respond } }),
      next,
    )
  }

const app = express()
app.post('/floor/acceptance/:id', async (req, res) => {
  await database.transaction(async tx => {
    await tx('public.proposals')
      .where({ id: req.params.id, state: 'sent' })
      .update({ state: 'accepted', answered_by: 'N' })
  })
  res.redirect(303, '/')
})
app.get('/floor/invoices', floor('/invoices/'))
app.get('/floor/invoices/:id', floor('/invoices/:id'))
app.get('/floor', floor('/'))
app.use('/portal', portal.clients)
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
