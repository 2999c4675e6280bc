import type { RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { recordEvent, recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import { anyMember, stepUp } from '../../src/plugin/permissions.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { sendOwnFile, sendOwnFiles, sumOf } from './files.ts'
import { daySeconds } from './jobs.ts'
import {
  alone,
  askDeletion,
  askExport,
  deletionOf,
  exportOf,
  ownerOf,
  takeExport,
  withdrawDeletion,
} from './requests.ts'

/** How long one may change one's mind. */
const daysToReturn = 14

/** One's own data: a copy of it, and its end. */
export function dataRoutes(router: Router, host: Host) {
  const { database } = host
  const show = showData(database)
  const showAgain = showAgainOnError(show)

  router.get('/', anyMember, show)
  router.post('/copy', anyMember, stepUp('account.data'), requestCopy(host), showAgain)
  router.get('/copy/:copy', anyMember, stepUp('account.data'), sendCopy(database))
  router.get('/files', anyMember, stepUp('account.data'), sendOwnFiles(host))
  router.get('/files/:file', anyMember, stepUp('account.data'), sendOwnFile(host))
  router.post('/deletion', anyMember, stepUp('account.data'), requestDeletion(host), showAgain)
  router.post('/deletion/withdrawal', anyMember, keepAccount(database))
}

const showData =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const owner = ownerOf(req)
    const { workspace, person } = owner
    const data = await within(database, { workspace }, async tx => ({
      copy: await exportOf(tx, owner),
      deletion: await deletionOf(tx, workspace, person),
      alone: await alone(tx, workspace, person),
    }))
    const sent = await sumOf(database, owner)
    res.respond('privacy/data', { ...data, sent, asked: req.query.asked === '', kept: req.query.kept === '' })
  }

const requestCopy =
  ({ database, jobs }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, person } = ownerOf(req)
    const { client } = req.portal.customer
    const sections = req.portal.nav.map(it => it.name)
    await within(database, { workspace }, async tx => {
      const id = await askExport(tx, { workspace, person, client: client.id, sections })
      await jobs.queue(tx, { job: 'privacy.export', workspace: req.portal.workspace, data: { id } })
      await recordEventIn(tx, req, { event: 'account.copy-asked' })
    })
    jobs.wake()
    res.redirect(303, req.portal.url('/account/data?asked'))
  }

const sendCopy =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const owner = ownerOf(req)
    const id = z.uuid().safeParse(req.params.copy).data
    if (!id) throw new NotFound()
    const bytes = await within(database, owner, tx => takeExport(tx, owner, id))
    await recordEvent(req, { event: 'account.copy-taken' })
    res.attachment(`${req.portal.workspace.slug}-${req.portal.customer.today}.zip`)
    res.set('Cache-Control', 'private, no-store').type('application/zip').send(bytes)
  }

const requestDeletion =
  ({ database, jobs }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, person } = ownerOf(req)
    const end = { job: 'privacy.end', workspace: req.portal.workspace, seconds: daysToReturn * daySeconds }
    await within(database, { workspace }, async tx => {
      if ((await alone(tx, workspace, person)).length) throw new Conflict()
      const { id } = await askDeletion(tx, workspace, person, daysToReturn)
      await jobs.queue(tx, { ...end, data: { id } })
      await recordEventIn(tx, req, { event: 'account.deletion-asked' })
    })
    res.redirect(303, req.portal.url('/account/data'))
  }

const keepAccount =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, person } = ownerOf(req)
    await within(database, { workspace }, async tx => {
      if (await withdrawDeletion(tx, workspace, person))
        await recordEventIn(tx, req, { event: 'account.deletion-withdrawn' })
    })
    res.redirect(303, req.portal.url('/account/data?kept'))
  }
