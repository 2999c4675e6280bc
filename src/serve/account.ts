import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Limits } from '../auth/limits.ts'
import { hashPassword, weakness } from '../auth/passwords.ts'
import { Invalid, NotFound } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { query } from '../platform/database.ts'
import { anyStaff } from '../plugin/permissions.ts'
import { changing, settle } from './factor-owners.ts'
import { presentIn } from './session.ts'
import type { StaffOf } from './staff.ts'

interface Parts {
  database: Knex
  limits: Limits
  staff: StaffOf
}

/** The account pages of stand-alone staff. A password of the CRM is changed in the CRM. */
export function staffAccount({ database, limits, staff }: Parts): Router {
  const router = Object.assign(Router(), { at: '/account' })

  const show: RequestHandler = (req, res) => {
    const { email, own, app, passkey } = presentIn(req)
    res.respond('staff/account', { email, own, app, passkey, saved: req.query.saved })
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
      const hash = await hashPassword(password)
      await changing({ database, staff }, req, async tx => {
        await query(tx, {
          text: 'update portal.client_staff set password_hash = $3 where workspace_id = $1 and id = $2',
          values: [workspace.id, id, hash],
        })
        await settle(staff, tx, req, { event: 'account.password-changed' })
      })
      res.redirect(303, req.portal.url('/account?saved=password'))
    },
    showAgainOnError(show),
  )

  return router
}

const Passwords = z.object({
  current: z.string('Enter your password.').min(1, 'Enter your password.'),
  password: z.string('Choose a password.').min(1, 'Choose a password.'),
})
