import type { Request } from 'express'
import type { Knex } from 'knex'
import { coreHostOf } from '../auth/host.ts'
import { Conflict, Forbidden, Invalid } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { seal, unsealOrUndefined } from '../platform/crypto.ts'
import { query, readWithin } from '../platform/database.ts'
import type { PluginOption } from '../plugin/parts.ts'
import type { Host } from '../plugin/plugin.ts'

interface Stored {
  value: unknown
  sealed: Buffer | null
}

/**
 * The workspace's value of a plugin's option, or its default. Secrets are returned in plain text: never send them
 * to a client. Throws a TypeError for an unknown option.
 */
export async function optionOf<Value>(host: Host, workspace: string, name: string): Promise<Value> {
  const [value] = await optionsOf<[Value]>(host, workspace, [name])
  return value
}

/** The same for several options, in one query and in their order. */
export async function optionsOf<Values extends unknown[]>(
  host: Host,
  workspace: string,
  names: { [At in keyof Values]: string },
): Promise<Values> {
  const options = names.map(it => declared(host, it))
  const rows = await readWithin<Stored & { name: string }>(
    host.database,
    { workspace },
    {
      name: 'portal.plugin-options',
      text: `select s.name, s.value, s.sealed from portal.client_plugin_settings s
             where s.workspace_id = scope.workspace and s.name = any($3)`,
      values: [names],
    },
  )
  const stored = (name: string | undefined) => rows.find(it => it.name === name)
  return options.map((option, at) => settingOf(host, option, stored(names[at]))) as Values
}

interface Saved {
  name: string
  /** The input. */
  value: unknown
  /** The value that the page showed, as its form returns it; not for secrets, which no page shows. */
  before?: unknown
}

/**
 * Saves a plugin's option and records it, without the value of a secret. Throws Forbidden for anyone but workspace
 * admins, Invalid for a value that does not fit, Conflict if it changed meanwhile.
 */
export async function saveOption(req: Request<any>, host: Host, { name, value, before }: Saved): Promise<void> {
  const { staff } = req.portal
  if (!staff?.admin) throw new Forbidden()
  const option = declared(host, name)
  const typed = option.shape.safeParse(value)
  if (!typed.success) throw new Invalid({ [name]: typed.error.issues.map(it => it.message) }, req.portal.body ?? {})
  const after = typed.data
  await req.portal.inWorkspace(async tx => {
    const now = await lockedValue(tx, req, host, name)
    if (option.secret) return keepSecret(tx, req, host, name, after)
    if (!isSame(now, option.shape.safeParse(before).data)) throw new Conflict()
    if (isSame(now, after)) return
    await keep(tx, req, name, { value: JSON.stringify(after), sealed: null })
    const { label } = option
    // The sentence of several values at once names none of them.
    const several = [now, after].some(it => typeof it === 'object')
    const event = several ? 'settings.replaced' : 'settings.set'
    await recordEventIn(tx, req, { event, subject: { id: name, label, before: now, after } })
  })
}

function declared({ plugins }: Host, name: string): PluginOption {
  const option = plugins.flatMap(it => Object.entries(it.options ?? {})).find(([own]) => own === name)?.[1]
  if (!option) throw new TypeError(`No plugin declares the option ${name}.`)
  return option
}

/** A value of an earlier release of the plugin that no longer fits counts as not set. */
function settingOf(host: Host, { shape, secret }: PluginOption, row: Stored | undefined): unknown {
  const stored = row?.sealed
    ? unsealOrUndefined(row.sealed, coreHostOf(host).secrets, 'plugin setting')
    : (row?.value ?? undefined)
  const fitting = shape.safeParse(secret && typeof stored === 'string' ? JSON.parse(stored) : stored)
  return fitting.success ? fitting.data : shape.parse(undefined)
}

/** Concurrent saves wait for each other. */
async function lockedValue(tx: Knex, req: Request<any>, host: Host, name: string): Promise<unknown> {
  const { id } = req.portal.workspace
  await query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`plugin setting ${id} ${name}`],
  })
  const [row] = await query<Stored>(tx, {
    text: 'select value, sealed from portal.client_plugin_settings where workspace_id = $1 and name = $2',
    values: [id, name],
  })
  return settingOf(host, declared(host, name), row)
}

async function keepSecret(tx: Knex, req: Request<any>, host: Host, name: string, value: unknown) {
  const sealed = seal(JSON.stringify(value), coreHostOf(host).secrets, 'plugin setting')
  await keep(tx, req, name, { value: null, sealed })
  await recordEventIn(tx, req, { event: 'settings.replaced', subject: { id: name, label: declared(host, name).label } })
}

const keep = (tx: Knex, req: Request<any>, name: string, { value, sealed }: Stored) =>
  query(tx, {
    text: `insert into portal.client_plugin_settings as it (workspace_id, name, value, sealed, changed_by)
           values ($1, $2, $3, $4, $5)
           on conflict (workspace_id, name) do update set value = excluded.value, sealed = excluded.sealed,
             changed_at = portal.now(), changed_by = excluded.changed_by`,
    values: [req.portal.workspace.id, name, value, sealed, req.portal.staff?.name ?? ''],
  })

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
