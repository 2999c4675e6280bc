import type { Knex } from 'knex'
import { CrmUnavailable } from '../http/errors.ts'
import { readWithin, unreachable } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import { type Logo, logoFrom } from '../platform/logo.ts'
import type { Crm, Workspace } from './crm.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      workspace: BrandedWorkspace
      /** For paper: its address is for pages. */
      logo(): ReturnType<Workspaces['logo']>
    }
  }
}

/** A workspace as its clients see it: what the CRM says of it, and what its admin says instead. */
export interface BrandedWorkspace extends Workspace {
  /** The words on the sign-in page. */
  welcome?: string
  logo?: Pick<Logo, 'type' | 'version' | 'width' | 'height'>
  /** As the CRM has it. */
  given: Workspace & { logo?: BrandedWorkspace['logo'] }
  /** Counts what an admin saved; 0 before the first time. */
  revision: number
}

export interface Workspaces {
  /** Remembered for a few seconds: a new name or colour takes that long to show. Rights are never remembered. */
  find(slug: string): Promise<BrandedWorkspace | undefined>
  /** As this process last knew it, whatever has become of the CRM since. */
  last(slug: string): BrandedWorkspace | undefined
  /** As it is from now on, for this process. */
  forget(slug: string): void
  logo(workspace: BrandedWorkspace): Promise<Pick<Logo, 'type' | 'bytes'> | undefined>
}

interface Own {
  revision: number
  name: string | null
  colour: string | null
  welcome: string | null
  type: Logo['type'] | null
  version: string | null
  width: number | null
  height: number | null
}

const remembered = 5_000
/** A CRM is asked for its logo this often: it is many bytes, and seldom another one. */
const logoRemembered = 60_000

export function workspaces({ crm, database, log }: { crm: Crm; database: Knex; log: Log }): Workspaces {
  const last = new Map<string, BrandedWorkspace>()
  const find = keep(remembered, async (slug: string) => {
    const known = last.get(slug)
    const given = await crm.directory.workspace(slug).catch(err => {
      // People can sign in while the CRM is unreachable. Activation decides on drift.
      if (!known || !(unreachable(err) || err instanceof CrmUnavailable)) throw err
      log.warn({ err }, 'the CRM does not answer; the portal goes on with what it last knew of the workspace')
      return known.given
    })
    if (!given) return void last.delete(slug)
    const [[own], theirs] = await Promise.all([ownOf(database, given.id), logoOfCrm(given)])
    const found = branded(given, theirs, own)
    if (last.size > 1_000) last.clear()
    last.set(slug, found)
    return found
  })
  const cleaned = keep(logoRemembered, async (_id: string, workspace: Workspace) => {
    const file = await crm.directory.logo?.(workspace)
    return file && logoFrom(file)
  })
  const logoOfCrm = (workspace: Workspace) =>
    cleaned.get(workspace.id, workspace).catch(err => {
      log.error({ err }, 'the CRM gave no logo; the portal goes on without one')
      return undefined
    })

  return {
    find: slug => find.get(slug),
    last: slug => last.get(slug),
    forget: find.forget,
    async logo(workspace) {
      if (!workspace.logo || workspace.logo.version === workspace.given.logo?.version) return logoOfCrm(workspace.given)
      const [row] = await readWithin<Pick<Logo, 'type' | 'bytes'>>(
        database,
        { workspace: workspace.id },
        {
          name: 'portal.logo',
          text: `select b.logo_type as type, b.logo as bytes from portal.client_branding b
                 where b.workspace_id = scope.workspace and b.logo is not null`,
        },
      )
      return row
    },
  }
}

const ownOf = (database: Knex, workspace: string): Promise<Own[]> =>
  readWithin<Own>(
    database,
    { workspace },
    {
      name: 'portal.branding',
      text: `select b.revision, b.name, b.colour, b.welcome, b.logo_type as type, b.logo_version as version,
               b.logo_width as width, b.logo_height as height
             from portal.client_branding b where b.workspace_id = scope.workspace`,
    },
  )

function branded(given: Workspace, theirs: Logo | undefined, own: Own | undefined): BrandedWorkspace {
  const its = own?.version
    ? {
        type: own.type ?? 'image/svg+xml',
        version: own.version,
        width: own.width ?? 1,
        height: own.height ?? 1,
      }
    : undefined
  const crms = theirs && { type: theirs.type, version: theirs.version, width: theirs.width, height: theirs.height }
  return {
    ...given,
    name: own?.name ?? given.name,
    colour: own?.colour ?? given.colour,
    welcome: own?.welcome ?? undefined,
    logo: its ?? crms,
    given: { ...given, logo: crms },
    revision: own?.revision ?? 0,
  }
}

/** What is asked for meanwhile waits for the same answer; a failure is not remembered. */
function keep<Args extends [key: string, ...unknown[]], T>(milliseconds: number, make: (...args: Args) => Promise<T>) {
  const kept = new Map<string, { made: Promise<T>; until: number }>()
  return {
    get(...args: Args): Promise<T> {
      const [key] = args
      const found = kept.get(key)
      if (found && found.until > Date.now()) return found.made
      if (kept.size > 1_000) kept.clear()
      const made = make(...args)
      kept.set(key, { made, until: Date.now() + milliseconds })
      made.catch(() => kept.delete(key))
      return made
    },
    forget: (key: string) => void kept.delete(key),
  }
}
