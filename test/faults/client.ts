import { setTimeout as sleep } from 'node:timers/promises'
import { Browser } from './browser.ts'
import type { Answer, Journal } from './journal.ts'
import type { Person } from './people.ts'
import type { PostOffice } from './post-office.ts'

interface Place {
  /** Where nginx listens. */
  port: number
  journal: Journal
  post: PostOffice
}

const home = '/portal/brightside'

/** All orders of the first page's parts: which one is stored tells which change was the last. */
export const orders = permutations(['figures', 'chart', 'actions', 'lately', 'news'])

/** Mailed codes that one address may ask for within an hour, and within a minute, less some. */
const mostCodes = 7
const codeEvery = 21_000
/** Comments that one person may send within a minute, and within a day, less some. */
const commentEvery = 7_000
const mostComments = 190

/** Somebody at a client of the company: reads, comments, accepts, declines, and signs in on other devices. */
export class Client {
  readonly person: Person
  /** Proposals that nobody has answered yet. */
  readonly open: string[] = []
  /** All devices on which this person is signed in. */
  readonly devices: Browser[] = []
  readonly #place: Place
  readonly #address: string
  #codes = 0
  #comments = 0
  #mayComment = 0
  #maySignIn = 0

  constructor(place: Place, person: Person, number: number) {
    this.#place = place
    this.person = person
    this.#address = `127.0.${1 + Math.floor(number / 250)}.${1 + (number % 250)}`
  }

  async step(): Promise<void> {
    const chance = Math.random()
    if (chance < 0.1) return this.#respond()
    if (chance < 0.25) return this.#arrange()
    if (chance < 0.4 && performance.now() > this.#mayComment) return this.#comment()
    if (chance < 0.44 && this.#codes < mostCodes && performance.now() > this.#maySignIn)
      return void (await this.signIn())
    return this.#read()
  }

  /** On one more device, by a mailed code. */
  async signIn(): Promise<boolean> {
    const { journal, post } = this.#place
    const { email, id } = this.person
    const device = new Browser(this.#place.port, this.#address, journal)
    this.#codes++
    this.#maySignIn = performance.now() + codeEvery
    post.forget(email)
    const asked = journal.begin('code', email, String(journal.next()))
    const answer = await device.post(`${home}/sign-in/code`, { email })
    if (answer?.status !== 303) return this.#leave(device)
    journal.acknowledge(asked)
    const code = await post.codeFor(email, 30).catch(() => undefined)
    // It comes later: a process that is killed while it sends holds a mail for two minutes.
    if (!code) return this.#leave(device)
    journal.tally.slowestCode = Math.max(journal.tally.slowestCode, performance.now() - answer.ended)
    const typed = journal.begin('signed-in', id, String(journal.next()))
    const entered = await device.post(answer.headers.location ?? '', { code })
    if (entered?.status !== 303) return this.#leave(device)
    journal.acknowledge(typed)
    this.devices.push(device)
    return true
  }

  /** Whether each device is still signed in. */
  async everywhere(): Promise<boolean> {
    const pages = await Promise.all(this.devices.map(it => it.get(`${home}/account`)))
    return pages.every(it => it?.status === 200)
  }

  close() {
    for (const it of this.devices) it.close()
  }

  get #device() {
    return this.devices[Math.floor(Math.random() * this.devices.length)]!
  }

  #leave(device: Browser) {
    device.close()
    return false
  }

  async #read() {
    const pages = ['/', '/proposals', '/invoices', '/activity', '/account', '/api/v1/invoices', '/api/v1/proposals']
    const page = await this.#device.get(home + pages[Math.floor(Math.random() * pages.length)])
    if (page?.status !== 200) return
    this.#place.journal.tally.reads++
    for (const [name] of page.text.matchAll(/Company \d+ of faults/g))
      if (name !== this.person.client.name) this.#place.journal.tally.wrong.push(`${name} shown to ${this.person.name}`)
  }

  async #comment() {
    const { journal } = this.#place
    const [proposal] = this.open
    if (!proposal || this.#comments === mostComments) return
    this.#comments++
    this.#mayComment = performance.now() + commentEvery
    const text = `Comment ${journal.next()}`
    const entry = journal.begin('comment', this.person.id, text)
    const answer = await this.#device.post(`${home}/proposals/${proposal}/comments`, { text })
    if (this.#accepted(answer)) journal.acknowledge(entry)
  }

  async #arrange() {
    const { journal } = this.#place
    const serial = journal.next()
    const entry = journal.begin('arranged', this.person.id, String(serial))
    const order = orders[serial % orders.length]!
    const answer = await this.#device.post(`${home}/account/home`, { order, shown: order })
    if (this.#accepted(answer)) journal.acknowledge(entry)
  }

  async #respond() {
    const id = this.open.shift()
    if (!id) return
    const accepts = Math.random() < 0.6
    const path = `${home}/proposals/${id}/${accepts ? 'acceptance' : 'rejection'}`
    const device = this.#device
    const page = await device.get(path)
    const [, seen] = /name="seen" value="([^"]+)"/.exec(page?.text ?? '') ?? []
    if (page?.status !== 200 || !seen) return
    const { name } = this.person
    const form: Record<string, string> = accepts
      ? { seen, agree: 'on', how: 'typed', typed: name }
      : { seen, reason: 'Too late for us.' }
    const entry = this.#place.journal.begin(accepts ? 'accepted' : 'declined', this.person.id, id)
    if (this.#accepted(await device.post(path, form))) this.#place.journal.acknowledge(entry)
  }

  #accepted(answer: Answer | undefined): boolean {
    if (!answer) return false
    const { status, method, path, text, headers } = answer
    if (status === 303) return !/\/sign-in/.test(headers.location ?? '')
    if (status < 500 && status !== 401)
      this.#place.journal.tally.wrong.push(`${status} ${method} ${path} ${sentence(text)}`)
    return false
  }
}

/** What a refusing page says. */
const sentence = (html: string) =>
  html
    .replace(/^.*<main/s, '')
    .replace(/<[^>]*>|\s+/g, ' ')
    .slice(0, 300)

/** One of the company's own people: answers what clients ask, and changes settings. */
export class Colleague {
  readonly #place: Place
  readonly #browser: Browser
  readonly #settings = '/settings/client-portal'

  constructor(place: Place) {
    this.#place = place
    this.#browser = new Browser(place.port, '127.0.9.1', place.journal)
  }

  async signIn(email: string, password: string) {
    const answer = await this.#browser.post('/staff/brightside/sign-in', { email, password })
    if (answer?.status !== 303) throw new Error(`${email} could not sign in: ${answer?.status} ${answer?.text}`)
  }

  step = () => (Math.random() < 0.6 ? this.#reply() : this.#change())

  everywhere = async () => (await this.#browser.get(`${this.#settings}/reminders`))?.status === 200

  close() {
    this.#browser.close()
  }

  async #reply() {
    const { journal } = this.#place
    const page = await this.#browser.get(`${this.#settings}/questions?show=waiting`)
    const [, id] = /questions\/([0-9a-f-]{36})\/reply/.exec(page?.text ?? '') ?? []
    if (page?.status !== 200 || !id) return
    const text = `Reply ${journal.next()}`
    const entry = journal.begin('reply', 'staff', text)
    const answer = await this.#browser.post(`${this.#settings}/questions/${id}/reply`, { text })
    if (answer?.status === 303) journal.acknowledge(entry)
  }

  async #change() {
    const { journal } = this.#place
    const page = await this.#browser.get(`${this.#settings}/signing`)
    const [, was] = /name="was.signing" value="([^"]+)"/.exec(page?.text ?? '') ?? []
    if (page?.status !== 200 || !was) return
    const next = `Step ${journal.next()}`
    const entry = journal.begin('settings', 'staff', next)
    const form = { 'was.signing': was.replaceAll('&#34;', '"'), ways: ['drawn', 'typed'], next }
    const answer = await this.#browser.post(`${this.#settings}/signing`, form)
    if (answer?.status === 303) journal.acknowledge(entry)
  }
}

/** Lets them act until they are told to pause, and then waits for what they have begun. */
export class Crowd {
  readonly #people: { step(): Promise<void> }[]
  readonly #pause: () => number
  #going = false
  #loops: Promise<void>[] = []

  /** `pause` gives the milliseconds between two things that one of them does. */
  constructor(people: { step(): Promise<void> }[], pause: () => number) {
    this.#people = people
    this.#pause = pause
  }

  go() {
    this.#going = true
    this.#loops = this.#people.map(async it => {
      await sleep(Math.random() * this.#pause())
      while (this.#going) {
        await it.step()
        await sleep(this.#pause())
      }
    })
  }

  async rest() {
    this.#going = false
    await Promise.all(this.#loops)
  }
}

function permutations<T>(all: T[]): T[][] {
  if (all.length < 2) return [all]
  return all.flatMap((it, at) => permutations(all.toSpliced(at, 1)).map(rest => [it, ...rest]))
}
