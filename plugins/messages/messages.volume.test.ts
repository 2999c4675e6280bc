import { expect } from 'chai'
import { begin, inbox } from '../../test/messages.ts'
import { leave, open, type Scene } from '../../test/visit.ts'
import { readInFull, stopwatch } from '../../test/volume.ts'

/** Conversations; the first client has a fifth of them. */
const many = 100_000
/** Messages of the longest one. */
const longest = 20_000
const tables = [
  'client_message_threads',
  'client_messages',
  'client_message_readers',
  'client_message_drafts',
  'client_message_files',
]

const thread = (at: number | string) => `('0199a000-0000-7000-8000-' || lpad((${at})::text, 12, '0'))::uuid`

/** Four messages in each, by clients and staff; one in ten waits, and staff have a third. Two people of each take part. */
async function fill({ owner }: Scene, { person, staff }: { person: string; staff: string }) {
  const client = `case when i <= ${many / 5} then '1' else (1000 + i % 500)::text end`
  const reader = `case when i <= ${many / 5} then '${person}' else 'p' || i % 500 end`
  const rows = [
    `client_message_threads (workspace_id, id, client_id, client_name, title, last_seq, last_at, last_kind, last_name,
       last_text, waiting_since, staff_id, staff_name)
     select '1', ${thread('i')}, ${client}, 'Client ' || i % 500, 'Conversation ' || i,
       case when i = 11 then ${longest} else 4 end, portal.now() - i * interval '1 minute', case when i % 2 = 0 then 'client' else 'staff' end, 'Sanne',
       'What was said last', case when i % 10 = 0 then portal.now() - i * interval '1 minute' end,
       case when i % 3 = 0 then '${staff}' end, case when i % 3 = 0 then 'Marta' end
     from generate_series(1, ${many}) i`,
    `client_messages (workspace_id, thread_id, seq, id, client_id, author_kind, author_id, author_name, text, answered_after, at)
     select '1', ${thread('i')}, n, gen_random_uuid(), ${client}, case when n % 2 = 1 then 'client' else 'staff' end,
       case when n % 2 = 1 then 'p' || i % 500 else '${staff}' end, 'Sanne', 'We ask about item ' || i || ', part ' || n || ' of the order.',
       case when n % 2 = 0 then 600 end, portal.now() - i * interval '1 minute'
     from generate_series(1, ${many}) i, generate_series(1, case when i = 11 then ${longest} else 4 end) n`,
    `client_message_readers (workspace_id, client_id, thread_id, kind, person_id, name, wrote, follows, read_to)
     select '1', ${client}, ${thread('i')}::text, kind, case kind when 'client' then ${reader} else '${staff}' end,
       'Sanne', true, true, case when i % 7 = 0 then 2 when i = 11 then ${longest} else 4 end
     from generate_series(1, ${many}) i, unnest('{client,staff}'::text[]) kind`,
    `client_message_staff (workspace_id, staff_id, name) values ('1', '${staff}', 'Marta') on conflict do nothing`,
  ]
  const all = [...tables, 'client_message_staff']
  for (const it of all) await owner.raw(`alter table portal.${it} no force row level security`)
  for (const it of rows) await owner.raw(`insert into portal.${it}`)
  for (const it of all) await owner.raw(`alter table portal.${it} force row level security`)
  await owner.raw(`vacuum analyze ${tables.map(it => `portal.${it}`).join(', ')}`)
}

describe('messages', () => {
  afterEach(leave)

  it('of a client who has 20,000 conversations are listed by indexes, for the client and for staff', async function () {
    this.timeout(900_000)
    const scene = await open()
    const [owner, admin] = [await scene.visit('owner'), await scene.visit('admin')]
    const { id: person } = await scene.owner('portal.client_users').where({ email: owner.person!.email }).first('id')
    const begun = await begin(owner, 'Hello.')
    await admin.postAt(`${inbox}/${begun}/read`, { seq: '1' })
    const { staff_id: staff } = await scene.owner('portal.client_message_staff').first('staff_id')
    await fill(scene, { person, staff })
    const before = await readInFull(scene, tables)
    const { ask, print } = stopwatch()
    const one = '0199a000-0000-7000-8000-000000000011'
    await ask('first page', () => owner.get('/'))
    await ask('waiting', () => owner.get('/waiting'))
    for (const query of ['', '?status=unread']) await ask(`client ${query}`, () => owner.get(`/messages${query}`))
    for (const query of ['status=all', 'status=unread']) {
      const { next } = (await owner.api(`/messages?${query}`)).body
      expect(next).to.be.a('string')
      await ask(`client ${query}, next`, () => owner.get(`/messages?${query}&after=${encodeURIComponent(next)}`))
    }
    await ask('client, one', () => owner.get(`/messages/${one}`))
    await ask('client, one as API', () => owner.api(`/messages/${one}`))
    const full = (await readInFull(scene, tables)) - before
    for (const query of ['', '?show=mine', '?show=all']) await ask(`staff ${query}`, () => admin.at(`${inbox}${query}`))
    for (const query of ['?search=conversation+199', '?search=nothing+like+it'])
      await ask(`client ${query}`, () => owner.get(`/messages${query}`))
    for (const query of ['?show=all&search=client+499', '?show=all&search=item+99999,'])
      await ask(`staff ${query}`, () => admin.at(`${inbox}${query}`))
    for (const show of ['waiting', 'mine', 'all']) {
      const [, after] = /after=([^"&]+)/.exec((await admin.at(`${inbox}?show=${show}`)).text) ?? []
      expect(after, show).to.be.a('string')
      await ask(`staff ${show}, next`, () => admin.at(`${inbox}?show=${show}&after=${after}`))
    }
    await ask('staff, one', () => admin.at(`${inbox}/${one}`))
    await ask('staff, one in all', () => admin.at(`${inbox}/${one}?show=all`))
    print()
    expect(full, 'read in full').to.be.below(many / 10)
  })
})
