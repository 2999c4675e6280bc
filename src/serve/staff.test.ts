import { expect } from 'chai'
import type { Express } from 'express'
import request from 'supertest'
import { map } from '../../demo/adapter/map.ts'
import { role } from '../../demo/portal-database.ts'
import { leave, open, type Scene } from '../../test/visit.ts'
import { hashed } from '../auth/passwords.ts'
import { adapterOf } from '../index.ts'
import { standAlone } from './app.ts'
import { addStaff } from './staff.ts'

const lea = { email: 'lea@brightside.example', name: 'Lea Vos', password: 'tall grass under slow clouds' }
const mia = { email: 'mia@brightside.example', name: 'Mia Roos', password: 'nine geese over a frozen lake' }
const another = 'six kettles on a quiet shelf'

interface Alone extends Scene {
  alone: Express
  /** A browser of one's own, at `/staff/brightside`. */
  browser(): Browser
  signIn(who?: { email: string; password: string }): Promise<Browser>
  addLea(more?: { password?: string; admin?: boolean }): Promise<void>
}

/** The demo's CRM with a table of staff, and its portal standing alone; Lea is the portal's own, Mia the CRM's. */
async function served({ on = true } = {}): Promise<Alone> {
  const scene = await open()
  await scene.owner.raw(`
    create table public.crew (id int primary key, workspace_id int, full_name text, email text, secret text, boss boolean);
    grant select on public.crew to ${role};`)
  await scene.owner('public.crew').insert({
    ...{ id: 7, workspace_id: 1, full_name: mia.name, email: mia.email, boss: true },
    secret: await hashed(mia.password),
  })
  const staff = {
    ...{
      table: 'crew',
      workspace: 'workspace_id',
      name: 'full_name',
      email: 'email',
      password: 'secret',
      admin: 'boss',
    },
  }
  const { app, close } = await standAlone({
    database: scene.database,
    crm: adapterOf({ ...map, staff }, scene.database),
    flags: { anywhere: () => on, enabled: () => on },
    secrets: ['a secret of at least thirty-two characters'],
    log: { info() {}, warn() {}, error() {} },
  })
  closing.push(close)
  const workspace = { id: '1', slug: 'brightside', name: 'Brightside', letterhead: [], timeZone: 'UTC' }
  const it = {
    ...scene,
    alone: app,
    browser: () => browser(app),
    async signIn({ email, password } = lea) {
      const one = browser(app)
      expect((await one.post('/sign-in', { email, password })).status).to.equal(303)
      return one
    },
    addLea: (more = {}) => addStaff(scene.database, workspace, { ...lea, admin: true, ...more }),
  }
  await it.addLea()
  return it
}

const closing: (() => Promise<void>)[] = []

type Browser = ReturnType<typeof browser>

function browser(app: Express) {
  const agent = request.agent(app)
  const home = '/staff/brightside'
  return {
    agent,
    at: (address: string) => agent.get(address),
    get: (path: string) => agent.get(home + path),
    post: (path: string, form: object = {}) =>
      agent
        .post(home + path)
        .type('form')
        .send(form),
    /** Whether the settings area is there for them. */
    inside: async () => (await agent.get('/settings/client-portal/')).status === 200,
  }
}

describe('staff of a portal that stands alone', () => {
  afterEach(async () => {
    await Promise.all(closing.splice(0).map(it => it()))
    await leave()
  })

  it('are signed out everywhere by a new password of theirs, and by nobody else’s', async () => {
    const { signIn, addLea, owner } = await served()
    const [leas, mias] = [await signIn(), await signIn(mia)]
    for (const it of [leas, mias]) expect(await it.inside()).to.equal(true)

    await addLea({ password: another })
    expect(await leas.inside(), 'given by staff add').to.equal(false)
    expect(await mias.inside()).to.equal(true)
    expect(await (await signIn({ ...lea, password: another })).inside()).to.equal(true)

    await owner('public.crew').update({ secret: await hashed(another) })
    expect(await mias.inside(), 'changed in the CRM').to.equal(false)
    expect(await (await signIn({ ...mia, password: another })).inside()).to.equal(true)
  })

  it('are signed out when they are gone, and lose at once what they may no more', async () => {
    const { signIn, addLea, owner } = await served()
    const [leas, mias] = [await signIn(), await signIn(mia)]
    await addLea({ admin: false })
    expect((await leas.at('/settings/client-portal/')).status, 'the same password, stored anew').to.equal(404)
    await owner('public.crew').update({ boss: false })
    expect((await mias.at('/settings/client-portal/')).status).to.equal(403)

    const again = await signIn()
    await owner('portal.client_staff').delete()
    await owner('public.crew').delete()
    for (const it of [again, mias]) expect((await it.at('/settings/client-portal/')).status).to.equal(404)
  })

  it('are not let in by a session from before it knew the state of their password', async () => {
    const { signIn, owner } = await served()
    const leas = await signIn()
    await owner('portal.client_sessions').update({ sess: owner.raw(`sess #- '{staff,state}'`) })
    expect(await leas.inside()).to.equal(false)
  })
})
