import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { greeting } from '../auth/mail-context.ts'
import { Conflict, Invalid, NotFound } from '../http/errors.ts'
import { renderMail } from '../mail/content.ts'
import { coreMails, type MailKind, mailContentOf, mailOf, placeholders, template } from '../mail/kinds.ts'
import { mailContentIn, type Text, textOf } from '../mail/texts.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import { languageName, languages, speak, zoneOf } from '../platform/i18n.ts'

/** Lists each kind of mail in each language, and which of them the workspace has reworded. */
export const showTexts =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const own = await readWithin<{ kind: string; language: string }>(
      database,
      { workspace: req.portal.workspace.id },
      {
        name: 'portal.texts',
        text: 'select x.kind, x.language from portal.client_mail_texts x where x.workspace_id = scope.workspace',
      },
    )
    const isOwn = (kind: string, language: string) => own.some(it => it.kind === kind && it.language === language)
    res.respond('settings/texts', {
      kinds: Object.entries(coreMails).map(([kind, { label }]) => ({
        ...{ kind, label },
        languages: languages.map(it => ({ language: it, name: languageName(it), own: isOwn(kind, it) })),
      })),
    })
  }

/** Shows one mail text to edit, with a preview. */
export const showText =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { kind, language } = placeOf(req)
    const { now, own } = await textNow(database, req)
    const { problem, body } = req.portal
    const typed = problem instanceof Invalid ? (problem.typed as Text) : Typed.safeParse(body).data
    const text = { ...now, ...typed }
    const mail = preview(req, text)
    const asked = new URLSearchParams({ subject: text.subject, body: text.body })
    res.respond('settings/text', {
      ...{ kind, language, own, now, text, mail },
      name: languageName(language),
      label: mailOf(kind).label,
      placeholders: placeholders(kind),
      // Addresses have a maximum length: the preview of a longer text shows it as saved.
      frame: `${req.portal.url(`/mail/texts/${kind}/${language}/preview`)}${typed && `${asked}`.length < 6_000 ? `?${asked}` : ''}`,
      saved: req.query.saved === '',
    })
  }

/** Shows the mail as HTML, as it would be sent. It runs and loads nothing. */
export const showPreview =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { now } = await textNow(database, req)
    const asked = Typed.safeParse(req.query)
    res
      .set({
        'Cache-Control': 'private, no-store',
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
      })
      .type('html')
      .send(preview(req, asked.success ? asked.data : now).html)
  }

/** Saves a text. Throws Conflict if it changed since the page was shown. */
export const saveText =
  (database: Knex): RequestHandler<any> =>
  async (req, res, next) => {
    const { kind, language } = placeOf(req)
    const form = Object(req.portal.body)
    if (form.preview !== undefined) return showText(database)(req, res, next)
    const after = form.reset === undefined ? wordsIn(form, kind) : template(kind, speak(language).t)
    await within(database, { workspace: req.portal.workspace.id }, tx => change(tx, req, after))
    res.redirect(303, `${req.portal.url(`/mail/texts/${kind}/${language}`)}?saved`)
  }

/** Throws NotFound for an unknown mail or language. */
function placeOf(req: Request<any>): { kind: MailKind; language: string } {
  const { kind, language } = req.params
  if (!mailContentOf(kind) || !languages.some(it => it === language)) throw new NotFound()
  return { kind, language }
}

async function textNow(database: Knex, req: Request<any>): Promise<{ now: Text; own: boolean }> {
  const { kind, language } = placeOf(req)
  const workspace = req.portal.workspace.id
  const own = await within(database, { workspace }, tx => textOf(tx, workspace, kind, language))
  return { now: own ?? template(kind, speak(language).t), own: own !== undefined }
}

/** Renders the mail for a made-up recipient. */
function preview(req: Request<any>, text: Text) {
  const { kind, language } = placeOf(req)
  const { workspace } = req.portal
  const speech = speak(`${language}|${zoneOf(workspace.timeZone)}`)
  const facts = { ...mailOf(kind).facts, workspace: workspace.name }
  const code = 'code' in facts ? { code: String(facts.code) } : {}
  const letter = mailContentIn(kind, speech, facts, text, `https://portal.example/${workspace.slug}`)
  return renderMail(
    { greeting: greeting(speech, 'Jo Vos'), ...letter, ...code },
    { ...workspace, logo: undefined },
    speech,
    'jo@example.com',
  )
}

const lines = (most: number, empty: string, long: string) =>
  z
    .string(empty)
    .transform(it => it.replaceAll('\r\n', '\n').trim())
    .pipe(z.string().min(1, empty).max(most, long))

const Typed = z.object({
  subject: lines(200, 'Enter a subject.', 'Use at most 200 characters.').transform(it => it.replace(/\s+/g, ' ')),
  body: lines(2_000, 'Enter at least one paragraph.', 'Use at most 2000 characters.').transform(it =>
    it.replace(/\n{3,}/g, '\n\n'),
  ),
})

/** Parses the form. Throws Invalid, also for an unknown placeholder. */
function wordsIn(form: unknown, kind: MailKind): Text {
  const typed = Typed.safeParse(form)
  if (!typed.success) throw new Invalid(z.flattenError(typed.error).fieldErrors, form)
  const allowed = placeholders(kind)
  const stray = (text: string) =>
    [...text.matchAll(/\{(\w*)\}/g)].some(it => !allowed.includes(it[1] ?? '')) ||
    /[{}]/.test(text.replace(/\{\w+\}/g, ''))
  const wrong = (['subject', 'body'] as const).filter(it => stray(typed.data[it]))
  if (wrong.length)
    throw new Invalid(
      Object.fromEntries(wrong.map(it => [it, ['Braces stand only around the words that are listed below.']])),
      typed.data,
    )
  return typed.data
}

async function change(tx: Knex, req: Request<any>, after: Text) {
  const { kind, language } = placeOf(req)
  const { workspace, staff, body } = req.portal
  const given = template(kind, speak(language).t)
  const key = [workspace.id, kind, language]
  await query(tx, { text: `select pg_advisory_xact_lock(hashtext($1 || $2 || $3))`, values: key })
  const before = (await textOf(tx, workspace.id, kind, language)) ?? given
  const was = Typed.safeParse({ subject: Object(body)['was.subject'], body: Object(body)['was.body'] }).data
  if (was && !same(was, before)) throw new Conflict()
  if (same(before, after)) return
  await query(
    tx,
    same(after, given)
      ? {
          text: 'delete from portal.client_mail_texts where workspace_id = $1 and kind = $2 and language = $3',
          values: key,
        }
      : {
          text: `insert into portal.client_mail_texts (workspace_id, kind, language, subject, body, changed_by)
                 values ($1, $2, $3, $4, $5, $6)
                 on conflict (workspace_id, kind, language) do update set subject = excluded.subject,
                   body = excluded.body, changed_at = portal.now(), changed_by = excluded.changed_by`,
          values: [...key, after.subject, after.body, staff?.name],
        },
  )
  const told = ({ subject, body }: Text) => `${subject}\n\n${body}`
  await recordEventIn(tx, req, {
    event: 'settings.reworded',
    subject: { id: kind, label: mailOf(kind).label, language, before: told(before), after: told(after) },
  })
}

const same = (a: Text, b: Text) => a.subject === b.subject && a.body === b.body
