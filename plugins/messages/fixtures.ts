import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { query } from '../../src/platform/database.ts'
import { type Author, keepMessage, keepThread, noteReader } from './keep.ts'

/** Minutes ago, by whom, and what. */
type Said = [ago: number, by: 'jonas' | 'marta' | 'first' | 'second', text: string]

interface Sample {
  /** Which of the clients it is with, from 0. */
  client: number
  title: string
  said: Said[]
  /** Up to which message the first person of the client has read. */
  read?: number
  note?: string
  done?: boolean
}

const hour = 60
const day = 24 * hour

const samples: Sample[] = [
  {
    client: 0,
    title: 'Gift box',
    said: [
      [4 * day + 30, 'jonas', 'The dummy is folded. It closes, it stands, and it survived my bicycle.'],
      [4 * day + 10, 'first', 'Lovely. Can the sun sit a little lower? It should rise from behind the loaf.'],
      [
        3 * day + 90,
        'jonas',
        'Done. One thing: may the box be 4 mm taller? The ribbon rubs against the lid otherwise. Same price, same delivery date.\nThe drawing is at https://brightside.example/gift-box.',
      ],
      [3 * day + 60, 'second', 'Fits the shelf in all five shops, I measured.'],
      [95, 'jonas', 'Great. Shall I send it to print on Monday?'],
      [62, 'first', 'Yes, 4 mm taller. Please print.'],
    ],
    read: 6,
    note: 'The printer needs the new die line by Tuesday noon.',
  },
  {
    client: 0,
    title: 'Winter campaign',
    said: [
      [6 * day, 'first', 'When can we see a first version?'],
      [20 * hour, 'marta', 'The proposal is ready. The film is optional.'],
    ],
    read: 1,
  },
  {
    client: 0,
    title: 'Opening hours on the website',
    said: [
      [18 * day, 'first', 'From January we open at 8. Can you change the page?'],
      [17 * day, 'marta', 'It’s changed. Have a look, and tell me if anything is missing.'],
      [17 * day - 40, 'first', 'Perfect, thank you.'],
    ],
    read: 3,
    done: true,
  },
  {
    client: 1,
    title: 'Login for our new colleague',
    said: [
      [2 * day, 'first', 'Can you set up a login for Rowan?'],
      [2 * day - 5, 'first', 'She starts on Monday.'],
    ],
  },
  {
    client: 2,
    title: 'Logo as a vector file',
    said: [[5 * hour, 'first', 'Our printer asks for the logo as a vector file. Do you have one?']],
  },
]

const staff: Record<'jonas' | 'marta', Author> = {
  jonas: { kind: 'staff', id: 'jonas', name: 'Jonas Okafor' },
  marta: { kind: 'staff', id: 'marta', name: 'Marta Lindqvist' },
}

interface Client {
  id: string
  name: string
  people: { id: string; name: string }[]
}

/** Conversations with the first clients of a workspace, for the demo and tests. Made once. */
export async function fixtures(owner: Knex, workspace = '1'): Promise<void> {
  const [one] = await query(owner, {
    text: 'select from portal.client_message_threads where workspace_id = $1 limit 1',
    values: [workspace],
  })
  if (one) return
  const clients = await query<Client>(owner, {
    text: `select m.client_id as id, max(m.client_name) as name,
             jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name) order by m.role <> 'admin', u.id) as people
           from portal.client_memberships m
             join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
           where m.workspace_id = $1 group by m.client_id order by m.client_id::int limit 3`,
    values: [workspace],
  })
  if (!clients.length) return
  await owner.transaction(async tx => {
    for (const it of samples) {
      const client = clients[it.client]
      if (client?.people.length) await converse(tx, workspace, client, it)
    }
    await query(tx, {
      text: `insert into portal.client_message_quick_replies (workspace_id, id, title, text, by_name)
             select $1, gen_random_uuid(), it ->> 0, it ->> 1, 'Marta Lindqvist' from jsonb_array_elements($2::jsonb) it`,
      values: [workspace, JSON.stringify(quick)],
    })
  })
}

const quick = [
  ['Thanks, on it', 'Thank you. I’m on it, and will write again today.'],
  ['Which version?', 'Which version do you mean? Its number is at the top right of the first page.'],
]

async function converse(tx: Knex.Transaction, workspace: string, client: Client, it: Sample) {
  const { title, said, read = 0, note, done = false } = it
  const [first, second = first] = client.people
  const author = (by: Said[1]): Author =>
    by === 'jonas' || by === 'marta' ? staff[by] : { kind: 'client', ...(by === 'first' ? first! : second!) }
  const thread = await keepThread(tx, {
    ...{ workspace, id: uuid(), client: { id: client.id, name: client.name }, title },
    by: author(said[0]![1]),
  })
  const of = { workspace, client: client.id, thread }
  for (const [ago, by, text] of said) {
    const { seq } = await keepMessage(tx, { ...of, id: uuid(), by: author(by), text })
    await query(tx, {
      text: `update portal.client_messages set at = portal.now() - $4 * interval '1 minute',
               answered_after = case when answered_after is not null then 5400 end
             where workspace_id = $1 and thread_id = $2 and seq = $3`,
      values: [workspace, thread, seq, ago],
    })
  }
  const [last, by] = said.at(-1)!
  await query(tx, {
    text: `update portal.client_message_threads set last_at = portal.now() - $3 * interval '1 minute',
             waiting_since = case when waiting_since is not null and not $4 then portal.now() - $3 * interval '1 minute' end
           where workspace_id = $1 and id = $2`,
    values: [workspace, thread, last, done],
  })
  // What somebody wrote here, they had read; what came later, they may not have.
  await query(tx, {
    text: `update portal.client_message_readers set read_to = $4 where workspace_id = $1 and thread_id = $2
             and kind = 'client' and person_id = $3`,
    values: [workspace, thread, first!.id, read || said.length],
  })
  await noteReader(tx, { ...of, by: { kind: 'client', ...first! }, readTo: 0, follows: true })
  if (by !== 'jonas' && by !== 'marta') await noteReader(tx, { ...of, by: staff.marta, readTo: said.length - 1 })
  if (!note) return
  await query(tx, {
    text: `insert into portal.client_message_notes (workspace_id, thread_id, id, after_seq, staff_id, staff_name, text, at)
           values ($1, $2, $3, 4, 'marta', 'Marta Lindqvist', $4, portal.now() - interval '3 days')`,
    values: [workspace, thread, uuid(), note],
  })
}
