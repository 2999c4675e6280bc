import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { devicesOf, endDevices } from '../auth/devices.ts'
import { NotFound } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import type { PlaceOf } from '../platform/places.ts'

interface Parts {
  database: Knex
  placeOf: PlaceOf
}

interface ShownFactor {
  id: string
  kind: 'app' | 'passkey'
  /** Of a passkey. */
  name: string | null
  addedAt: Date
  usedAt: Date | null
  /** When it ends, if staff are removing it. */
  endsAt: Date | null
}

interface Security {
  factors: ShownFactor[]
  recovery: number
  /** When all second factors end, if staff are removing them. */
  endsAt: Date | null
  devices: Awaited<ReturnType<typeof devicesOf>>
}

/** How a person is protected and where they are signed in. */
export async function securityOf({ database, placeOf }: Parts, req: Request<any>, person: string): Promise<Security> {
  const [[factors], devices] = await Promise.all([
    readWithin<Omit<Security, 'devices'>>(
      database,
      { workspace: req.portal.workspace.id },
      { ...factorsShown, values: [person] },
    ),
    devicesOf({ database, placeOf }, req, person),
  ])
  const dates = (it: ShownFactor) => ({
    ...it,
    addedAt: new Date(it.addedAt),
    usedAt: it.usedAt && new Date(it.usedAt),
    endsAt: it.endsAt && new Date(it.endsAt),
  })
  return { ...factors!, factors: factors!.factors.map(dates), devices }
}

const factorsShown = {
  name: 'portal.person-factors',
  text: `select
      (select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'kind', f.kind, 'name', f.name, 'addedAt', f.confirmed_at,
         'usedAt', f.used_at, 'endsAt', f.ends_at) order by f.confirmed_at), '[]')
       from portal.client_factors f where f.workspace_id = scope.workspace and f.person_id::text = $3
         and f.kind <> 'recovery' and f.confirmed_at is not null) as factors,
      (select count(*)::int from portal.client_factors f
       where f.workspace_id = scope.workspace and f.person_id::text = $3 and f.kind = 'recovery') as recovery,
      (select u.factors_end_at from portal.client_users u
       where u.workspace_id = scope.workspace and u.id::text = $3) as "endsAt"`,
}

/** Signs a person out of one device, or of all. */
export const saveSignOut =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, url } = req.portal
    const { person, device } = req.params
    await within(database, { workspace: workspace.id }, async tx => {
      const [row] = await query<{ name: string }>(tx, {
        text: 'select name from portal.client_users where workspace_id = $1 and id::text = $2',
        values: [workspace.id, person],
      })
      if (!row) throw new NotFound()
      const which = device === undefined ? ({ where: '<>', sid: '' } as const) : ({ where: '=', sid: device } as const)
      const count = await endDevices(tx, req, person, which)
      if (!count && device !== undefined) throw new NotFound()
      if (count)
        await recordEventIn(tx, req, { event: 'people.signed-out', subject: { id: person, name: row.name, count } })
    })
    res.redirect(303, url(`/people/${encodeURIComponent(person)}?done=signed-out`))
  }
