import { expect } from 'chai'
import { leave, open } from '../../test/visit.ts'

const area = '/settings/client-portal/activity'

describe('the timeline', () => {
  afterEach(leave)

  const filled = async () => {
    const scene = await open()
    const it = await scene.owner('clients').where({ company_name: 'Acme Bakery' }).first('id', 'workspace_id')
    const rows = (days: number, count: number, name: string, event = 'invoices.viewed') =>
      Array.from({ length: count }, (_, n) => ({
        workspace_id: String(it.workspace_id),
        client_id: String(it.id),
        event,
        actor_kind: 'client',
        actor_id: name,
        actor_name: name,
        subject: { number: `N-${n}` },
        at: new Date(Date.parse('2026-11-21T08:00:00Z') - days * 86_400_000),
      }))
    await scene
      .owner('portal.client_activity_logs')
      .insert([
        ...rows(40, 3, 'Long Ago'),
        ...rows(5, 60, 'Busy Bee'),
        ...rows(1, 2, '=HYPERLINK("x")', 'invoices.downloaded'),
      ])
    return { ...scene, admin: await scene.visit('admin') }
  }

  it('is filtered by event, name and days, and counted by day', async () => {
    const { admin } = await filled()
    const bee = await admin.at(`${area}?name=busy`)

    expect(bee).to.show('Busy Bee', 'N-59', '16 Nov 2026', '>60<').and.not.show('Long Ago', 'HYPERLINK')
    expect(await admin.at(area)).to.not.show('Long Ago')
    expect(await admin.at(`${area}?from=2026-10-01&until=2026-10-31`))
      .to.show('Long Ago')
      .and.not.show('Busy Bee')
    expect(await admin.at(`${area}?kind=download`))
      .to.show('HYPERLINK')
      .and.not.show('Busy Bee')
    expect(await admin.at(`${area}?name=nobody-like-this`)).to.show('No activity found')
    expect(await admin.at(`${area}?name=%25`)).to.show('No activity found')
  })

  it('has pages', async () => {
    const { admin } = await filled()
    const first = await admin.at(`${area}?name=busy`)
    const [, next] = /rel="next" href="([^"]+)"/.exec(first.text)!

    expect(await admin.at(next!.replaceAll('&#38;', '&').replaceAll('&amp;', '&')))
      .to.show('N-9<', 'N-0<')
      .and.not.show('N-59', 'rel="next"')
  })

  it('shows a list for any query', async () => {
    const { admin } = await filled()
    for (const query of [
      'from=x',
      'from=2027-01-01&until=2026-01-01',
      'from=0001-01-01',
      'until=9999-12-31',
      'before=x',
      'event[]=a',
      'name=%00',
      'before=999999999999999999',
      'before=NaN',
      'page=NaN',
      'from=2026-02-30&until=NaN',
      'from=2000-01-01&until=2099-12-31',
      'until=2000-01-01',
      'kind=nothing',
    ]) {
      const page = await admin.at(`${area}?${query}`)
      expect(page.status, query).to.equal(200)
      expect(page, query).to.not.show('NaN').and.not.show('Infinity').and.not.show('Invalid')
    }
    expect(await admin.at(area))
      .to.show('Changes and responses')
      .and.not.show('…')
  })

  it('shows entries of an older version, which lack a value', async () => {
    const { admin, owner } = await filled()
    await owner('portal.client_activity_logs').insert([
      { workspace_id: '1', event: 'team.limited', actor_kind: 'system', at: new Date('2026-11-20T08:00:00Z') },
      { workspace_id: '1', event: 'account.ended', actor_kind: 'system', at: new Date('2026-11-20T08:00:00Z') },
    ])
    const sentence = 'changed how much … may accept: up to … before, up to … now'
    expect(await admin.at(`${area}?from=2026-11-20&until=2026-11-20`)).to.show(sentence, 'other devices')
    expect((await admin.at(`${area}.csv?from=2026-11-20&until=2026-11-20`)).text).to.include(sentence)
  })

  it('is taken away as CSV, which runs nothing and is an event itself', async () => {
    const { admin } = await filled()
    const { text, headers, type } = await admin.at(`${area}.csv?kind=download`)

    expect(type).to.equal('text/csv')
    expect(headers['content-disposition']).to.equal(
      'attachment; filename=brightside-activity-2026-10-23-2026-11-21.csv',
    )
    expect(text.split('\r\n')).to.have.length(4)
    expect(text).to.include(`invoices.downloaded,downloaded invoice N-1,client,"'=HYPERLINK(""x"")"`)
    expect(await admin.at(area)).to.show('downloaded 2 rows of activity')
  })

  it('is taken away whole, however long it is', async () => {
    const { admin, owner } = await filled()
    const { id, workspace_id } = await owner('clients')
      .where({ company_name: 'Acme Bakery' })
      .first('id', 'workspace_id')
    await owner.raw(
      `insert into portal.client_activity_logs (workspace_id, client_id, event, actor_kind, actor_id, actor_name, subject, at)
       select :workspace, :client, 'invoices.viewed', 'client', 'm', 'Many Times', jsonb_build_object('number', 'M-' || n),
         timestamptz '2026-11-18 08:00Z' from generate_series(1, 50001) n`,
      { workspace: String(workspace_id), client: String(id) },
    )
    const { text } = await admin.at(`${area}.csv?name=many`)
    const numbers = [...text.matchAll(/invoice M-(\d+),/g)].map(it => Number(it[1]))
    expect(numbers).to.deep.equal(Array.from({ length: 50_001 }, (_, at) => 50_001 - at))
    expect(text.match(/actor_kind/g)).to.have.length(1)
    expect(await admin.at(area)).to.show('downloaded 50,001 rows of activity')
  })

  it('shows a person what they did, and an admin of the client what its people did', async () => {
    const { visit } = await filled()
    const [owner, member, neighbour] = [await visit('owner'), await visit('member'), await visit('neighbour')]

    expect(await owner.get('/activity'))
      .to.show('Youssef Amrani', 'You', 'HYPERLINK')
      .and.not.show('Declan')
    expect(await member.get('/activity'))
      .to.show('You')
      .and.not.show('Nadia', 'HYPERLINK')
    expect(await neighbour.get('/activity'))
      .to.show('You')
      .and.not.show('Nadia', 'Busy Bee')
  })
})
