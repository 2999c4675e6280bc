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
  workMomentsName,
} from './moments.ts'
import { demanding } from './work.ts'

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

const Before = z.enum(['', ...offeredBeforeDue], 'Choose from the list.').default('')

const After = several('Enter days from 1 to 60.')
  .pipe(
    z.array(z.string().regex(daysAfter, 'Enter days from 1 to 60.')).max(mostMoments, 'Choose three moments at most.'),
  )
  .transform(all => all.map(Number))

const Form = z.object({
  days: several('Choose from the list.')
    .pipe(
      z.array(z.string().regex(/^\d{1,2}$/, 'Choose from the list.')).max(mostMoments, 'Choose three moments at most.'),
    )
    .transform(all => all.map(Number))
    .pipe(z.array(z.number().max(furthest, 'Choose from the list.'))),
  before: Before,
  onDay: z.string().optional(),
  after: After,
  'work.before': Before,
  'work.onDay': z.string().optional(),
  'work.after': After,
  'was.reminders': z.string().optional(),
  'was.payments': z.string().optional(),
  'was.work': z.string().optional(),
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
    const work = paymentMomentsIn(settings.get(workMomentsName))
    res.respond('reminders/settings', {
      was: momentsText(days),
      wasPayments: paymentMomentsText(payments),
      wasWork: paymentMomentsText(work),
      moments: fields(typedIn(req, 'days') ?? days.map(String)),
      offered: [...new Set([...offered, ...days])].sort((a, b) => a - b).map(String),
      payments:
        plugins.some(it => it.subject?.payable && !it.subject.payable.downPayments) && paymentFields(req, payments),
      work: demanding(plugins).length > 0 && paymentFields(req, work, 'work.'),
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

/** The form of payments, or of tasks and requests, as it was typed or as it is. `as` begins the names of its fields. */
function paymentFields(req: Request<any>, days: number[], as = '') {
  const before = days.find(it => it < 0)
  const typed = typedIn(req, `${as}onDay`)
  const after = fields(typedIn(req, `${as}after`) ?? days.filter(it => it > 0).map(String))
  return {
    before: typedIn(req, `${as}before`)?.[0] ?? (before ? String(-before) : ''),
    onDay: typed ? typed.length > 0 : days.includes(0),
    after: after.map(value => ({ value, wrong: value.trim() !== '' && !daysAfter.test(value.trim()) })),
  }
}

export const saveReminders =
  ({ database }: Pick<Host, 'database'>): RequestHandler<any> =>
  async (req, res) => {
    const { days, ...typed } = read(Form, req)
    const payments = daysOf(typed.before, typed.onDay, typed.after)
    const work = daysOf(typed['work.before'], typed['work.onDay'], typed['work.after'])
    const changes = [
      changeOf(momentsName, typed['was.reminders'], momentsText(days), 'reminders.changed'),
      changeOf(paymentMomentsName, typed['was.payments'], paymentMomentsText(payments), 'reminders.payments-changed'),
      changeOf(workMomentsName, typed['was.work'], paymentMomentsText(work), 'reminders.work-changed'),
    ].flat()
    await saveSettings(database, req, changes)
    res.redirect(303, req.portal.url('/reminders?saved'))
  }

/** In days from the due date. */
const daysOf = (before: string, onDay: string | undefined, after: number[]) => [
  ...(before ? [-Number(before)] : []),
  ...(onDay === 'on' ? [0] : []),
  ...after,
]

/** A form without what was there before is none of ours: nothing is meant by it. */
const changeOf = (name: string, before: string | undefined, after: string, event: string): Change[] =>
  before === undefined || before === after ? [] : [{ name, label: '', before, after, event }]
