import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { read } from '../../src/http/forms.ts'
import { saveSettings, storedSettings } from '../../src/plugin/stored-settings.ts'
import { furthest, momentsIn, momentsName, momentsText, mostMoments } from './moments.ts'

/** What can be chosen, in days before the end. */
const offered = [0, 1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 30, furthest]

const Form = z.object({
  days: z
    .union([z.string().transform(it => [it]), z.array(z.string())], 'Choose from the list.')
    .default([])
    .transform(all => all.filter(it => it !== ''))
    .pipe(
      z.array(z.string().regex(/^\d{1,2}$/, 'Choose from the list.')).max(mostMoments, 'Choose three moments at most.'),
    )
    .transform(all => all.map(Number))
    .pipe(z.array(z.number().max(furthest, 'Choose from the list.'))),
  'was.reminders': z.string().optional(),
})

export const showReminders =
  (database: Knex, mails: boolean): RequestHandler<any> =>
  async (req, res) => {
    const days = momentsIn((await storedSettings<unknown>(database, req.portal.workspace.id)).get(momentsName))
    const typed: unknown[] = req.portal.problem ? [Object(req.portal.body).days ?? []].flat() : days.map(String)
    res.respond('reminders/settings', {
      was: momentsText(days),
      moments: Array.from({ length: mostMoments }, (_, at) => String(typed[at] ?? '')),
      offered: [...new Set([...offered, ...days])].sort((a, b) => a - b).map(String),
      mails,
      saved: req.query.saved === '',
    })
  }

export const saveReminders =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { days, 'was.reminders': before } = read(Form, req)
    const after = momentsText(days)
    // A form without it is none of ours: nothing is meant by it.
    if (before !== undefined && before !== after)
      await saveSettings(database, req, [{ name: momentsName, label: '', before, after, event: 'reminders.changed' }])
    res.redirect(303, req.portal.url('/reminders?saved'))
  }
