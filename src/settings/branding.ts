import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { BrandedWorkspace, Workspaces } from '../crm/workspaces.ts'
import { Conflict, Invalid } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { recordEventIn } from '../platform/activity.ts'
import { tonesOf } from '../platform/contrast.ts'
import { query, within } from '../platform/database.ts'
import { type Logo, logoFrom } from '../platform/logo.ts'

/** Shows the workspace as clients see it: as saved, or with the input that was refused or is being previewed. */
export const showBranding =
  (workspaces: Workspaces): RequestHandler =>
  async (req, res) => {
    workspaces.forget(req.portal.workspace.slug)
    const workspace = (await workspaces.find(req.portal.workspace.slug)) ?? req.portal.workspace
    const { problem } = Object.assign(req.portal, { workspace })
    const tried = req.portal.body as Record<string, unknown> | undefined
    const typed = problem instanceof Conflict ? {} : ((problem instanceof Invalid ? problem.typed : tried) ?? {})
    const text = (name: 'name' | 'colour' | 'welcome') => {
      const value = (typed as Record<string, unknown>)[name]
      return typeof value === 'string' ? value : (workspace[name] ?? '')
    }
    const colour = /^#[0-9a-f]{6}$/i.test(text('colour'))
      ? text('colour').toLowerCase()
      : (workspace.colour ?? unbranded)
    res.respond('settings/branding', {
      values: { name: text('name'), colour: text('colour') || colour, welcome: text('welcome') },
      colour,
      tones: tonesOf(colour),
      own: workspace.logo && workspace.logo.version !== workspace.given.logo?.version,
      saved: req.query.saved === '' && !problem,
      left: Number(req.query.left) || 0,
    })
  }

/** The default colour of the style sheet. */
export const unbranded = '#0c5a63'

export const saveBranding =
  (database: Knex, workspaces: Workspaces): RequestHandler =>
  async (req, res, next) => {
    if ((req.portal.body as any)?.preview !== undefined) return showBranding(workspaces)(req, res, next)
    const { workspace } = req.portal
    const form = read(Branding, req)
    const logo = await logoIn(form)
    const changed = await within(database, { workspace: workspace.id }, tx => change(tx, req, form, logo))
    if (changed) workspaces.forget(workspace.slug)
    res.redirect(303, `${req.portal.url('/branding')}?saved${logo?.left ? `&left=${logo.left}` : ''}`)
  }

const text = (most: number) =>
  z
    .string()
    .trim()
    .max(most, `Use at most ${most} characters.`)
    .default('')
    .transform(it => it.replace(/\s+/g, ' '))

const Branding = z.object({
  revision: z.coerce.number().int().min(0).catch(0),
  name: text(100),
  colour: z
    .string()
    .trim()
    .toLowerCase()
    .transform(it => (/^[0-9a-f]{6}$/.test(it) ? `#${it}` : it))
    .pipe(z.string().regex(/^(#[0-9a-f]{6})?$/, 'Enter a colour as # and six digits or letters a to f, like #0c5a63.'))
    .default(''),
  welcome: text(300),
  logo: z.instanceof(File).optional().catch(undefined),
  removed: z.literal('on').optional().catch(undefined),
})
type Form = z.infer<typeof Branding>

async function logoIn({ logo, ...typed }: Form): Promise<Logo | undefined> {
  if (!logo?.size) return undefined
  const found = logoFrom(new Uint8Array(await logo.arrayBuffer()))
  if (!found)
    throw new Invalid({ logo: ['Choose an SVG or a PNG of at most 200 KB and 2,000 pixels each way.'] }, typed)
  return found
}

/**
 * Saves the branding. Null, or the CRM's own value, means to follow the CRM. Throws Conflict if somebody else changed
 * it.
 */
async function change(tx: Knex, req: Request, form: Form, logo: Logo | undefined): Promise<boolean> {
  const { workspace, staff } = req.portal
  const { given } = workspace
  const own = (value: string, theirs: string | undefined) => (value && value !== theirs ? value : null)
  const name = own(form.name, given.name)
  const colour = own(form.colour, given.colour?.toLowerCase())
  const welcome = form.welcome || null
  const keeps = !logo && !form.removed

  const changes = changesOf(workspace, { name, colour, welcome }, logo, form.removed !== undefined)
  if (!changes.length) return false
  const [row] = await query(tx, {
    text: `insert into portal.client_branding as b (workspace_id, name, colour, welcome, logo, logo_type, logo_width,
             logo_height, logo_version, changed_by)
           select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 where $11 = 0
             or exists (select from portal.client_branding where workspace_id = $1 and revision = $11)
           on conflict (workspace_id) do update set
             revision = b.revision + 1, name = excluded.name, colour = excluded.colour, welcome = excluded.welcome,
             logo = case when $12 then b.logo else excluded.logo end,
             logo_type = case when $12 then b.logo_type else excluded.logo_type end,
             logo_width = case when $12 then b.logo_width else excluded.logo_width end,
             logo_height = case when $12 then b.logo_height else excluded.logo_height end,
             logo_version = case when $12 then b.logo_version else excluded.logo_version end,
             changed_at = portal.now(), changed_by = excluded.changed_by
             where b.revision = $11
           returning revision`,
    values: [
      ...[workspace.id, name, colour, welcome],
      ...[logo?.bytes, logo?.type, logo?.width, logo?.height, logo?.version].map(it => it ?? null),
      ...[staff?.name, form.revision, keeps],
    ],
  })
  if (!row) throw new Conflict()
  for (const { id, before, after } of changes)
    await recordEventIn(tx, req, { event: 'settings.branded', subject: { id, before, after } })
  return true
}

/** Returns what changed, for the log: for a logo, only that it is another one. */
function changesOf(
  { given, name, colour, welcome, logo }: BrandedWorkspace,
  next: { name: string | null; colour: string | null; welcome: string | null },
  nextLogo: Logo | undefined,
  removed: boolean,
) {
  const version = nextLogo?.version ?? (removed ? given.logo?.version : logo?.version)
  return [
    { id: 'name', before: name, after: next.name ?? given.name },
    { id: 'colour', before: colour ?? '', after: next.colour ?? given.colour ?? '' },
    { id: 'welcome', before: welcome ?? '', after: next.welcome ?? '' },
    { id: 'logo', before: logo?.version ?? '', after: version ?? '' },
  ].filter(it => it.before !== it.after)
}
