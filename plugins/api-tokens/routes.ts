import type { RequestHandler, Router } from 'express'
import { z } from 'zod'
import { personal, revoke, tokensOf } from '../../src/api/tokens.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import { anyMember, stepUp } from '../../src/plugin/permissions.ts'
import type { Host } from '../../src/plugin/plugin.ts'

/** The tokens that a person has for programs: which there are, a new one, and the end of one. */
export function tokenRoutes(router: Router, { database, plugins }: Pick<Host, 'database' | 'plugins'>) {
  const labels = new Map(
    plugins.flatMap(it => Object.entries(it.permissions).map(([name, { label }]) => [name, label])),
  )

  const show: RequestHandler<any> = async (req, res) => {
    const { workspace, customer } = req.portal
    const list = await within(database, { workspace: workspace.id }, tx =>
      tokensOf(tx, workspace.id, customer.person.id),
    )
    res.respond('api-tokens/list', {
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
      if (!scopes.length) throw new Invalid({ scopes: ['Choose at least one permission.'] }, form)
      const its = { workspace: workspace.id, person: customer.person.id, client: customer.client.id }
      const token = await within(database, { workspace: workspace.id }, async tx => {
        const made = await personal(tx, its, { ...form, scopes })
        await recordEventIn(tx, req, { event: 'account.token-made', subject: { name: form.name } })
        return made
      })
      // The token is shown once, in this response. It is in no address and is not stored.
      Object.assign(req, { made: { token, name: form.name } } satisfies Shown)
      return show(req, res, next)
    },
    showAgainOnError(show),
  )

  router.post('/:token/end', anyMember, async (req, res) => {
    const { workspace, customer } = req.portal
    const id = z.uuid().safeParse(req.params.token).data
    await within(database, { workspace: workspace.id }, async tx => {
      const name = id && (await revoke(tx, workspace.id, id, customer.person.id))
      if (name === undefined) throw new NotFound()
      await recordEventIn(tx, req, { event: 'account.token-ended', subject: { name } })
    })
    res.redirect(303, req.portal.url('/account/tokens?ended'))
  })
}

interface Shown {
  made?: { token: string; name: string }
}

const Making = z.object({
  name: z.string('Enter a description.').trim().min(1, 'Enter a description.').max(100, 'Use at most 100 characters.'),
  days: z.coerce.number('Choose how long it is valid.').pipe(z.literal([30, 90, 365], 'Choose how long it is valid.')),
  scopes: z
    .union([z.string().transform(it => [it]), z.array(z.string())], 'Choose at least one permission.')
    .optional()
    .default([]),
})
