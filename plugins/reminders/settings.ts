import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { read } from '../../src/http/forms.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { type Change, saveSettings, storedSettings } from '../../src/plugin/stored-settings.ts'
import {
  furthest,
  momentsIn,
  momentsName,
  momentsText,
  mostMoments,
  paymentMomentsIn,
  paymentMomentsName,
  paymentMomentsText,
} from './moments.ts'

/** What can be chosen, in days before the end of an offer, and before a payment is due. */
const offered = [0, 1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 30, furthest]
const offeredBeforeDue = ['1', '2', '3', '5', '7', '14']

const daysAfter = /^([1-9]|[1-5]\d|60)$/

/** Several fields of one name, without the empty ones. */
const several = (sentence: string) =>
  z
    .union([z.string().transform(it => [it]), z.array(z.string())], sentence)
    .default([])
    .transform(all => all.map(it => it.trim()).filter(it => it !== ''))

const Form = z.object({
  days: several('Choose from the list.')
    .pipe(
      z.array(z.string().regex(/^\d{1,2}$/, 'Choose from the list.')).max(mostMoments, 'Choose three moments at most.'),
    )
    .transform(all => all.map(Number))
    .pipe(z.array(z.number().max(furthest, 'Choose from the list.'))),
  before: z.enum(['', ...offeredBeforeDue], 'Choose from the list.').default(''),
  onDay: z.string().optional(),
  after: several('Enter days from 1 to 60.')
    .pipe(
      z
        .array(z.string().regex(daysAfter, 'Enter days from 1 to 60.'))
        .max(mostMoments, 'Choose three moments at most.'),
    )
    .transform(all => all.map(Number)),
  'was.reminders': z.string().optional(),
  'was.payments': z.string().optional(),
})

interface Parts extends Pick<Host, 'database' | 'plugins'> {
  mails: boolean
}

export const showReminders =
  ({ database, plugins, mails }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const settings = await storedSettings<unknown>(database, req.portal.workspace.id)
    const days = momentsIn(settings.get(momentsName))
    const payments = paymentMomentsIn(settings.get(paymentMomentsName))
    res.respond('reminders/settings', {
      was: momentsText(days),
      wasPayments: paymentMomentsText(payments),
      moments: fields(typedIn(req, 'days') ?? days.map(String)),
      offered: [...new Set([...offered, ...days])].sort((a, b) => a - b).map(String),
      payments:
        plugins.some(it => it.subject?.payable && !it.subject.payable.downPayments) && paymentFields(req, payments),
      offeredBeforeDue,
      mails,
      saved: req.query.saved === '',
    })
  }

/** What was refused; undefined where nothing was. */
function typedIn({ portal }: Request<any>, name: string): string[] | undefined {
  return portal.problem ? [Object(portal.body)[name] ?? []].flat().map(String) : undefined
}

const fields = (values: string[]) => Array.from({ length: mostMoments }, (_, at) => values[at] ?? '')

/** The form of payments, as it was typed or as it is. */
function paymentFields(req: Request<any>, days: number[]) {
  const before = days.find(it => it < 0)
  const typed = typedIn(req, 'onDay')
  const after = fields(typedIn(req, 'after') ?? days.filter(it => it > 0).map(String))
  return {
    before: typedIn(req, 'before')?.[0] ?? (before ? String(-before) : ''),
    onDay: typed ? typed.length > 0 : days.includes(0),
    after: after.map(value => ({ value, wrong: value.trim() !== '' && !daysAfter.test(value.trim()) })),
  }
}

export const saveReminders =
  ({ database }: Pick<Host, 'database'>): RequestHandler<any> =>
  async (req, res) => {
    const { days, before, onDay, after, ...was } = read(Form, req)
    const payments = [...(before ? [-Number(before)] : []), ...(onDay === 'on' ? [0] : []), ...after]
    const changes = [
      changeOf(momentsName, was['was.reminders'], momentsText(days), 'reminders.changed'),
      changeOf(paymentMomentsName, was['was.payments'], paymentMomentsText(payments), 'reminders.payments-changed'),
    ].flat()
    await saveSettings(database, req, changes)
    res.redirect(303, req.portal.url('/reminders?saved'))
  }

/** A form without what was there before is none of ours: nothing is meant by it. */
const changeOf = (name: string, before: string | undefined, after: string, event: string): Change[] =>
  before === undefined || before === after ? [] : [{ name, label: '', before, after, event }]
