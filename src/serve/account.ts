import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { otherwise } from '../answer.ts'
import type { Limits } from '../auth/limits.ts'
import { hashed, weakness } from '../auth/passwords.ts'
import { query } from '../database.ts'
import { Invalid, NotFound } from '../errors.ts'
import { read } from '../form.ts'
import { anyStaff } from '../section.ts'
import { changing, settle } from './holders.ts'
import { presentIn } from './session.ts'
import type { StaffOf } from './staff.ts'

interface Parts {
  database: Knex
  limits: Limits
  staff: StaffOf
}

/** How staff of a portal that stands alone sign in. A password of the CRM's is changed there. */
export function staffAccount({ database, limits, staff }: Parts): Router {
  const router = Object.assign(Router(), { at: '/account' })

  const show: RequestHandler = (req, res) => {
    const { email, own, app, passkey } = presentIn(req)
    res.answer('staff/account', { email, own, app, passkey, saved: req.query.saved })
  }

  router.get('/', anyStaff, show)

  router.post(
    '/password',
    anyStaff,
    async (req, res) => {
      const { workspace } = req.portal
      const { id, name, email, own } = presentIn(req)
      if (!own) throw new NotFound()
      const { current, password } = read(Passwords, req)
      const succeeded = await limits.count(req, { account: `change ${id}` })
      const known = await staff.verify(workspace, email, current)
      if (known?.id !== id) throw new Invalid({ current: ['This is not your password.'] }, {})
      await succeeded()
      const weak = await weakness(password, [name, email, workspace.name])
      if (weak) throw new Invalid({ password: [weak] }, {})
      const hash = await hashed(password)
      await changing({ database, staff }, req, async tx => {
        await query(tx, {
          text: 'update portal.client_staff set password_hash = $3 where workspace_id = $1 and id = $2',
          values: [workspace.id, id, hash],
        })
        await settle(staff, tx, req, { event: 'account.password-changed' })
      })
      res.redirect(303, req.portal.url('/account?saved=password'))
    },
    otherwise(show),
  )

  return router
}

const Passwords = z.object({
  current: z.string('Type your password.').min(1, 'Type your password.'),
  password: z.string('Choose a password.').min(1, 'Choose a password.'),
})
