import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { consentPlaceholders, Policy, policyName, signatureMethods } from '../evidence/policy.ts'
import { Conflict } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'

/** The form of the signing settings; each ticked method is sent. */
const Form = z.object({
  methods: z
    .union(
      [z.enum(signatureMethods).transform(it => [it]), z.array(z.enum(signatureMethods))],
      'Keep at least one signature method.',
    )
    .default([]),
  'was.signing': z.string().optional(),
  consent: z
    .string()
    .trim()
    .max(2_000, 'This is too long.')
    .refine(it => [...it.matchAll(/\{(\w*)\}/g)].every(([, name]) => consentPlaceholders.some(gap => gap === name)), {
      message: 'Only document, version, total and client can stand in braces.',
    })
    .default(''),
  next: z.string().trim().max(2_000, 'This is too long.').default(''),
  copies: z
    .union([z.literal(''), z.email('This is not a valid e-mail address.')], 'This is not a valid e-mail address.')
    .default(''),
})

export const showSigning =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const policy = await policyIn(database, req.portal.workspace.id)
    const typed = req.portal.problem ? Object(req.portal.body) : {}
    res.respond('settings/signing', {
      policy: { ...policy, ...typed, methods: [typed.methods ?? policy.methods].flat() },
      was: JSON.stringify(policy),
      all: signatureMethods,
      saved: req.query.saved === '',
    })
  }

export const saveSigning =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const form = read(Form, req)
    // A request without the `was` field is not our form and changes nothing.
    if (form['was.signing'] === undefined) return res.redirect(303, req.portal.url('/signing'))
    const { 'was.signing': was, ...after } = { ...form, methods: form.methods.length ? form.methods : undefined }
    await change(database, req, was ?? '', Policy.parse(after))
    res.redirect(303, req.portal.url('/signing?saved'))
  }

async function change(database: Knex, req: Request<any>, was: string, after: Policy) {
  const { workspace, staff } = req.portal
  await within(database, { workspace: workspace.id }, async tx => {
    const before = await policyIn(tx, workspace.id)
    if (JSON.stringify(before) !== was) throw new Conflict()
    if (JSON.stringify(before) === JSON.stringify(after)) return
    await query(tx, {
      text: `insert into portal.client_portal_settings (workspace_id, name, value, changed_by) values ($1, $2, $3, $4)
             on conflict (workspace_id, client_id, person_id, name)
               do update set value = excluded.value, changed_at = portal.now(), changed_by = excluded.changed_by`,
      values: [workspace.id, policyName, JSON.stringify(after), staff?.name],
    })
    await recordEventIn(tx, req, {
      event: 'settings.signing',
      subject: { id: policyName, before: JSON.stringify(before), after: JSON.stringify(after) },
    })
  })
}

async function policyIn(database: Knex, workspace: string): Promise<Policy> {
  const [row] = await readWithin<{ value: unknown }>(
    database,
    { workspace },
    {
      text: `select t.value from portal.client_portal_settings t
           where t.workspace_id = scope.workspace and t.client_id = '' and t.person_id = '' and t.name = $3`,
      values: [policyName],
    },
  )
  return Policy.parse(row?.value ?? {})
}
