import { randomUUID } from 'node:crypto'
import { fixtures as notified } from '../../plugins/notifications/fixtures.ts'
import { unsubscribeAddress } from '../../plugins/notifications/unsubscribe.ts'
import { askDeletion, askExport } from '../../plugins/privacy/requests.ts'
import { fixtures } from '../../plugins/requests/fixtures.ts'
import { invite } from '../../src/auth/invitations.ts'
import { sections } from '../../src/plugin/discover.ts'
import { secret } from '../database.ts'
import { share } from '../links.ts'
import { answer, begin, inbox, write } from '../messages.ts'
import { type Role, type Scene, storage, whoIs } from '../visit.ts'
import { inside } from './browsing.ts'

/** Whose page it is, where, and the public link that opens it first, if one does. */
export type Place = [role: Role | undefined, address: string, link?: string]

/** One of every page that there is, in every state that looks different; addresses begin after the host. */
export async function everyPage(scene: Scene): Promise<Place[]> {
  const brightside = '/portal/brightside'
  const paper = async (table: string, what: object) => {
    const row = await scene.owner(`public.${table}`).where(what).first('id')
    return `${brightside}/${table}/${row.id}`
  }
  const { client_id } = await scene.owner('public.invoices').where({ ref_no: '2026-0107' }).first('client_id')
  const acme = (what: object) => ({ client_id, deleted_at: null, ...what })
  await scene
    .owner('public.proposals')
    .where(acme({ ref_no: 'P-2026-012' }))
    .update({ state: 'withdrawn' })
  const offers = ['P-2026-031', 'P-2026-024', 'P-2026-015', 'P-2026-019', 'P-2026-012']
  const bills = ['2026-0107', '2026-0118', '2026-0088', '2026-0112']

  await stoodOut(scene)
  await notified(scene.owner)

  const known = await invitation(scene, whoIs('neighbour').email)
  return [
    [undefined, `${brightside}/sign-in`],
    [undefined, `${brightside}/invitation/${await invitation(scene)}`],
    [undefined, `${brightside}/invitation/${known}`],
    ['neighbour', `${brightside}/invitation/${known}`],
    ['viewer', `${brightside}/invitation/${known}`],
    ['owner', `${brightside}/invitation/${await invitation(scene, whoIs('owner').email)}`],
    [undefined, `${brightside}/invitation/used`],
    [undefined, `${brightside}/invitation/${await withdrawn(scene)}`],
    [undefined, `${brightside}/invitation/used?asked`],
    [undefined, `${brightside}${await unlocking(scene)}`],
    [undefined, `${brightside}/register`],
    [undefined, `${brightside}/register?sent`],
    [undefined, `${brightside}/register?confirmed`],
    [undefined, `${brightside}${await registering(scene, client_id)}`],
    [undefined, '/staff/brightside/sign-in'],
    ['admin', '/staff/brightside/account'],
    ['admin', '/staff/brightside/account?saved=password'],
    ['admin', '/staff/brightside/account/second-factor'],
    ['admin', '/staff/brightside/account/passkeys'],
    [undefined, `${brightside}/forgot-password`],
    [undefined, `${brightside}/forgot-password?sent`],
    [undefined, `${brightside}/sign-in/code`],
    [undefined, `${brightside}/sign-in/code/01990000-0000-7000-8000-000000000000`],
    [undefined, `${brightside}${await mailed(scene, '/forgot-password', /\/reset-password\/\S+/)}`],
    [undefined, `${brightside}${await mailed(scene, '/sign-in/code', /\/sign-in\/link\/\S+/)}`],
    [undefined, `${brightside}${await newAddress(scene)}`],
    ['owner', `${brightside}/account?saved=address`],
    ['owner', `${brightside}/account/profile`],
    ['approver', `${brightside}/account/profile?saved`],
    ['owner', `${brightside}/account/preferences`],
    ['owner', `${brightside}/account/password`],
    ['owner', `${brightside}/account/address`],
    [undefined, `${brightside}/verify`],
    ['owner', `${brightside}/`],
    ['newcomer', `${brightside}/`],
    ['busy', '/portal/harbor/'],
    ['owner', `${brightside}/proposals`],
    ...(await Promise.all(offers.map(async it => ['owner', await paper('proposals', acme({ ref_no: it }))] as Place))),
    ['member', await paper('proposals', acme({ ref_no: 'P-2026-031' }))],
    ...(await answered(scene)),
    ['owner', `${brightside}/invoices`],
    ['busy', '/portal/harbor/invoices?status=overdue'],
    ['owner', `${brightside}/invoices?search=nothing+like+it`],
    ['newcomer', `${brightside}/invoices`],
    ...(await Promise.all(bills.map(async it => ['owner', await paper('invoices', acme({ ref_no: it }))] as Place))),
    ['owner', `${brightside}/quotations`],
    ['owner', await paper('quotations', { client_id, deleted_at: null, status: 'sent' })],
    ['owner', `${brightside}/invoices/statement`],
    ['newcomer', `${brightside}/invoices/statement`],
    ['owner', `${brightside}/payments`],
    ['owner', `${brightside}/payments?search=nothing+like+it`],
    ['newcomer', `${brightside}/payments`],
    ['owner', await receipt(scene, client_id)],
    ['owner', `${brightside}/pay`],
    ['owner', `${brightside}/pay?currency=USD`],
    ['newcomer', `${brightside}/pay`],
    ...(await begunPayments(scene, client_id)),
    ['twofold', `${brightside}/account`],
    ['owner', `${brightside}/account/home`],
    ['owner', `${brightside}/account/second-factor`],
    ['owner', `${brightside}/calendar`],
    ['owner', `${brightside}/calendar?ended`],
    ['approver', `${brightside}/calendar`],
    ['member', await settingUp(scene)],
    ['owner', `${brightside}/account/devices`],
    ['owner', `${brightside}/account/passkeys`],
    ['owner', `${brightside}/account/passkeys?new`],
    [undefined, `${brightside}/reset-password/used`],
    [undefined, `${brightside}${await disowning(scene)}`],
    ['owner', `${brightside}/account/data`],
    ['approver', `${brightside}/account/data`],
    ['owner', `${brightside}/account/tokens`],
    ['newcomer', `${brightside}/account/tokens?ended`],
    ['owner', `${brightside}/team`],
    ['viewer', `${brightside}/team`],
    ['owner', await limited(scene)],
    ['approver', `${await paper('proposals', acme({ ref_no: 'P-2026-031' }))}/acceptance`],
    ['owner', `${brightside}/notifications`],
    ['owner', `${brightside}/notifications?show=unread`],
    ['newcomer', `${brightside}/notifications`],
    ['owner', `${brightside}/notifications/settings`],
    ['owner', `${brightside}/notifications/settings?saved`],
    ...(await reached(scene)),
    [undefined, await unsubscribing(scene, 'documents.shared')],
    [undefined, await unsubscribing(scene, 'summary')],
    [undefined, await unsubscribing(scene, 'notifications.device')],
    ['admin', '/settings/client-portal/notifications'],
    ['admin', '/settings/client-portal/sms'],
    ['admin', '/settings/client-portal/sms?said=saved'],
    ['admin', '/settings/client-portal/sms?said=sent'],
    ['owner', `${brightside}/activity`],
    ['viewer', `${brightside}/activity`],
    ['owner', `${brightside}/nothing/here`],
    ['billing', `${brightside}/proposals`],
    ['admin', '/settings/client-portal/'],
    ['admin', '/settings/client-portal/?saved'],
    ['admin', '/settings/client-portal/people'],
    ['admin', '/settings/client-portal/people?search=acme'],
    ['admin', '/settings/client-portal/people?search=nobody+like+that'],
    ['admin', `/settings/client-portal/people/invite/${client_id}`],
    ['admin', await differing(scene)],
    ['admin', `/settings/client-portal/people/clients/${client_id}`],
    ['admin', await switchedOff(scene)],
    ['admin', await protectedPerson(scene, client_id)],
    ['admin', '/settings/client-portal/people/adoption'],
    ['admin', '/settings/client-portal/people/adoption?show=away&sent=2&recent=1&gone=1'],
    ['admin', '/settings/client-portal/people/import'],
    ['admin', '/settings/client-portal/roles'],
    ['admin', '/settings/client-portal/sign-in'],
    ['admin', '/settings/client-portal/mail'],
    ['admin', '/settings/client-portal/mail/texts'],
    ['admin', '/settings/client-portal/mail/texts/sign-in/es'],
    ['admin', '/settings/client-portal/mail?show=failed'],
    ['admin', '/settings/client-portal/signing'],
    ['twofold', await elsewhere(scene)],
    ['admin', '/settings/client-portal/payments'],
    ['admin', '/settings/client-portal/payments?search=nothing+like+it'],
    ['admin', '/settings/client-portal/payments/setup'],
    ['admin', '/settings/client-portal/payments/setup?saved'],
    ['admin', '/settings/client-portal/bank-details'],
    ['admin', '/settings/client-portal/reminders'],
    ['admin', '/settings/client-portal/staff-mails'],
    ['admin', '/settings/client-portal/alerts'],
    ...(await webhooks(scene)),
    ...(await announcements(scene)),
    ...(await documents(scene)),
    ...(await requests(scene)),
    ...(await tasks(scene)),
    ...(await messages(scene)),
    ['admin', '/settings/client-portal/questions'],
    ...(await heldMails(scene)),
    ['admin', '/settings/client-portal/responses'],
    ['admin', '/settings/client-portal/responses?show=refused'],
    ['admin', '/settings/client-portal/links'],
    ['admin', '/settings/client-portal/links?again'],
    ['admin', '/settings/client-portal/links?search=acme'],
    ['admin', '/settings/client-portal/links?search=nothing+like+it'],
    ['admin', '/settings/client-portal/links?section=proposals&client=nobody&document=x'],
    ['admin', `/settings/client-portal/links?section=proposals&client=${client_id}&document=P-2026-031`],
    ...(await linked(scene)),
    ['admin', '/settings/client-portal/branding'],
    ['admin', '/settings/client-portal/visibility'],
    ['admin', '/settings/client-portal/visibility?saved'],
    ['admin', '/settings/client-portal/why'],
    ['admin', '/settings/client-portal/why?search=acme&section=invoices'],
    ['admin', `/settings/client-portal/why?search=${whoIs('viewer').email}&section=invoices&record=2026-0107`],
    ['admin', '/settings/client-portal/why?search=nobody&section=invoices'],
    ['admin', '/settings/client-portal/view?search=acme'],
    ...(await viewed(scene)),
    ['admin', '/settings/client-portal/people/invite?search=acme'],
    ['admin', '/settings/client-portal/exceptions?search=acme'],
    ['admin', `/settings/client-portal/exceptions/${client_id}`],
    ['admin', '/settings/client-portal/activity'],
    ['admin', '/settings/client-portal/activity?name=nobody+at+all'],
    ['admin', '/settings/client-portal/state'],
    ['admin', '/settings/client-portal/nothing'],
  ]
}

/** A reply by e-mail that is held, with long words in it, and one that was ignored. */
async function heldMails({ owner }: Scene): Promise<Place[]> {
  const settings = '/settings/client-portal/held-mail'
  const key = '01a00000-0000-8000-8000-000000000001'
  const mail = {
    ...{ workspace_id: '1', client_id: '1', token_hash: 'x', kind: 'comments', record_id: '1' },
    ...{ by_kind: 'client', by_id: '1', by_name: whoIs('owner').name, content_hash: Buffer.from('x') },
    ...{
      sender: `${'very-long-name-'.repeat(10)}@mail.example`,
      subject: 'Re: '.repeat(40),
      message_id: '1@mail.example',
    },
  }
  const from = whoIs('owner').email
  await owner('portal.client_reply_mails').insert([
    {
      ...{ ...mail, key, state: 'held', text: 'x'.repeat(400) },
      why: JSON.stringify({
        sentence: 'The sender isn’t confirmed. Anyone can write {from} into an e-mail.',
        facts: { from },
      }),
      details: JSON.stringify({
        headers: [['message-id', `<${'x'.repeat(200)}>`]],
        files: [`${'long-'.repeat(30)}.pdf`],
      }),
    },
    {
      ...{ ...mail, key: key.replace(/1$/, '2'), state: 'ignored' },
      why: JSON.stringify({ sentence: 'This is an automatic reply.' }),
    },
  ])
  return ['', '?show=ignored', '?done=accepted', `/${key}`, `/${key}?refused`].map(
    (it): Place => ['admin', settings + it],
  )
}

/** Announcements with long words, one of them withdrawn, as clients and staff see them. */
async function announcements({ owner }: Scene): Promise<Place[]> {
  const id = '01a00000-0000-7000-8000-000000000001'
  const long = 'Wochenendlieferungsbestellbestätigung'.repeat(4)
  const text = `**${long}** https://acme.example/${'path'.repeat(60)}\n\n${'Many words. '.repeat(300)}`
  const one = { workspace_id: '1', title: long, text, starts_on: '2026-11-01', by_name: 'Marta' }
  await owner('portal.client_announcements').insert([
    { ...one, id, important: true, client_ids: ['1'], roles: ['admin'] },
    { ...one, id: id.replace(/1$/, '2'), important: false, withdrawn_at: '2026-11-20', withdrawn_by: 'Marta' },
  ])
  const read = { workspace_id: '1', announcement_id: id, client_id: '1', person_id: 'gone' }
  await owner('portal.client_announcement_reads').insert(read)
  const [client, staff] = ['/portal/brightside/announcements', '/settings/client-portal/announcements']
  const desk = ['', '?show=withdrawn', '?show=planned', '/new', `/${id}`, `/${id}/edit`, `/${id.replace(/1$/, '2')}`]
  return [
    ...['', `/${id}`].map((it): Place => ['owner', client + it]),
    ['stranger', '/portal/ledgerline/announcements'],
    ...desk.map((it): Place => ['admin', staff + it]),
  ]
}

/** Webhooks in each state, with deliveries in each, and long words. */
async function webhooks({ owner }: Scene): Promise<Place[]> {
  const settings = '/settings/client-portal/webhooks'
  const key = (at: number) => `01a00000-0000-7000-8000-0000000000${10 + at}`
  const states = ['on', 'off', 'failed', 'gone']
  const endpoints = states.map((state, at) => ({
    ...{ workspace_id: '1', id: key(at), state, title: at ? state : 'Wochenendlieferungsbestellbestätigung'.repeat(2) },
    ...{ url: `https://hooks.example/${'path'.repeat(at ? 3 : 60)}`, events: ['invoices.*', 'proposals.accepted'] },
    ...{ failing_since: at ? null : '2026-11-20T10:00Z', added_by: 'Marta' },
  }))
  await owner('portal.client_webhooks').insert(endpoints)
  const of = { workspace_id: '1', webhook_id: key(0), event: 'invoices.payment-announced-and-more' }
  await owner('portal.client_webhook_deliveries').insert([
    {
      ...of,
      id: key(0),
      state: 'delivered',
      status: 204,
      attempts: 1,
      milliseconds: 12,
      tried_at: '2026-11-21T07:00Z',
    },
    {
      ...{ ...of, id: key(1), state: 'failed', status: 500, attempts: 10, milliseconds: 10_000, problem: 'status' },
      ...{ tried_at: '2026-11-21T07:00Z', answer: '<h1>no</h1>\n'.repeat(20) + 'x'.repeat(300) },
    },
    { ...of, id: key(2), attempts: 2, problem: 'timeout', tried_at: '2026-11-21T07:00Z', next_at: '2026-11-28T07:00Z' },
    { ...of, id: key(3), next_at: '2026-11-28T07:00Z' },
  ])
  const paths = ['', '/new', `/${key(0)}`, `/${key(0)}?done=test`, `/${key(2)}`, `/${key(3)}`, `/${key(0)}/edit`]
  const deliveries = [0, 1, 2].map(at => `/${key(0)}/deliveries/${key(at)}`)
  return [...paths, ...deliveries].map((it): Place => ['admin', settings + it])
}

/** Documents in each state, as clients and staff see them. */
async function documents({ owner }: Scene): Promise<Place[]> {
  for (const it of sections) await it.fixtures?.(owner, { files: storage })
  const all = await owner('portal.client_documents').where({ workspace_id: '1', client_id: '1' }).orderBy('changed_at')
  const [first, second, third] = all
  const file = (document: { file_id: string }, state: object) =>
    owner('portal.client_files').where({ workspace_id: '1', id: document.file_id }).update(state)
  await file(first, { state: 'infected', threat: 'Win.Test.EICAR_HDB-1' })
  await file(second, { state: 'checking' })
  await owner('portal.client_documents')
    .where({ workspace_id: '1', id: third.id })
    .update({ name: `${'a-very-long-name-of-a-file-'.repeat(6)}.png` })
  const [client, staff] = ['/portal/brightside/documents', '/settings/client-portal/documents']
  const folder = all.find(it => it.folder_id)?.folder_id
  return [
    ...['', '?status=new', '?search=nothing+like+it', '?sent=2', `?folder=${folder}`, '/upload', '/crm-1'].map(
      (it): Place => ['owner', client + it],
    ),
    ...['', '?search=acme', '/clients/1', '/clients/1?shared', `/clients/1?folder=${folder}`].map(
      (it): Place => ['admin', staff + it],
    ),
    ...[first, second, third].flatMap(({ id }): Place[] => [
      ['owner', `${client}/${id}`],
      ['admin', `${staff}/${id}`],
    ]),
    ['owner', `${client}/${all.find(it => it.name === 'launch-plan.pdf')?.id}/pages`],
    ['newcomer', client],
  ]
}

/** A request with items in each state, as clients and staff see it. */
async function requests({ owner }: Scene): Promise<Place[]> {
  await fixtures(owner, storage, '1')
  const request = await owner('portal.client_requests').where({ workspace_id: '1', client_id: '1' }).first()
  const template = await owner('portal.client_request_templates').where({ workspace_id: '1' }).first()
  const long = { name: `${'a-very-long-name-of-a-thing-'.repeat(6)}`, hint: 'x'.repeat(300) }
  await owner('portal.client_request_items').where({ request_id: request.id, name: 'Mileage log' }).update(long)
  const [client, staff] = ['/portal/brightside/requests', '/settings/client-portal/requests']
  const seen = ['', `/${request.id}`, `/${request.id}?sent=2`, '?search=nothing+like+it', '?status=done']
  const kept = [`/${request.id}`, `?sending=${request.sending_id}&sent`, '/clients/1', `/new?template=${template.id}`]
  const edited = ['', '/new', '/templates', '/templates/new', `/templates/${template.id}?saved`, '?show=late']
  return [
    ...seen.map((it): Place => ['owner', client + it]),
    ['newcomer', client],
    ['viewer', `${client}/${request.id}`],
    ...[...edited, ...kept].map((it): Place => ['admin', staff + it]),
  ]
}

/** The CRM's tasks, as clients and staff see them, with one that was just completed. */
async function tasks({ owner }: Scene): Promise<Place[]> {
  const [first, second] = await owner('public.tasks')
    .where({ client_id: 1, for_client: true })
    .whereIn('state', ['open', 'doing'])
    .orderBy('id')
    .limit(2)
  await owner('public.tasks').where({ id: second.id }).update({ state: 'done', done_on: '2026-11-21' })
  await owner('portal.client_task_completions').insert({
    ...{ workspace_id: '1', client_id: '1', task_id: String(second.id), by_id: '1' },
    ...{ by_name: whoIs('owner').name, before: 'open', version: '1' },
  })
  const client = '/portal/brightside/tasks'
  const lists = ['', '?view=board', '?status=everybody', '?status=done', '?search=nothing+like+it']
  return [
    ...[...lists, `?completed=${second.id}`, `/${first.id}`, `/${second.id}`].map(
      (it): Place => ['owner', client + it],
    ),
    ['viewer', `${client}/${first.id}`],
    ['newcomer', client],
    ['admin', '/settings/client-portal/tasks'],
  ]
}

/** Conversations, one of them with all that there can be in one and long words, as clients and staff see them. */
async function messages(scene: Scene): Promise<Place[]> {
  const { owner: database } = scene
  const [owner, member, admin] = await Promise.all((['owner', 'member', 'admin'] as const).map(it => scene.visit(it)))
  const [task, other] = (await owner!.api('/tasks?status=everybody')).body.items
  const title = 'Wochenendlieferungsbestellbestätigung'.repeat(5).slice(0, 150)
  const files = ['ready', 'checking', 'infected'].map(it => `${'a-very-long-name-of-a-file-'.repeat(5)}${it}.txt`)
  const id = await begin(owner!, `${'x'.repeat(400)}\n${'Some words. '.repeat(800)}`, {
    title,
    about: `tasks/${task.id}`,
  })
  await write(
    ...([member!, id, `See https://acme.example/${'path'.repeat(60)}`, undefined] as const),
    files.map(it => [it, 'x']),
  )
  await answer(admin!, id, 'x'.repeat(300), { note: 'on' })
  await answer(admin!, id, 'Thank you.', {}, [['answer.txt', 'x']])
  await write(owner!, id, 'أهلا. Anything else?')
  await admin!.postAt(`${inbox}/${id}/draft`, { text: 'Half an answer' })
  await database('portal.client_files').where({ name: files[1] }).update({ state: 'checking' })
  await database('portal.client_files').where({ name: files[2] }).update({ state: 'infected', threat: 'Eicar' })
  const threads = () => database('portal.client_message_threads').where({ workspace_id: '1' })
  await threads()
    .where({ title: 'Logo as a vector file' })
    .update({ client_name: 'Wilhelmina-Antoinette-van-der-Meulen-Oosterhuis-Gesellschaft'.repeat(3) })
  const [box, campaign, logo] = await Promise.all(
    ['Gift box', 'Winter campaign', 'Logo as a vector file'].map(it => threads().where({ title: it }).first()),
  )
  await admin!.postAt(`${inbox}/setup/replies`, { title: 'x'.repeat(80), text: 'Many words. '.repeat(60) })
  const client = '/portal/brightside/messages'
  const lists = ['', '?status=unread', '?search=nothing+like+it', '/new', `/new?about=tasks/${other.id}`]
  const desk = ['', '?show=mine', '?show=all', '?search=nothing+like+it', '?done', '/new', '/new?client=1', '/setup']
  return [
    ...[...lists, `/${id}`, `/${box.id}?sent`, `/${campaign.id}`].map((it): Place => ['owner', client + it]),
    ['viewer', `${client}/${id}`],
    ['newcomer', client],
    ['newcomer', `${client}/new`],
    ...[...desk, `/${id}?show=all`, `/${box.id}?noted`, `/${logo.id}`].map((it): Place => ['admin', inbox + it]),
  ]
}

/** A payment in each state, as its payer and as staff see it. */
async function begunPayments({ owner }: Scene, client: number): Promise<Place[]> {
  const { id: invoice } = await owner('public.invoices').where({ ref_no: '2026-0112' }).first('id')
  const key = { workspace_id: '1', client_id: String(client) }
  const states = [
    { provider: 'transfer', state: 'started' },
    { state: 'started', session: 'cs_1', address: 'https://checkout.example/pay' },
    { state: 'processing', session: 'cs_2' },
    { state: 'paid', charge: 'pi_1', booking: 'manual', booking_failure: 'This has changed in the meantime.' },
    { state: 'paid', charge: 'pi_2', booking: 'booked', booked_at: new Date(), refunded: '100' },
    { state: 'paid', charge: 'pi_3', booking: 'booked', booked_at: new Date(), dispute: 'open' },
    { state: 'failed', failure: 'Your card was declined.' },
    { state: 'failed', failure: 'unavailable' },
    { state: 'cancelled' },
  ]
  const places: Place[] = []
  for (const [at, state] of states.entries()) {
    const id = `01a00000-0000-7000-8000-00000000000${at}`
    const paid = state.state === 'paid' ? { paid_at: new Date(), method: 'card' } : {}
    const sum = { currency: 'EUR', amount: '3872.00', reference: '2026-0112', payer: whoIs('owner').name }
    await owner('portal.client_payments').insert({
      ...key,
      id,
      person_id: '0',
      provider: 'stripe',
      ...sum,
      ...paid,
      ...state,
    })
    const document = { section: 'invoices', document_id: String(invoice), number: '2026-0112', title: 'Shop relaunch' }
    await owner('portal.client_payment_shares').insert({ ...key, payment_id: id, ...document, amount: '3872.00' })
    places.push(['owner', `/portal/brightside/pay/${id}`], ['admin', `/settings/client-portal/payments/${id}`])
  }
  return [...places, ['owner', '/portal/brightside/pay/01a00000-0000-7000-8000-000000000001?stopped']]
}

async function receipt({ owner }: Scene, client: number): Promise<string> {
  const { id } = await owner('public.payments').where({ client_id: client }).orderBy('id', 'desc').first('id')
  return `/portal/brightside/payments/${id}`
}

/** As staff see the portal of a client, and what they do not see of it. */
async function viewed(scene: Scene): Promise<Place[]> {
  const { id: person } = await scene
    .owner('portal.client_users')
    .where({ email: whoIs('viewer').email })
    .first('id')
  const { client_id: client } = await scene.owner('portal.client_memberships').where({ person_id: person }).first()
  await (await scene.visit('admin')).postAt('/settings/client-portal/view', { client, person })
  const place = `/settings/client-portal/view/${client}/${person}/`
  return ['', 'invoices', 'activity', 'account'].map(it => ['admin', place + it])
}

/** Where a mailed link leads. */
async function mailed(scene: Scene, path: string, link: RegExp): Promise<string> {
  const { email } = whoIs('viewer')
  scene.mails.length = 0
  await (await scene.visit()).post(path, { email })
  return link.exec((await scene.mailTo(email)).text)?.[0] ?? ''
}

/** One waits for staff, another one's link is not used yet. */
async function registering(scene: Scene, client: number): Promise<string> {
  const [admin, nobody] = [await scene.visit('admin'), await scene.visit()]
  const [settings, form] = ['/settings/client-portal', { name: 'Wilhelmina-Antoinette van der Meulen-Oosterhuis' }]
  await admin.postAt(`${settings}/sign-in`, { 'was.sign-in.registration': 'off', 'sign-in.registration': 'on' })
  await admin.postAt(`${settings}/people/invite/${client}/code`)
  const { text } = await admin.at(`${settings}/people/invite/${client}`)
  const code = />([A-Z2-9]{5}-[A-Z2-9]{5})</.exec(text)?.[1]
  const links = []
  for (const email of ['waits@acmebakery.example', 'asks@acmebakery.example']) {
    await nobody.post('/register', { ...form, email, code })
    links.push(/\/register\/\S+/.exec((await scene.mailTo(email)).text)?.[0] ?? '')
  }
  await nobody.post(links[0] ?? '')
  return links[1] ?? ''
}

/** With the QR code of an app that is not confirmed yet. */
async function settingUp(scene: Scene): Promise<string> {
  await (await scene.visit('member')).post('/account/second-factor')
  return '/portal/brightside/account/second-factor'
}

async function disowning(scene: Scene): Promise<string> {
  scene.mails.length = 0
  for (let at = 0; at < 2; at++) await scene.visit('approver')
  return (
    /\/not-me\/\S+/.exec((await scene.mailTo(whoIs('approver').email, 'Sign-in from a new device')).text)?.[0] ?? ''
  )
}

/** Of somebody who may accept next to nothing. */
async function limited(scene: Scene): Promise<string> {
  const { id } = await scene
    .owner('portal.client_users')
    .where({ email: whoIs('approver').email })
    .first('id')
  const path = `/team/${id}/limit`
  await (await scene.visit('owner')).post(path, { amount: '10000', currency: 'EUR', 'was.limit': '' })
  return `/portal/brightside${path}`
}

async function unlocking(scene: Scene): Promise<string> {
  const [nobody, { email }] = [await scene.visit(), whoIs('viewer')]
  scene.mails.length = 0
  for (let at = 0; at < 11; at++) await nobody.post('/sign-in', { email, password: `wrong ${at}` })
  await scene.owner('portal_jobs.limits').del()
  return /\/unlock\/\S+/.exec((await scene.mailTo(email)).text)?.[0] ?? ''
}

async function newAddress(scene: Scene): Promise<string> {
  const email = 'youssef@new.example'
  await (await scene.visit('member')).post('/account/address', { email, current: whoIs('member').password })
  return /\/address\/\S+/.exec((await scene.mailTo(email)).text)?.[0] ?? ''
}

async function invitation(scene: Scene, email = 'wilhelmina@example.org'): Promise<string> {
  const { workspace_id, id, display_name } = await scene.owner('public.clients').first('*')
  return inside(scene, whoIs('owner').workspace, tx =>
    invite(tx, String(workspace_id), {
      email,
      name: 'Wilhelmina-Antoinette van der Meulen-Oosterhuis',
      client: { id: String(id), name: display_name ?? 'Acme' },
      contact: null,
      role: 'member',
      invitedBy: 'Marta Lindqvist',
    }),
  ) as Promise<string>
}

/** A proposal that is about to be answered, and one that was. */
/** A proposal that is accepted, the form of another one, and the pages of both. */
export async function answered(scene: Scene): Promise<Place[]> {
  const owner = await scene.visit('owner')
  const [first, second] = (await owner.api('/proposals?status=open')).body.items
  const { seen } = (await owner.api(`/proposals/${second.id}/acceptance`)).body
  await owner.agent
    .post(`/portal/brightside/proposals/${first.id}/comments`)
    .field('text', 'Is it in there?')
    .field('line', (await owner.api(`/proposals/${first.id}`)).body.proposal.lines[0].title)
    .attach('files', Buffer.from('a, b'), { filename: `${'a-very-long-name-of-a-file-'.repeat(6)}.csv` })
    .attach('files', Buffer.from('a, b'), { filename: 'Notes.txt' })
  await owner.post(`/proposals/${second.id}/acceptance`, { seen, agree: 'on', how: 'typed', typed: owner.person?.name })
  return ['acceptance', 'rejection']
    .map((path): Place => ['owner', `/portal/brightside/proposals/${first.id}/${path}`])
    .concat([
      ['owner', `/portal/brightside/proposals/${second.id}/evidence?done`],
      ['owner', `/portal/brightside/proposals/${second.id}/evidence`],
    ])
}

/** By a link: the document, the page that asks for a code, and one that asks before it shows anything. */
async function linked(scene: Scene): Promise<Place[]> {
  const brightside = '/portal/brightside'
  const [open, coded] = [await share(scene), await share(scene, { coded: 'on', number: 'P-2026-024' })]
  const [{ id }] = await scene.owner('portal.client_links').where({ requires_code: false }).select('id')
  return [
    [undefined, `${brightside}/link/nonsense`],
    [undefined, brightside + open.path],
    [undefined, `${brightside}/link/open/${id}/proposals/${open.id}/acceptance`, brightside + open.path],
    [undefined, brightside + coded.path],
    ...(await paidByLink(scene)),
  ]
}

/** By a link to an invoice: the invoice, what is chosen, and a payment in each state. */
async function paidByLink(scene: Scene): Promise<Place[]> {
  const shared = await share(scene, { section: 'invoices', number: '2026-0119' })
  const document = { section: 'invoices', document_id: shared.id }
  const { id: link, client_id } = await scene.owner('portal.client_links').where(document).first('id', 'client_id')
  const [door, here] = [`/portal/brightside${shared.path}`, `/portal/brightside/link/open/${link}`]
  const key = { workspace_id: '1', client_id }
  const states = [
    { provider: 'transfer', state: 'started' },
    { state: 'started', session: 'cs_link_1', address: 'https://checkout.example/pay' },
    { state: 'processing', session: 'cs_link_2' },
    {
      state: 'paid',
      charge: 'pi_link_1',
      booking: 'booked',
      booked_at: scene.now(),
      paid_at: scene.now(),
      method: 'card',
    },
    { state: 'failed', failure: 'Your card was declined.' },
    { state: 'cancelled' },
  ]
  const places: Place[] = []
  for (const [at, state] of states.entries()) {
    const id = `01b00000-0000-7000-8000-00000000000${at}`
    const sum = { currency: 'EUR', amount: '10.00', reference: '2026-0119', payer: '' }
    await scene
      .owner('portal.client_payments')
      .insert({ ...key, id, person_id: link, provider: 'stripe', ...sum, ...state })
    const share = { ...document, number: '2026-0119', title: 'Hosting', amount: '10.00' }
    await scene.owner('portal.client_payment_shares').insert({ ...key, payment_id: id, ...share })
    places.push([undefined, `${here}/pay/${id}`, door])
  }
  return [
    [undefined, `${here}/invoices/${shared.id}`, door],
    [undefined, `${here}/pay?document=invoices/${shared.id}`, door],
    ...places,
    [undefined, `${here}/pay/01b00000-0000-7000-8000-000000000001?stopped`, door],
    [undefined, `${here}/pay/nothing`, door],
  ]
}

/** An alert of each kind, and somebody who asked for a copy of their data and for the end of their account. */
async function stoodOut(scene: Scene) {
  const { id } = await scene
    .owner('portal.client_users')
    .where({ email: whoIs('approver').email })
    .first('id')
  await inside(scene, 'brightside', async tx => {
    const { id: workspace } = await scene.owner('public.workspaces').where({ slug: 'brightside' }).first('id')
    const facts = { times: 20, minutes: 10, address: '2001:db8:1:2', name: 'Nadia El-Khoury' }
    for (const kind of ['failures', 'foreign', 'exports'])
      await tx('portal.client_alerts').insert({ workspace_id: String(workspace), kind, facts })
    const copy = await askExport(tx, { workspace: String(workspace), person: id, client: '1', sections: [] })
    await tx('portal.client_exports')
      .where({ id: copy })
      .update({ bytes: Buffer.alloc(5_000), completed_at: new Date() })
    await askDeletion(tx, String(workspace), id, 14)
  })
}

/** What the link in a notification's mail opens. */
async function unsubscribing(scene: Scene, kind: string): Promise<string> {
  const { id: person } = await scene
    .owner('portal.client_users')
    .where({ email: whoIs('owner').email })
    .first('id')
  const context = { address: '/portal', secrets: [secret] }
  return unsubscribeAddress(context, 'brightside', { person, kind })
}

/** Notification settings of people with devices and a mobile number: a confirmed one, and one that awaits its code. */
async function reached({ owner }: Scene): Promise<Place[]> {
  const idOf = async (role: Role) =>
    (
      await owner('portal.client_users')
        .where({ email: whoIs(role).email })
        .first('id')
    ).id
  const [approver, member] = await Promise.all([idOf('approver'), idOf('member')])
  const on = { workspace_id: '1', name: 'sms', value: 'true', changed_by: 'Marta' }
  await owner('portal.client_portal_settings').insert(on)
  await owner('portal.client_plugin_settings').insert({ ...on, name: 'sms.codes' })
  const device = (person: string, label: string, hidden: boolean) => ({
    ...{ workspace_id: '1', person_id: person, label, hidden, since: '2026-11-02T10:00Z' },
    ...{ endpoint: `https://push.example/${label}/${person}`, p256dh: 'x', auth: 'x' },
  })
  const long = 'Wochenendlieferungsbestellbestätigung'
  await owner('portal.client_push_devices').insert([
    ...['Chrome on Android', 'Safari on iPhone', long].map(it => device(approver, it, false)),
    device(member, 'Firefox on Windows', true),
  ])
  await owner('portal.client_sms_numbers').insert([
    {
      workspace_id: '1',
      person_id: approver,
      number: '+31612345678',
      confirmed_at: '2026-11-02T10:00Z',
      sign_in: true,
    },
    { workspace_id: '1', person_id: member, number: '+31612345679', code_hash: 'x' },
  ])
  await owner('portal.client_calendars').insert({ workspace_id: '1', person_id: approver, hash: 'x' })
  const settings = '/portal/brightside/notifications/settings'
  return [
    ['approver', settings],
    ['approver', `${settings}?push=sent`],
    ['approver', `${settings}?push=unreachable`],
    ['member', settings],
    ['approver', '/portal/brightside/account'],
    ['member', '/portal/brightside/account'],
    [undefined, '/portal/brightside/text-code'],
    [undefined, '/portal/brightside/text-code/01990000-0000-7000-8000-000000000000'],
  ]
}

/** A page that is meant for another company than the one somebody looks at. */
async function elsewhere(scene: Scene): Promise<string> {
  const twofold = await scene.visit('twofold')
  const { id } = (await twofold.api('/me')).body.client
  const { client_id } = await scene
    .owner('portal.client_memberships as m')
    .join('portal.client_users as u', 'u.id', 'm.person_id')
    .where({ 'u.email': whoIs('twofold').email })
    .whereNot({ client_id: id })
    .first('m.client_id')
  return `/portal/brightside/invoices?client=${client_id}`
}

async function withdrawn(scene: Scene): Promise<string> {
  const token = await invitation(scene, 'withdrawn@example.org')
  await scene
    .owner('portal.client_invitations')
    .where({ email: 'withdrawn@example.org' })
    .update({ revoked_at: scene.now() })
  return token
}

/** The page of somebody with several second factors, one of which staff are removing, and devices. */
async function protectedPerson(scene: Scene, client_id: string): Promise<string> {
  const about = { workspace_id: '1', person_id: randomUUID() }
  const person = { email: 'protected@acmebakery.example', name: 'Wilhelmina van der Protected' }
  await scene.owner('portal.client_users').insert({ workspace_id: '1', id: about.person_id, ...person })
  const membership = { ...about, client_id, client_name: 'Acme Bakery', role: 'viewer' }
  await scene.owner('portal.client_memberships').insert(membership)
  for (const [name, ends_at] of [
    ['Phone', null],
    ['Laptop', new Date(scene.now().getTime() + 3_600_000)],
  ] as const) {
    const factor = { id: `${name} of a test`, kind: 'passkey', name, ends_at, key: Buffer.from('x') }
    await scene.owner('portal.client_factors').insert({ ...about, ...factor, confirmed_at: scene.now() })
  }
  const sess = { workspace: '1', person: about.person_id, agent: 'Mozilla/5.0 (iPhone) Safari/604.1', address: '::1' }
  for (const sid of ['one', 'another'])
    await scene.owner('portal.client_sessions').insert({
      ...{ sid, sess: JSON.stringify({ ...sess, used: scene.now().getTime() }) },
      expire: new Date(scene.now().getTime() + 3_600_000),
    })
  return `/settings/client-portal/people/${about.person_id}`
}

/** The page of a client whose portal is switched off, of whom nobody signs in. */
async function switchedOff(scene: Scene): Promise<string> {
  const admin = await scene.visit('admin')
  const { id } = await scene
    .owner('public.clients')
    .where({ workspace_id: 1 })
    .whereRaw('id::text not in (select client_id from portal.client_memberships)')
    .first('id')
  const page = `/settings/client-portal/people/clients/${id}`
  await admin.postAt(`${page}/switch`, { was: 'on', portal: 'off' })
  return page
}

/** The page of somebody who has a photo, and a name that the CRM did not take. */
async function differing(scene: Scene): Promise<string> {
  const [who, { email }] = [await scene.visit('approver'), whoIs('approver')]
  await who.post('/account/profile', { name: 'Sanne de Boer-Wolfeschlegelsteinhausen', phone: '+31 20 555 0142' })
  const picture = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64')
  await who.agent.post('/portal/brightside/account/profile/photo').attach('photo', picture, 'photo.webp')
  const { id } = await scene.owner('portal.client_users').where({ email }).first('id')
  return `/settings/client-portal/people/${id}`
}
