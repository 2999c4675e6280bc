import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as chai from 'chai'
import type { Express } from 'express'
import request from 'supertest'
import { adapter } from '../demo/adapter/adapter.ts'
import { createCrm } from '../demo/crm/app.ts'
import { beside, mount, staff } from '../demo/mount.ts'
import people from '../demo/people.json' with { type: 'json' }
import { createPortal, filesIn, type Portal } from '../src/index.ts'
import type { Message } from '../src/mail/transport.ts'
import type { Options } from '../src/options.ts'
import { currentTime, readClock } from '../src/platform/clock.ts'
import { type Copy, close, fresh, secret, setClock, today } from './database.ts'
import { until } from './until.ts'

/** Who visits: the owner, those with fewer rights, and those who must see nothing of hers. */
const cast = {
  owner: 'nadia@acmebakery.example',
  approver: 'sanne@acmebakery.example',
  billing: 'pieter@acmebakery.example',
  member: 'youssef@acmebakery.example',
  viewer: 'ilse@acmebakery.example',
  /** A bookkeeper for the owner's company and for another one. */
  twofold: 'farah@haddad-bookkeeping.example',
  /** Of another client of the same workspace. */
  neighbour: 'declan@halloran.example',
  /** Of a client for whom there is nothing yet. */
  newcomer: 'maud@quietharbour.example',
  /** Of a client of another workspace. */
  stranger: 'harriet@thornbury.example',
  /** Of the client with 5,000 invoices. */
  busy: 'gus@northline.example',
  admin: 'marta@brightside.example',
  colleague: 'jonas@brightside.example',
} as const
export type Role = keyof typeof cast

export const whoIs = (role: Role) => {
  const found = people.find(it => it.email === cast[role])
  if (!found) throw new Error(`people.json has no ${cast[role]}`)
  return found
}

export interface Scene extends Copy {
  portal: Portal
  app: Express
  log: { level: string; facts: any; sentence: string }[]
  /** What was mailed so far, where `mail: 'kept'` was asked for. */
  mails: Message[]
  /** The newest mail to this address, when it is there; that somebody signed in is left out unless it is asked for. */
  mailTo(address: string, subject?: string): Promise<Message>
  /** What time it is for the portal. */
  now(): Date
  /** Lets so many minutes go by. */
  pass(minutes: number): Promise<void>
  /** Somebody with a browser of their own, signed in as this person unless it is nobody. */
  visit(role?: Role): Promise<Visitor>
  close(): Promise<void>
}

const scenes: Scene[] = []

const files = mkdtempSync(join(tmpdir(), 'portico-files-'))
process.once('exit', () => rmSync(files, { recursive: true, force: true }))
/** Where the files of all tests of this process are stored. */
export const storage = filesIn(files)

/** The demo CRM with Portico in it, on a database of its own, at nine in the morning. */
export async function open(
  options: Omit<Partial<Options>, 'mail'> & { on?: Copy; at?: string; mail?: Options['mail'] | 'kept' } = {},
): Promise<Scene> {
  const { on, at, mail, ...more } = options
  const mails: Message[] = []
  const kept = { from: 'portal@example.com', send: async (it: Message) => void mails.push(it) }
  const copy = on ?? (await fresh())
  if (at) await setClock(copy.owner, at)
  const log: Scene['log'] = []
  const tell = (level: string) => (facts: object, sentence: string) => void log.push({ level, facts, sentence })
  const told = { info: tell('info'), warn: tell('warn'), error: tell('error') }
  const portal = await createPortal({
    database: copy.database,
    crm: adapter(copy.database),
    flags: { enabledAnywhere: () => true, enabled: () => true },
    staff,
    secrets: [secret],
    log: told,
    address: 'https://crm.example/portal',
    files: storage,
    mail: mail === 'kept' ? kept : mail,
    ...more,
  })
  const app = createCrm({
    database: copy.owner,
    secret: 'the secret of the CRM',
    today,
    beside: beside(portal),
    mount: mount(portal),
  })
  const scene = {
    ...copy,
    portal,
    app,
    log,
    mails,
    visit: (role?: Role) => visitor(app, role),
    now: () => currentTime(copy.database),
    async pass(minutes: number) {
      await setClock(copy.owner, new Date(scene.now().getTime() + minutes * 60_000))
      await readClock(copy.database, told)
    },
    async mailTo(address: string, subject?: string) {
      const fits = ({ to, subject: its }: Message) =>
        to === address && (subject ? its === subject : its !== 'Sign-in from a new device')
      return until(() => mails.findLast(fits), 30)
    },
    close: async () => {
      await portal.close()
      await close(copy)
    },
  }
  scenes.push(scene)
  return scene
}

/** After each test its databases go: nothing of one is left to the next. */
export const leave = async () => {
  await Promise.all(scenes.splice(0).map(it => it.close()))
}

export type Visitor = Awaited<ReturnType<typeof visitor>>

async function visitor(app: Express, role?: Role) {
  const agent = request.agent(app)
  const person = role && whoIs(role)
  const home = `/portal/${person?.workspace ?? 'brightside'}`
  const send = (method: Method, address: string) => agent[method](address)
  const it = {
    person,
    /** As the browser sends it. */
    cookie: '',
    agent,
    /** Any address of the host. */
    at: (address: string) => send('get', address),
    get: (path: string) => send('get', home + path),
    fragment: (path: string) =>
      send('get', home + path)
        .set('HX-Request', 'true')
        .set('HX-Request-Type', 'partial'),
    post: (path: string, form: object = {}) =>
      send('post', home + path)
        .type('form')
        .send(form),
    postAt: (address: string, form: object = {}) => send('post', address).type('form').send(form),
    api: (path: string) => send('get', `${home}/api/v1${path}`),
  }
  if (!person) return it
  const door = person.kind === 'staff' ? '/login' : `${home}/sign-in`
  const { email, password } = person
  const { status, headers } = await it.postAt(door, { email, password })
  if (status !== 303) throw new Error(`${email} could not sign in: ${status}`)
  const cookies = [headers['set-cookie'] ?? []].flat().map(one => one.split(';')[0])
  return { ...it, cookie: cookies.join('; ') }
}

export type Method = 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete'

declare global {
  namespace Chai {
    interface Assertion {
      show(...texts: string[]): Assertion
    }
  }
}

chai.use(({ Assertion }) => {
  Assertion.addMethod('show', function (this: any, ...texts: string[]) {
    const shown: string = this._obj.text.replace(/[ \n]+/g, ' ')
    for (const text of texts) {
      this.assert(shown.includes(text), `no ${text} in ${shown.slice(0, 3000)}`, `${text} in ${shown.slice(0, 3000)}`)
    }
  })
})
