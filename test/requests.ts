import { expect } from 'chai'
import type { Visitor } from './visit.ts'

export const settings = '/settings/client-portal/requests'

/** Three things: one file, two files, one file. */
export const threeItems = 'Bank statements | All accounts, as PDF\nStock count | One sheet per shop | 2\nLoan agreement'

/** Hidden fields of a page's forms. */
export const hiddenIn = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([\w.]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name!,
      value!.replaceAll('&#34;', '"').replaceAll('&amp;', '&'),
    ]),
  )

type Form = Record<string, string | string[]>

/** Shows staff what would be sent to whom. */
export async function preview(admin: Visitor, form: Form = {}) {
  const { id = '' } = hiddenIn((await admin.at(`${settings}/new`)).text)
  const typed = {
    id,
    name: 'Year-end 2026',
    about: '',
    items: threeItems,
    dueOn: '',
    whom: 'chosen',
    client: '1',
    ...form,
  }
  return { typed, shown: await admin.postAt(`${settings}/new`, { ...typed, step: 'preview' }) }
}

/** Sends a list as staff do: the form, the preview, and then for good. */
export async function sendRequest(admin: Visitor, form: Form = {}) {
  const { typed, shown } = await preview(admin, form)
  expect(shown.status).to.equal(200)
  const { seen = '' } = hiddenIn(shown.text)
  const sent = await admin.postAt(settings, { ...typed, seen })
  expect(sent.status).to.equal(303)
  return { typed: { ...typed, seen }, shown, sent }
}

/** A request as this visitor has it. */
export const requestOf = async (who: Visitor, id: string) => (await who.api(`/requests/${id}`)).body.request

/** The one that was sent last. */
export async function latestRequest(who: Visitor) {
  const { body } = await who.api('/requests?sort=newest')
  return requestOf(who, body.items[0].id)
}

interface Which {
  id: string
}

/** Sends files for an item, as the form does. */
export function sendFiles(who: Visitor, request: Which, item: Which, files: [string, Buffer | string][]) {
  const home = `/portal/${who.person!.workspace}`
  const sending = who.agent.post(`${home}/requests/${request.id}/items/${item.id}/files`)
  for (const [name, content] of files) sending.attach('files', Buffer.from(content), { filename: name })
  return sending
}
