import { expect } from 'chai'
import { leave, open, type Role, type Visitor, whoIs } from '../../test/visit.ts'
import { sections } from '../plugin/discover.ts'

const settings = '/settings/client-portal'
const roles = ['owner', 'approver', 'member', 'viewer', 'neighbour'] as const
const lists = sections.filter(it => `${it.name}.see` in it.permissions && !it.unlisted).map(it => it.name)

const asked = (it: Record<string, string>) => `${settings}/why?${new URLSearchParams(it)}`
const explained = async (admin: Visitor, who: Role, section: string, record = '') => {
  const page = await admin.at(asked({ search: whoIs(who).email, section, record }))
  expect(page.status).to.equal(200)
  return { sees: /<h2>Yes: /.test(page.text), page }
}

describe('why somebody can see something', () => {
  afterEach(leave)

  it('is explained as requests are decided, whatever is set', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const people = await Promise.all(roles.map(async it => [it, await visit(it)] as const))
    const memberships = await database('portal.client_memberships').where({ workspace_id: '1' })
    const random = seeded(7)
    for (let at = 0; at < 12; at++) {
      await database('portal.client_portal_settings').del()
      await database('portal.client_roles').del()
      for (const name of lists) {
        const { client_id, person_id } = random(memberships)
        const rows = [{}, { client_id }, { client_id, person_id }].filter(() => random([true, false]))
        for (const row of rows)
          await database('portal.client_portal_settings')
            .insert({ workspace_id: '1', name, value: random(['true', 'false']), changed_by: 'a test', ...row })
            .onConflict()
            .ignore()
      }
      const permissions = { [`${random(lists)}.see`]: random([true, false]) }
      await database('portal.client_roles').insert({
        workspace_id: '1',
        role: random(memberships).role,
        permissions,
        changed_by: 'a test',
      })
      for (const [role, person] of people) {
        const section = random(lists)
        const { status } = await person.get(`/${section}`)
        const { sees, page } = await explained(admin, role, section)
        expect(sees, `${at}: ${role}, ${section}, ${status}`).to.equal(status === 200)
        if (!sees) expect(page.text).to.match(/switched off (by default|for )|does not include it/)
      }
    }
  })

  it('is explained for each permission as its route decides, whatever is set', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const people = await Promise.all(roles.map(async it => [it, await visit(it)] as const))
    const memberships = await database('portal.client_memberships').where({ workspace_id: '1' })
    const answered = ['proposals', 'quotations'] as const
    const documents = await openDocuments(database)
    const random = seeded(11)
    const outcomes = new Set<string>()
    for (let at = 0; at < 16; at++) {
      await database('portal.client_portal_settings').del()
      await database('portal.client_roles').del()
      const names = [...answered.flatMap(it => [it, `${it}.responses`, `${it}.questions`]), 'limit']
      for (const name of [random(names), random(names), random(names)]) {
        const { client_id, person_id } = random(memberships)
        const value = name === 'limit' ? '"1 EUR"' : random(['true', 'false'])
        const places = [{}, { client_id }, { client_id, person_id }]
        for (const row of places.slice(name === 'limit' ? 1 : 0).filter(() => random([true, false])))
          await database('portal.client_portal_settings')
            .insert({ workspace_id: '1', name, value, changed_by: 'a test', ...row })
            .onConflict()
            .ignore()
      }
      const permissions = { [`${random(answered)}.${random(['respond', 'comment'])}`]: random([true, false]) }
      const { role } = random(memberships)
      await database('portal.client_roles').insert({ workspace_id: '1', role, permissions, changed_by: 'a test' })
      for (const [who, person] of people) {
        const section = random(answered)
        const { id, number } = documents(who, section)
        const { page } = await explained(admin, who, section, number)
        if (page.text.includes('has no such record')) throw new Error(`${who} has no ${number}`)
        const said = (permission: string) =>
          new RegExp(`data-permission="${section}.${permission}">[^]*?<b>(Yes|No): `).exec(page.text)?.[1]
        const acceptance = await person.get(`/${section}/${id}/acceptance`)
        const question = await person.post(`/${section}/${id}/comments`, { text: '' })
        const hint = `${at}: ${who}, ${section}`
        const accepts = acceptance.status === 200
        expect(said('respond'), `${hint}, ${acceptance.status}`).to.equal(accepts ? 'Yes' : 'No')
        expect(said('comment'), `${hint}, ${question.status}`).to.equal(question.status === 422 ? 'Yes' : 'No')
        outcomes.add(`${said('respond')} ${said('comment')}`)
      }
    }
    expect([...outcomes].sort()).to.deep.equal(['No No', 'No Yes', 'Yes No', 'Yes Yes'])
  })

  it('names the switch of a permission, and what of a record keeps somebody from answering', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const client_id = await clientOf(database)
    const ask = async (who: Role, record = '') => (await explained(admin, who, 'proposals', record)).page
    expect(await ask('owner')).to.show('What Nadia El-Khoury can do there', 'Yes: Accept and decline proposals')
    expect(await ask('viewer')).to.show('No: Ask about proposals', 'The role Viewer does not include it.')
    expect(await ask('owner', 'P-2026-015')).to.show('No: Accept and decline proposals', 'waits for no response')
    const row = { workspace_id: '1', client_id, changed_by: 'a test' }
    const person_id = (
      await database('portal.client_users')
        .where({ email: whoIs('owner').email })
        .first('id')
    ).id
    await database('portal.client_portal_settings').insert([
      { ...row, person_id, name: 'limit', value: '"100.00 EUR"' },
      { ...row, name: 'proposals.questions', value: 'false' },
    ])
    const page = await ask('owner', 'P-2026-031')
    expect(page).to.show('It is above their limit of €100.00.', 'is switched off for Acme Bakery.')
    expect(page).to.show(
      `href="${settings}/exceptions/${client_id}"`,
      `${settings}/exceptions/${client_id}/${person_id}`,
    )
  })

  it('names the rule and where it is changed', async () => {
    const { visit, owner: database } = await open()
    const [admin, owner] = [await visit('admin'), await visit('owner')]
    const [{ id, number }] = (await owner.api('/invoices')).body.items
    expect((await explained(admin, 'owner', 'invoices', number)).page).to.show('It belongs to Acme Bakery')
    expect((await explained(admin, 'owner', 'invoices', id)).sees).to.equal(true)
    const foreign = await database('public.invoices')
      .whereNot({ client_id: await clientOf(database) })
      .first('id', 'ref_no')
    for (const record of [String(foreign.id), foreign.ref_no, 'nothing'])
      expect((await explained(admin, 'owner', 'invoices', record)).page).to.show('Acme Bakery has no such record')

    await admin.postAt(`${settings}/visibility`, { 'was.invoices': 'on' })
    expect((await explained(admin, 'owner', 'invoices', number)).page).to.show(
      '“Invoices” is switched off for the whole workspace.',
      `href="${settings}/visibility"`,
    )
    await database('portal.client_users')
      .where({ email: whoIs('owner').email })
      .update({ suspended_at: new Date() })
    expect((await explained(admin, 'owner', 'proposals')).page).to.show('is suspended and cannot sign in')
  })

  it('asks which person is meant, and knows nobody of another workspace', async () => {
    const { visit } = await open()
    const admin = await visit('admin')
    const many = await admin.at(asked({ search: 'Acme', section: 'invoices' }))
    expect(many).to.show('Who do you mean?', whoIs('owner').email).and.not.show('Yes: ')
    expect(await admin.at(asked({ search: whoIs('stranger').email, section: 'invoices' }))).to.show(
      'Nobody in the portal has this name or address.',
    )
    for (const nonsense of ['section=__proto__', 'section=x&search=%25', 'search=%00', 'person=x&client=y'])
      expect((await admin.at(`${settings}/why?${nonsense}`)).status).to.equal(200)
  })
})

describe('the effect of a toggle', () => {
  afterEach(leave)

  it('is told before it is saved, and is what happens', async () => {
    const { visit, owner: database } = await open()
    const admin = await visit('admin')
    const client_id = await clientOf(database)
    await database('portal.client_portal_settings').insert(
      [
        { name: 'invoices', value: 'true', client_id },
        { name: 'payments', value: 'false', client_id },
      ].map(it => ({ workspace_id: '1', changed_by: 'a test', ...it })),
    )
    const before = await effects(admin)
    expect(before.invoices).to.include({ kept: true })
    for (const name of ['invoices', 'proposals', 'payments']) {
      const { now, people } = before[name]!
      await admin.postAt(`${settings}/visibility`, { [`was.${name}`]: 'on' })
      expect((await effects(admin))[name], name).to.include({ now: now - people, people })
    }
  })

  it('names who changed what in the meantime, to whoever comes second', async () => {
    const { visit } = await open()
    const admin = await visit('admin')
    await admin.postAt(`${settings}/visibility`, { 'was.invoices': 'on' })
    const late = await admin.postAt(`${settings}/visibility`, { 'was.invoices': 'on', 'was.proposals': 'on' })
    expect(late).to.include({ status: 409 }).and.show('Marta Lindqvist switched this off in the meantime')
  })
})

/** Of each toggle: how many have it, and for how many its change would decide otherwise. */
async function effects(admin: Visitor) {
  const { text } = await admin.at(`${settings}/visibility`)
  const found = [...text.matchAll(/id="([\w.-]+)-about">([\s\S]*?)<\/p>[\s\S]*?id="[^"]*-effect">([\s\S]*?)<\/div>/g)]
  const number = (words: string) => Number(/(\d+) people/.exec(words)?.[1] ?? (/One person/.test(words) ? 1 : 0))
  return Object.fromEntries(
    found.map(([, name = '', now = '', effect = '']) => [
      name,
      { now: number(now), people: number(effect.split('</b>')[0]!), kept: effect.includes('an exception decides') },
    ]),
  )
}

const clientOf = async (database: any) =>
  String((await database('clients').where({ company_name: 'Acme Bakery' }).first('id')).id)

/** By role and section: a document of their client that waits for a response. */
async function openDocuments(database: any) {
  const clients = new Map<string, string>()
  for (const who of roles) {
    const { id } = await database('portal.client_users')
      .where({ email: whoIs(who).email })
      .first('id')
    const { client_id } = await database('portal.client_memberships').where({ person_id: id }).first('client_id')
    clients.set(who, client_id)
  }
  const proposals = await database('proposals').where({ state: 'sent', deleted_at: null, workspace_id: 1 })
  const quotations = await database('quotations').where({ status: 'sent', deleted_at: null, workspace_id: 1 })
  return (who: string, section: 'proposals' | 'quotations') => {
    const rows: any[] = section === 'proposals' ? proposals : quotations
    const waits = (it: any) => !it.valid_until || new Date(it.valid_until) > new Date('2026-11-23')
    const found = rows.find(it => String(it.client_id) === clients.get(who) && waits(it))
    if (!found) throw new Error(`${who} has no open ${section}`)
    return { id: found.id, number: found.ref_no }
  }
}

/** The same choices in every run. */
function seeded(seed: number) {
  let state = seed
  return <T>(of: readonly T[]): T => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return of[Math.floor((state / 2 ** 31) * of.length)]!
  }
}
