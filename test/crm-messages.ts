import type { Knex } from 'knex'
import { z } from 'zod'
import { adapter } from '../demo/adapter/adapter.ts'
import type { Message, Messages, Summary } from '../plugins/messages/port.ts'
import type { Crm, Customer } from '../src/crm/crm.ts'
import { Conflict, NotFound } from '../src/http/errors.ts'
import { keyOf, page } from '../src/http/paging.ts'
import { query } from '../src/platform/database.ts'

/** A CRM that has messages of its own: two tables as many CRMs have them, numbered by the CRM. */
export const tables = `
  create table public.talks (id serial primary key, client_id integer not null, subject text not null);
  create table public.posts (
    id serial primary key, talk_id integer not null references public.talks, from_staff boolean not null, author text not null,
    body text not null, posted_at timestamptz not null default now(), portal_id uuid unique);
  grant select, insert on public.talks, public.posts to portico_app;
  grant usage on sequence public.talks_id_seq, public.posts_id_seq to portico_app;
  insert into public.talks (client_id, subject) values (1, 'Gift box'), (1, 'Winter campaign'), (2, 'Login');
  insert into public.posts (talk_id, from_staff, author, body, posted_at) values
    (1, true, 'Jonas Okafor', 'The dummy is folded.', now() - interval '3 days'),
    (1, false, 'Nadia El-Khoury', 'Lovely.', now() - interval '2 days'),
    (2, true, 'Marta Lindqvist', 'The proposal is ready.', now() - interval '1 day'),
    (3, true, 'Marta Lindqvist', 'Done.', now() - interval '1 day')`

/** The demo's adapter with the port for it, as its author would write it. */
export function withMessages(database: Knex): Crm {
  const crm = adapter(database)
  const connect: Crm['connect'] = (customer, tx) => ({
    ...crm.connect(customer, tx),
    messages: messagesOf(customer, tx ?? database),
  })
  return Object.create(crm, { connect: { value: connect } })
}

const Key = z.tuple([z.string(), z.number()])
const idOf = (id: string) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(2_147_483_647)
    .safeParse(/^\d+$/.test(id) ? id : '').data ?? 0

interface Talk {
  id: string
  title: string
  seq: number
  at: Date
  staff: boolean
  author: string
  body: string
}

function messagesOf({ client, person }: Customer, database: Knex): Messages {
  const talks = (where: string, values: unknown[]) =>
    query<Talk>(database, {
      text: `select t.id::text as id, t.subject as title, n.count as seq, p.posted_at as at, p.from_staff as staff, p.author, p.body
             from public.talks t
               cross join lateral (select count(*)::int as count from public.posts where talk_id = t.id) n
               cross join lateral (select * from public.posts where talk_id = t.id order by id desc limit 1) p
             where t.client_id = $1 and ${where}`,
      values: [Number(client.id) || 0, ...values],
    })
  const summary = ({ id, title, seq, at, staff, author, body }: Talk): Summary => ({
    ...{ id, title, seq, about: null, unread: 0, draft: '' },
    last: { at: at.toISOString(), by: staff ? 'staff' : 'client', name: author, text: body },
  })
  const matching = `(t.subject ilike $2 or exists (select from public.posts where talk_id = t.id and body ilike $2))`
  const like = (search = '') => `%${search.replace(/[\\%_]/g, '\\$&')}%`
  const own = async (id: string) => {
    const [talk] = await talks('t.id = $2', [idOf(id)])
    if (!talk) throw new NotFound()
    return talk
  }
  const post = async (talk: string, { id, text }: { id: string; text: string }) => {
    const [same] = await query<{ talk: string }>(database, {
      text: 'select talk_id::text as talk from public.posts where portal_id = $1',
      values: [id],
    })
    if (same && same.talk !== talk) throw new Conflict()
    const made = await query(database, {
      text: `insert into public.posts (talk_id, from_staff, author, body, portal_id) values ($1, false, $2, $3, $4)
             on conflict do nothing returning id`,
      values: [Number(talk), person.name, text, id],
    })
    const { title, seq } = await own(talk)
    return { thread: talk, title, seq, repeated: !made.length }
  }
  return {
    async list({ status, search, after, size }) {
      if (status === 'unread') return { items: [], next: null }
      const [at, id] = keyOf(after, Key) ?? [null, null]
      const rows = await talks(
        `${matching} and ($3::timestamptz is null or (p.posted_at, t.id) < ($3, $4)) order by p.posted_at desc, t.id desc limit $5`,
        [like(search), at, id, size + 1],
      )
      const { items, next } = page(rows, size, it => [it.at, Number(it.id)])
      return { items: items.map(summary), next }
    },
    async overview(search) {
      return { all: (await talks(matching, [like(search)])).length, unread: 0 }
    },
    async find(id, size = 50) {
      const talk = await own(id)
      const posts = await query<Talk & { id: string; at: Date }>(database, {
        text: `select id::text as id, posted_at as at, from_staff as staff, author, body from public.posts
               where talk_id = $1 order by id`,
        values: [Number(talk.id)],
      })
      const messages = posts.map(
        (it, at): Message => ({
          ...{ id: it.id, seq: at + 1, at: it.at.toISOString(), by: it.staff ? 'staff' : 'client', person: '' },
          ...{ name: it.author, own: !it.staff && it.author === person.name, text: it.body, byMail: false, files: [] },
        }),
      )
      return {
        ...{ ...summary(talk), messages: messages.slice(-size), more: messages.length > size },
        ...{ participants: [], follows: false, readTo: 0 },
      }
    },
    about: async () => undefined,
    async start({ title, ...message }) {
      const [same] = await query<{ talk: string }>(database, {
        text: 'select talk_id::text as talk from public.posts where portal_id = $1',
        values: [message.id],
      })
      if (same) return post(same.talk, message)
      const [made] = await query<{ id: string }>(database, {
        text: 'insert into public.talks (client_id, subject) values ($1, $2) returning id::text as id',
        values: [Number(client.id), title],
      })
      return post(made!.id, message)
    },
    async send(thread, message) {
      const { id } = await own(thread)
      return post(id, message)
    },
  }
}
