import type { Scene, Visitor } from './visit.ts'

export interface Shared {
  /** The page that tells the address. */
  made: { text: string }
  address: string
  /** Within the workspace's portal. */
  path: string
  /** Of the document. */
  id: string
}

/** A public link to a document of the owner's company, as staff make one; `contact` by e-mail address. */
export async function share(
  { visit, owner }: Scene,
  { section = 'proposals', number = 'P-2026-031', contact = '', ...more }: Record<string, string> = {},
): Promise<Shared> {
  const admin = await visit('admin')
  const settings = '/settings/client-portal'
  await owner('portal.client_portal_settings')
    .insert({ workspace_id: '1', name: `${section}.links`, value: 'true', changed_by: 'a test' })
    .onConflict()
    .ignore()
  const client = String((await owner('clients').where({ company_name: 'Acme Bakery' }).first('id')).id)
  const { id } = await owner(section).where({ ref_no: number, client_id: client }).first('id')
  const whom = contact ? String((await owner('contacts').where({ email: contact }).first('id')).id) : ''
  const form = { section, client, id, days: '30', contact: whom, ...more }
  const made = await admin.postAt(`${settings}/links`, form)
  const [address = '', path = ''] = /[^\s">]+\/brightside(\/link\/[\w-]+)/.exec(made.text) ?? []
  if (!path) throw new Error(`no link in ${made.text}`)
  return { made, address, path, id: String(id) }
}

/** Somebody without an account, at a browser as people have them. */
export async function person({ visit }: Scene): Promise<Visitor> {
  const it = await visit()
  it.agent.set('User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0')
  return it
}
