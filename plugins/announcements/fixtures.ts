import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { query } from '../../src/platform/database.ts'

/** Announcements of one workspace, for the demo. Made once. */
export async function fixtures(owner: Knex): Promise<void> {
  const [one] = await query(owner, { text: 'select from portal.client_announcements limit 1' })
  if (one) return
  for (const { title, text, important, days } of samples)
    await query(owner, {
      text: `insert into portal.client_announcements (workspace_id, id, title, text, important, starts_on, ends_on, by_name)
             values ('1', $1, $2, $3, $4, portal.now()::date - $5::int, portal.now()::date + 60, 'Marta Lindqvist')`,
      values: [uuid(), title, text, important, days],
    })
}

const samples = [
  {
    title: 'We are closed from 24 December to 2 January',
    text: 'The studio is closed between the years. For **urgent problems with your website**, call +31 20 555 01 44.\n\nProofs that you approve by 18 December go live before we close.',
    important: true,
    days: 2,
  },
  {
    title: 'A new place for your brand files',
    text: 'Logos, colours and fonts are now under Documents, in the folder Brand. [How to use them](https://brightside.example/brand-guide).',
    important: false,
    days: 9,
  },
  {
    title: 'Meet us at the design days in Utrecht',
    text: 'We show three projects of this year, and there is coffee: https://design-days.example/brightside.',
    important: false,
    days: 16,
  },
]
