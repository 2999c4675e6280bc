import express, { type Router } from 'express'
import { z } from 'zod'
import { deskOf } from '../desk.ts'

const optional = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .default('')
    .transform(value => value || null)

const settingsForm = z.object({
  name: z.string().trim().min(1).max(120),
  legal_name: z.string().trim().min(1).max(160),
  address_line1: z.string().trim().min(1).max(160),
  address_line2: optional(160),
  postcode: z.string().trim().min(1).max(20),
  city: z.string().trim().min(1).max(80),
  email: z.email().max(254),
  phone: optional(40),
  vat_no: optional(40),
  iban: optional(40),
  bic: optional(11),
  bank_name: optional(120),
  account_no: optional(34),
  bank_code: optional(20),
  colour: z
    .string()
    .toLowerCase()
    .regex(/^#[0-9a-f]{6}$/),
})

const columns = Object.keys(settingsForm.shape)

export function settingsPages(): Router {
  const pages = express.Router()

  pages.get('/', async (request, response) => {
    const { database, workspaceId, staff } = deskOf(request)
    const values = await database('workspaces').where('id', workspaceId).first(columns)
    response.render('settings', { values, mayChange: staff.isAdmin, problem: '' })
  })

  pages.post('/', async (request, response) => {
    const { database, workspaceId, staff } = deskOf(request)
    const values = request.body ?? {}
    if (!staff.isAdmin) {
      return response
        .status(403)
        .render('settings', { values, mayChange: false, problem: 'Only an administrator may change this.' })
    }
    const parsed = settingsForm.safeParse(values)
    if (!parsed.success) {
      const problem = `Please check: ${[...new Set(parsed.error.issues.map(issue => issue.path.join('.')))].join(', ')}`
      return response.status(422).render('settings', { values, mayChange: true, problem })
    }
    await database('workspaces').where('id', workspaceId).update(parsed.data)
    response.redirect(303, '/settings')
  })

  return pages
}
