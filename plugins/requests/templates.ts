import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { keepNewFiles } from '../../src/files/kept.ts'
import { discardRefused, receiveFiles } from '../../src/files/receive.ts'
import { sendStoredFile } from '../../src/files/send.ts'
import { Conflict, Invalid, NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { itemsIn, type ListedItem, mostItems, textOf } from './content.ts'
import { exampleOf } from './store.ts'

export interface Template {
  id: string
  version: number
  name: string
  about: string
  items: ListedItem[]
  changedAt: string
  by: string
}

const columns = `t.id, t.version, t.name, v.content->>'about' as about, v.content->'items' as items,
  to_char(t.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "changedAt", v.by_name as by`

const tables = `portal.client_request_templates t
  join portal.client_request_template_versions v on v.workspace_id = t.workspace_id and v.template_id = t.id and v.version = t.version`

/** By name; those that were removed are left out. */
export const templatesOf = (database: Knex, workspace: string) =>
  readWithin<Template>(
    database,
    { workspace },
    {
      name: 'portal.request-templates',
      text: `select ${columns} from ${tables}
             where t.workspace_id = scope.workspace and t.removed_at is null order by lower(t.name), t.id limit 200`,
    },
  )

/** Throws NotFound. */
export async function templateOf(database: Knex, workspace: string, id: string): Promise<Template> {
  const [found] = await readWithin<Template>(
    database,
    { workspace },
    {
      name: 'portal.request-template',
      text: `select ${columns} from ${tables}
             where t.workspace_id = scope.workspace and t.removed_at is null and t.id = $3`,
      values: [z.uuid().safeParse(id).data ?? null],
    },
  )
  if (!found) throw new NotFound()
  return found
}

export const showTemplates =
  ({ database }: Host): RequestHandler<any> =>
  async (req, res) => {
    res.respond('requests/templates', {
      templates: await templatesOf(database, req.portal.workspace.id),
      done: ['removed'].find(it => req.query[it] !== undefined),
    })
  }

export const showTemplate =
  ({ database, files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, problem, body } = req.portal
    const { id } = req.params
    const template = id ? await templateOf(database, workspace.id, id) : undefined
    const { name = '', about = '', items = [], version = 0 } = template ?? {}
    const shown = { name, about, items: textOf(items), version: String(version) }
    res.respond('requests/template', {
      template,
      form: problem && 'name' in Object(body) ? Object(body) : shown,
      stored: files !== undefined,
      mostItems,
      done: ['saved', 'example'].find(it => req.query[it] !== undefined),
    })
  }

/** The fields that a template and a sending have in common. */
export const listFields = {
  name: z
    .string('Give the list a name.')
    .trim()
    .min(1, 'Give the list a name.')
    .max(200, 'Use at most 200 characters.')
    .transform(it => it.toWellFormed()),
  about: z
    .string()
    .trim()
    .max(4_000, 'Use at most 4,000 characters.')
    .transform(it => it.toWellFormed())
    .default(''),
  items: z.string('List at least one thing.').transform(it => it.toWellFormed()),
}

const Form = z.object({ ...listFields, version: z.coerce.number().int().catch(0) })

/** Reads the items of a form. Throws Invalid with a sentence for each line that cannot be read. */
export function itemsOf(req: Request<any>, text: string) {
  const { t } = req.portal
  const { items, wrong } = itemsIn(text)
  const refuse = (sentences: string[]) => {
    throw new Invalid({ items: sentences }, req.portal.body)
  }
  if (wrong.length) refuse(wrong.map(({ sentence, line }) => t(sentence, { line })))
  if (!items.length) refuse(['List at least one thing.'])
  if (items.length > mostItems) refuse([t('Use at most {count} items.', { count: mostItems })])
  return items
}

/** Items keep their id, and so their example, by their name. */
export const identified = (items: ReturnType<typeof itemsOf>, before: ListedItem[]): ListedItem[] =>
  items.map(it => {
    const known = before.find(({ name }) => name.toLowerCase() === it.name.toLowerCase())
    return { ...it, id: known?.id ?? uuid(), ...(known?.example && { example: known.example }) }
  })

export const saveTemplate =
  ({ database }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const { name, about, items, version } = read(Form, req)
    const before = req.params.id ? await templateOf(database, workspace.id, req.params.id) : undefined
    if (before && before.version !== version) throw new Conflict()
    const content = { about, items: identified(itemsOf(req, items), before?.items ?? []) }
    const id = before?.id ?? uuid()
    await addVersion(req, { id, name, content, version })
    res.redirect(303, req.portal.url(`/requests/templates/${id}?saved`))
  }

interface NewVersion {
  id: string
  name: string
  content: { about: string; items: ListedItem[] }
  /** The one before; 0 for the first. */
  version: number
}

/** Writes a version in one transaction. Throws Conflict where there is a later one, or the template was removed. */
async function addVersion(req: Request<any>, it: NewVersion): Promise<void> {
  const { workspace, staff } = req.portal
  await req.portal.inWorkspace(async tx => {
    const [made] = await query(tx, {
      text: `insert into portal.client_request_templates as t (workspace_id, id, version, name) values ($1, $2, 1, $3)
             on conflict (workspace_id, id) do update set version = t.version + 1, name = excluded.name, changed_at = portal.now()
               where t.version = $4 and t.removed_at is null returning version`,
      values: [workspace.id, it.id, it.name, it.version],
    })
    if (!made) throw new Conflict()
    await query(tx, {
      text: `insert into portal.client_request_template_versions (workspace_id, template_id, version, content, by_id, by_name)
             values ($1, $2, $3, $4, $5, $6)`,
      values: [workspace.id, it.id, made.version, JSON.stringify(it.content), staff?.id ?? '', staff?.name ?? ''],
    })
    await recordByStaff(tx, req, {
      event: 'requests.template_saved',
      subject: { id: it.id, number: it.name, version: made.version },
    })
  })
}

const recordByStaff = (tx: Knex, req: Request<any>, event: Parameters<typeof recordEventIn>[2]) =>
  recordEventIn(tx, req, { ...event, actor: { kind: 'staff', id: req.portal.staff?.id, name: req.portal.staff?.name } })

/** What was sent by it stays as it is. */
export const saveTemplateRemoval =
  ({ database }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const { id, name } = await templateOf(database, workspace.id, req.params.id)
    await req.portal.inWorkspace(async tx => {
      await query(tx, {
        text: 'update portal.client_request_templates set removed_at = portal.now() where workspace_id = $1 and id = $2',
        values: [workspace.id, id],
      })
      await recordByStaff(tx, req, { event: 'requests.template_removed', subject: { id, number: name } })
    })
    res.redirect(303, req.portal.url('/requests/templates?removed'))
  }

/** Of an example, in bytes; and of all examples of a workspace. */
const exampleLimits = { size: 25_000_000, total: 25_000_000, space: 2e9 }

/** Keeps a file as the example of an item: a new version of the template. */
export const saveExample =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    if (!host.files) throw new NotFound()
    const { workspace, staff } = req.portal
    const template = await templateOf(host.database, workspace.id, req.params.id)
    if (!template.items.some(it => it.id === req.params.item)) throw new NotFound()
    const of = { store: host.files, workspace: workspace.id }
    const received = await receiveFiles(req, { ...of, limits: { ...exampleLimits, files: 1 } })
    req.portal.body = received.fields
    const [file] = received.files
    const [refused] = received.refused
    if (!file)
      throw new Invalid(
        { example: [refused ? req.portal.t(refused.why, { size: req.portal.size(refused.limit) }) : 'Choose a file.'] },
        received.fields,
      )
    const by = { kind: 'staff', id: staff?.id ?? '', name: staff?.name ?? workspace.name } as const
    await req.portal
      .inWorkspace(tx => keepNewFiles(tx, host, { workspace, client: '', by }, [file], exampleLimits.space))
      .catch(error => discardRefused(error, { ...of, files: [file] }))
    host.jobs.wake()
    const example = { id: file.id, name: file.name, size: file.size }
    await addVersion(req, withExample(template, req.params.item, example))
    res.redirect(303, req.portal.url(`/requests/templates/${template.id}?example#examples`))
  }

const withExample = ({ id, name, about, version, items }: Template, item: string, example?: ListedItem['example']) => ({
  ...{ id, name, version },
  content: {
    about,
    items: items.map(({ example: before, ...it }) => {
      const its = it.id === item ? example : before
      return its ? { ...it, example: its } : it
    }),
  },
})

/** Requests that were sent with it keep it. */
export const saveExampleRemoval =
  ({ database }: Host): RequestHandler<any> =>
  async (req, res) => {
    const template = await templateOf(database, req.portal.workspace.id, req.params.id)
    if (!template.items.some(it => it.id === req.params.item && it.example)) throw new NotFound()
    await addVersion(req, withExample(template, req.params.item))
    res.redirect(303, req.portal.url(`/requests/templates/${template.id}?example#examples`))
  }

export const sendTemplateExample =
  ({ database, files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const { items } = await templateOf(database, workspace.id, req.params.id)
    const example = items.find(it => it.id === req.params.item)?.example
    if (!example || !files) throw new NotFound()
    await sendStoredFile(req, res, await exampleOf(database, files, workspace.id, example.id))
  }
