import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { card, postForm } from '../demo/bank/browser.ts'
import { type ListeningBank, listen } from '../demo/bank/listen.ts'
import { fallDue, jobsDone, until } from './until.ts'
import { open, type Scene, type Visitor } from './visit.ts'

export const area = '/settings/client-portal/payments'
const webhookSecret = 'whsec_of_a_test_0123456789'

export interface Counter {
  scene: Scene
  bank: ListeningBank
  /** Of the client who pays. */
  nadia: Visitor
  admin: Visitor
  /** What clients of this workspace can pay, by number. */
  due(number: string): Promise<{ key: string; id: string; left: string }>
  /** Begins to pay and gives the payment's id with the bank's page. */
  begin(who: Visitor, form: object): Promise<{ id: string; session: string; url: string }>
  /** Pays on the bank's page. */
  pay(url: string, fields?: Record<string, string>): Promise<void>
  /** Pays one invoice from the beginning, and gives the payment's id. */
  payAll(number: string): Promise<string>
  row(id: string): Promise<any>
  invoice(id: string): Promise<any>
  /** Runs a job of the plugin as if it were due, and waits until all is done. */
  round(job: string): Promise<void>
  settled(): Promise<void>
}

const open_ = new Set<() => Promise<void>>()

/** Ends what `counter` began. */
export const closeCounters = async () => {
  for (const close of open_) await close()
  open_.clear()
}

/** The demo CRM with a bank that speaks Stripe's API, and the first workspace connected to it. */
export async function counter(options: Parameters<typeof open>[0] = {}): Promise<Counter> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const scene = await open({ mail: 'kept', ...options })
  const bank = await listen({
    now: () => scene.now().getTime(),
    webhooks: [{ url: `http://127.0.0.1:${port}/portal/-/webhooks/pay?workspace=brightside`, secret: webhookSecret }],
  })
  process.env.PORTAL_STRIPE_ADDRESS = bank.address
  server.on('request', scene.app)
  open_.add(async () => {
    await bank.close()
    server.closeAllConnections()
    server.close()
    delete process.env.PORTAL_STRIPE_ADDRESS
  })
  const [nadia, admin] = [await scene.visit('owner'), await scene.visit('admin')]
  await connect(admin, bank.key)
  return { scene, bank, nadia, admin, ...deeds(scene, nadia, bank) }
}

/** As an admin does it: the key is tried, then kept. */
async function connect(admin: Visitor, key: string) {
  const was = await settingsIn(admin)
  const saved = await admin.postAt(`${area}/setup/access`, { key, webhookSecret, 'was.settings': was })
  expect(saved.status, saved.text).to.equal(303)
}

/** The settings as the page shows them, for its forms. */
export const settingsIn = async (admin: Visitor) => {
  const { text } = await admin.at(`${area}/setup`)
  return unescaped(/name="was\.settings" value="([^"]+)"/.exec(text)![1]!)
}

const unescaped = (text: string) => text.replaceAll('&#34;', '"').replaceAll('&amp;', '&')

function deeds(scene: Scene, nadia: Visitor, bank: ListeningBank): Omit<Counter, 'scene' | 'bank' | 'nadia' | 'admin'> {
  const row = (id: string) => scene.owner('portal.client_payments').where({ id }).first()
  const settled = async () => {
    await bank.webhooks.idle()
    await jobsDone(scene.owner, 'plugins')
  }
  const due = async (number: string) => {
    const { body } = await nadia.api('/pay')
    const found = body.items.find((it: { number: string }) => it.number === number)
    return { key: found.key, id: found.id, left: found.left.amount }
  }
  const begin = async (who: Visitor, form: object) => {
    const sent = await who.post('/pay', { method: 'stripe', ...form })
    expect(sent.status, sent.text).to.equal(200)
    const url = unescaped(/href="(http:\/\/127[^"]+)"/.exec(sent.text)![1]!)
    const { id, session } = await scene.owner('portal.client_payments').where({ address: url }).first()
    return { id, session, url }
  }
  const pay = async (url: string, fields = card()) => {
    const paid = await postForm(url, fields)
    expect([302, 303], paid.text.slice(0, 500)).to.include(paid.status)
  }
  return {
    ...{ row, settled, due, begin, pay },
    async payAll(number) {
      const { key } = await due(number)
      const { id, url } = await begin(nadia, { document: key })
      await pay(url)
      await until(async () => (await row(id)).state === 'paid')
      return id
    },
    invoice: id => scene.owner('invoices').where({ id }).first(),
    async round(job) {
      await fallDue(scene.owner, job)
      await settled()
    },
  }
}
