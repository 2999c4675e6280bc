import { expect } from 'chai'
import { leave, open, type Scene, type Visitor, whoIs } from '../../test/visit.ts'

const area = '/settings/client-portal/people/import'
const look = (it: Visitor, text: string | Buffer) =>
  it.agent.post(area).attach('file', Buffer.from(text), { filename: 'people.csv', contentType: 'text/csv' })
const confirm = (it: Visitor, text: string) => it.agent.post(`${area}/confirmation`).field('text', text)
const asked = async ({ owner }: Scene) =>
  (await owner('portal.client_invitations').orderBy('email').select('email', 'client_name', 'role', 'name')).map(it =>
    Object.values(it).join(),
  )

describe('people of a spreadsheet', () => {
  afterEach(leave)

  const good =
    '\ufeffName;E-mail;Cliente;Rol\r\nJo Vos;Jo@acmebakery.example;acme bakery;Billing\r\n"Łuc, O’Dell";luc@else.where;Halloran & Sons;\r\n'

  it('are shown first, and invited when it is confirmed and not before', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    expect(await admin.at('/settings/client-portal/people')).to.show('Invite many')
    expect(await admin.at(area)).to.show('Check the file')
    const shown = await look(admin, good)
    expect(shown)
      .to.include({ status: 200 })
      .and.show('2 people will be invited', 'Łuc, O’Dell', 'Acme Bakery</span>, Billing', 'Invite these 2 people')
    expect([await asked(scene), scene.mails]).to.deep.equal([[], []])

    expect((await confirm(admin, good)).headers.location).to.equal('/settings/client-portal/people?done=invited')
    expect(await asked(scene)).to.deep.equal([
      'jo@acmebakery.example,Acme Bakery,billing,Jo Vos',
      'luc@else.where,Halloran & Sons,member,Łuc, O’Dell',
    ])
    expect((await scene.mailTo('luc@else.where')).text).to.include('/invitation/')
    expect(await look(admin, good))
      .to.show('Already invited; the link is still valid.')
      .and.not.show('Invite these')
    expect((await confirm(admin, good)).headers.location).to.equal(area)
  })

  it('that cannot be invited are named by their line, with what to do', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const lines: [string, string][] = [
      [',a@b.example,Acme Bakery', 'The name is missing.'],
      ['=HYPERLINK("x"),a@b.example,Acme Bakery', 'begins like a formula'],
      ['Jo,,Acme Bakery', 'The e-mail address is missing.'],
      ['Jo,nonsense,Acme Bakery', 'nonsense is not a valid e-mail address. Use one like jo@example.com.'],
      ['Jo,jo@x.example', 'The client is missing.'],
      ['Jo,jo@x.example,No Such Ltd', 'The CRM has no client No Such Ltd.'],
      ['Jo,jo@x.example,Thornbury Garden Centres', 'The CRM has no client Thornbury'],
      ['Jo,jo@x.example,Acme Bakery,owner', 'There is no role owner. Write one of: Admin, Approver'],
      [`${'x'.repeat(201)},jo@x.example,Acme Bakery`, 'The name is too long.'],
      ['<script>alert(1)</script>,nonsense,Acme Bakery', '&lt;script&gt;'],
    ]
    const { text, status } = await look(admin, lines.map(it => it[0]).join('\n'))
    expect(status).to.equal(200)
    for (const [at, [, sentence]] of lines.entries())
      expect(text, sentence)
        .to.include(`Line ${at + 1}<`)
        .and.include(sentence)
    expect(text).to.include('10 lines invite nobody').and.not.include('<script>alert').and.not.include('/confirmation"')

    const mixed = `${lines[3]![0]}\n${whoIs('owner').name},${whoIs('owner').email.toUpperCase()},Acme Bakery\nJo,jo@x.example,Acme Bakery\nJo again,JO@x.example,acme bakery`
    expect(await look(admin, mixed)).to.show(
      'One line invites nobody',
      'Already has access.',
      'The same as line 3.',
      'One person will be invited',
    )
    await confirm(admin, mixed)
    expect(await asked(scene)).to.deep.equal(['jo@x.example,Acme Bakery,member,Jo'])
  })

  it('confirmed by two at the same time are invited once', async () => {
    const scene = await open({ mail: 'kept' })
    const [one, two] = [await scene.visit('admin'), await scene.visit('admin')]
    await Promise.all([confirm(one, good), confirm(two, good)])
    expect(await asked(scene)).to.have.length(2)
  })

  it('are all invited or none', async () => {
    const scene = await open({ mail: 'kept' })
    const admin = await scene.visit('admin')
    const many = Array.from({ length: 40 }, (_, at) => `Person ${at},p${at}@x.example,Acme Bakery`).join('\n')
    await scene.owner.raw(`create function portal.refuse() returns trigger language plpgsql as $$
      begin if new.email = 'p38@x.example' then raise 'no'; end if; return new; end $$`)
    await scene.owner.raw(
      'create trigger refuse before insert on portal.client_invitations for each row execute function portal.refuse()',
    )
    expect((await confirm(admin, many)).status).to.equal(500)
    expect(await asked(scene)).to.be.empty
    await scene.owner.raw('drop trigger refuse on portal.client_invitations')
    expect((await confirm(admin, many)).status).to.equal(303)
    expect(await asked(scene)).to.have.length(40)
  })

  it('of a file that is none, too large or empty are answered with what to do', async () => {
    const scene = await open()
    const admin = await scene.visit('admin')
    expect(await look(admin, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe])))
      .to.include({ status: 200 })
      .and.show('One line invites nobody')
    expect(await look(admin, Buffer.alloc(6_000_000, 'a')))
      .to.include({ status: 422 })
      .and.show('This file is far too large.')
    expect(await look(admin, '')).to.show('Check the file')
    const shown = await confirm(admin, good)
    expect(shown).to.include({ status: 200 }).and.show('Send these links yourself', 'Halloran &amp; Sons')
  })
})
