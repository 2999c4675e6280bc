import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { within } from '../database.ts'
import { Invalid, NotFound } from '../errors.ts'
import { read } from '../form.ts'
import { anyMember, type Section, stepUp } from '../section.ts'
import { personal, revoke, tokensOf } from './tokens.ts'

interface Parts {
  database: Knex
  sections: Section[]
}

/** The tokens that a person has for programs: which there are, a new one, and the end of one. */
export function tokens({ database, sections }: Parts): Router {
  const router = Object.assign(Router(), { at: '/account/tokens' })
  const labels = new Map(
    sections.flatMap(it => Object.entries(it.permissions).map(([name, { label }]) => [name, label])),
  )

  const show: RequestHandler<any> = async (req, res) => {
    const { workspace, customer } = req.portal
    const list = await within(database, { workspace: workspace.id }, tx =>
      tokensOf(tx, workspace.id, customer.person.id),
    )
    res.answer('account/tokens', {
      tokens: list,
      labels,
      scopes: req.portal.allowed().map(name => [name, labels.get(name)]),
      ended: req.query.ended === '',
      made: (req as Shown).made,
      address: `${req.portal.url('')}/api/v1`,
    })
  }

  router.get('/', anyMember, show)

  router.post(
    '/',
    anyMember,
    stepUp('account.tokens'),
    async (req, res, next) => {
      const form = read(Making, req)
      const { workspace, customer } = req.portal
      const scopes = form.scopes.filter(it => req.portal.allowed().includes(it))
      if (!scopes.length) throw new Invalid({ scopes: ['Tick what the program may do.'] }, form)
      const its = { workspace: workspace.id, person: customer.person.id, client: customer.client.id }
      const token = await within(database, { workspace: workspace.id }, async tx => {
        const made = await personal(tx, its, { ...form, scopes })
        await note(tx, req, { event: 'account.token-made', subject: { name: form.name } })
        return made
      })
      // It is told this once, in the answer itself: no address has it, and nothing keeps it.
      Object.assign(req, { made: { token, name: form.name } } satisfies Shown)
      return show(req, res, next)
    },
    otherwise(show),
  )

  router.post('/:token/end', anyMember, async (req, res) => {
    const { workspace, customer } = req.portal
    const id = z.uuid().safeParse(req.params.token).data
    await within(database, { workspace: workspace.id }, async tx => {
      const name = id && (await revoke(tx, workspace.id, id, customer.person.id))
      if (name === undefined) throw new NotFound()
      await note(tx, req, { event: 'account.token-ended', subject: { name } })
    })
    res.redirect(303, req.portal.url('/account/tokens?ended'))
  })

  return router
}

interface Shown {
  made?: { token: string; name: string }
}

const Making = z.object({
  name: z.string('Say what it is for.').trim().min(1, 'Say what it is for.').max(100, 'Use at most 100 characters.'),
  days: z.coerce.number('Choose how long it is good.').pipe(z.literal([30, 90, 365], 'Choose how long it is good.')),
  scopes: z
    .union([z.string().transform(it => [it]), z.array(z.string())], 'Tick what the program may do.')
    .optional()
    .default([]),
})
