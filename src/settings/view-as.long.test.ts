import { expect } from 'chai'
import { adapter } from '../../demo/adapter/adapter.ts'
import { staff } from '../../demo/mount.ts'
import { fresh } from '../../test/database.ts'
import { type Route, routesOf } from '../../test/routes.ts'
import { leave, open, type Role, type Scene, type Visitor, whoIs } from '../../test/visit.ts'
import { createPortal } from '../index.ts'

const settings = '/settings/client-portal'

describe('viewing as a client', () => {
  afterEach(leave)

  it('shows what the person sees, marked, and says so to them', async () => {
    const scene = await open()
    const [admin, viewer, approver] = [
      await scene.visit('admin'),
      await scene.visit('viewer'),
      await scene.visit('approver'),
    ]
    expect(await admin.at(`${settings}/view?search=${whoIs('viewer').email}`)).to.show('View as Ilse Verhoeven')
    const place = await begin(scene, admin, 'viewer')
    const home = await admin.at(place)
    expect(home).to.show('You are viewing as Ilse Verhoeven', 'Acme Bakery', 'Stop viewing', `href="${place}invoices"`)
    for (const path of ['invoices', 'proposals', 'quotations', 'payments', 'activity', 'invoices/statement'])
      expect((await admin.at(place + path)).status, path).to.equal((await viewer.get(`/${path}`)).status)
    const [{ id }] = (await viewer.api('/invoices')).body.items
    expect(await admin.at(`${place}invoices/${id}`)).to.show('You are viewing as Ilse Verhoeven')
    expect((await admin.at(`${place}invoices/${id}/pdf`)).type).to.equal('application/pdf')

    for (const who of [viewer, await scene.visit('owner')])
      expect(await who.get('/activity')).to.show('Marta Lindqvist', 'viewed the portal as Ilse Verhoeven')
    expect(await approver.get('/activity')).to.not.show('viewed the portal as')
    for (const who of ['neighbour', 'stranger'] as Role[])
      expect(await (await scene.visit(who)).get('/activity')).to.not.show('viewed the portal as')
    expect(await admin.at(`${settings}/activity?kind=view`)).to.show('viewed the portal as Ilse Verhoeven')
  })

  it('follows exceptions, roles and suspension at once, and shows no account', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const place = await begin(scene, admin, 'viewer')
    const [client, person] = place.split('/').slice(-3)
    await scene.owner('portal.client_portal_settings').insert({
      ...{ workspace_id: '1', client_id: client, person_id: person },
      ...{ name: 'invoices', value: 'false', changed_by: 'a test' },
    })
    expect((await admin.at(`${place}invoices`)).status).to.equal(404)
    for (const path of ['account', 'team', 'account/devices', 'account/data'])
      expect(await admin.at(place + path), path)
        .to.include({ status: 404 })
        .and.show('This page isn’t shown here')
    await scene
      .owner('portal.client_users')
      .where({ email: whoIs('viewer').email })
      .update({ suspended_at: new Date() })
    expect((await admin.at(place)).status).to.equal(404)
  })

  it('begins with a record of it, and ends after half an hour', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const place = await begin(scene, admin, 'viewer')
    await scene.pass(31)
    const late = await scene.visit('admin')
    expect((await late.at(place)).headers.location).to.match(/\/view\?search=/)
    expect((await admin.at(place.replace(/\/[^/]+\/$/, '/00000000-0000-4000-8000-000000000000/'))).status).to.equal(404)
    const unseen = await placeOf(scene, 'approver')
    expect((await late.at(unseen)).headers.location).to.match(/\/view\?search=/)
  })

  it('is for admins of this workspace alone', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    const place = await begin(scene, admin, 'viewer')
    for (const who of [await scene.visit('colleague'), await scene.visit('owner'), await scene.visit()])
      expect((await who.at(place)).status).to.be.oneOf([303, 403, 404])
    const foreign = await placeOf(scene, 'stranger')
    expect((await admin.at(foreign)).status).to.equal(404)
    const [client, person] = foreign.split('/').slice(-3)
    expect((await admin.postAt(`${settings}/view`, { client, person })).status).to.equal(404)
    expect((await admin.postAt(`${settings}/view`, {})).headers.location).to.equal(`${settings}/view`)
  })

  it('changes and leaves nothing, on any route by any method', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const owner = await scene.visit('owner')
    const place = await begin(scene, admin, 'owner')
    const ids: Record<string, string> = {}
    for (const section of ['proposals', 'quotations', 'invoices', 'payments'])
      ids[section] = (await owner.api(`/${section}`)).body.items[0].id
    await owner.post(`/proposals/${ids.proposals}/comments`, { text: 'One question' })
    const routes = await viewed()
    expect(routes.length).to.be.above(30)
    const before = await rows(scene)
    let shown = 0
    for (const { path } of routes) {
      const section = path.split('/').find(it => it in ids) ?? ''
      const address =
        place +
        path
          .replace(/^.*:person\/?/, '')
          .replace('{/:paper}', '')
          .replaceAll(/:\w+/g, ids[section] ?? '1')
      for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
        const { status } = await admin.agent[method](address)
        if (method === 'get') {
          expect(status, `${method} ${address}`).to.be.oneOf([200, 303, 404, 409])
          if (status === 200) shown++
        } else expect(status, `${method} ${address}`).to.equal(403)
      }
    }
    expect(shown).to.be.above(12)
    expect(await rows(scene)).to.deep.equal(before)
  })
})

/** Routes of the clients' pages as the settings mount them. */
async function viewed(): Promise<Route[]> {
  const { database } = await fresh()
  const portal = await createPortal({
    ...{ database, crm: adapter(database), staff, secrets: ['x'.repeat(32)] },
    flags: { enabledAnywhere: () => true, enabled: () => true },
  })
  const routes = routesOf(portal.settings).filter(it => it.path.startsWith('/view/:client/:person'))
  await portal.close()
  return routes
}

/** Every row of the CRM and of the portal, but who is signed in where. */
async function rows({ owner }: Scene) {
  const tables = (
    await owner.raw(`select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema in ('public', 'portal') and table_type = 'BASE TABLE'
        and table_name not in ('client_sessions', 'user_sessions') order by 1`)
  ).rows
  const contents = tables.map(async ({ name }: { name: string }) => {
    const { rows } = await owner.raw(
      `select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as is from ${name} t`,
    )
    return [name, rows[0].is]
  })
  return Object.fromEntries(await Promise.all(contents))
}

async function placeOf({ owner }: Scene, role: Role): Promise<string> {
  const { id } = await owner('portal.client_users')
    .where({ email: whoIs(role).email })
    .first('id')
  const { client_id } = await owner('portal.client_memberships').where({ person_id: id }).first('client_id')
  return `${settings}/view/${client_id}/${id}/`
}

async function begin(scene: Scene, admin: Visitor, role: Role): Promise<string> {
  const place = await placeOf(scene, role)
  const [client, person] = place.split('/').slice(-3)
  const began = await admin.postAt(`${settings}/view`, { client, person })
  expect(began.headers.location).to.equal(place)
  return place
}
