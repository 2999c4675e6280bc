import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { hashPassword } from '../../src/auth/passwords.ts'
import { join } from '../../src/auth/people.ts'
import { Audited, acceptAudit, adapterOf, createPortal, migrate, type Workspace } from '../../src/index.ts'
import { within } from '../../src/platform/database.ts'
import { secret, setClock } from '../database.ts'
import { type Copy, workspacesOf } from './database.ts'
import type { Snapshot } from './snapshots.ts'

const password = 'only in tests, of real CRMs'

/** Somebody who is signed in for one client. */
export interface SignedIn {
  workspace: string
  client: string
  timeZone: string
  page(path: string): Promise<Answer>
  json(path: string): Promise<Answer & { body: any }>
}

interface Answer {
  status: number
  text: string
}

/** The portal on a copy of a snapshot, at nine in the morning of the day that its truth is of. */
export async function openSite({ map }: Snapshot, { database, owner, role }: Copy, day: string) {
  await migrate(owner, { role })
  await setClock(owner, `${day}T09:00:00Z`)
  await forgetLimits(owner)
  const crm = adapterOf(map, database)
  await acceptAudit(owner, crm, { audit: Audited.parse({ answers: {}, data: {}, fingerprint: 'f' }), by: 'a test' })
  const flags = { enabledAnywhere: () => true, enabled: () => true }
  const log = { info() {}, warn() {}, error: console.error }
  const portal = await createPortal({ database, crm, flags, log, staff: () => undefined, secrets: [secret] })
  const server = express().use('/portal', portal.clients).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/portal`
  const workspaces = await workspacesOf(map, owner)
  const passwordHash = await hashPassword(password)

  return {
    /** Undefined for a client that has no portal: of a workspace that this map does not serve, or one that has left. */
    async signIn(id: string, client: string): Promise<SignedIn | undefined> {
      const workspace = workspaces.get(id)
      const found = workspace && (await crm.directory.client(workspace, client))
      if (!workspace || !found) return undefined
      const email = `client-${client}@snapshot.example`
      const person = { workspace: id, email, name: 'Snapshot Reader', client: found, contact: null, passwordHash }
      await within(database, { workspace: id }, tx => join(tx, { ...person, role: 'admin' }))
      return signedIn(`${address}/${workspace.slug}`, workspace, client, email)
    },
    async close() {
      await portal.close()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function signedIn(home: string, workspace: Workspace, client: string, email: string): Promise<SignedIn> {
  const body = new URLSearchParams({ email, password })
  const answer = await fetch(`${home}/sign-in`, { method: 'POST', body, redirect: 'manual' })
  const cookie = answer.headers.getSetCookie().map(it => it.split(';')[0])
  if (answer.status !== 303) throw new Error(`client ${client} cannot sign in: ${answer.status}`)
  const headers = { cookie: cookie.join('; '), 'Accept-Language': 'en' }
  const page = async (path: string): Promise<Answer> => {
    const it = await fetch(home + path, { headers, redirect: 'manual' })
    return { status: it.status, text: await it.text() }
  }
  return {
    workspace: workspace.id,
    client,
    timeZone: workspace.timeZone,
    page,
    async json(path) {
      const it = await page(`/api/v1${path}`)
      return { ...it, body: JSON.parse(it.text) }
    },
  }
}

/** Many clients sign in from one address here. */
const forgetLimits = (owner: Copy['owner']) =>
  owner.raw(`
    create function portal_jobs.forget() returns trigger language plpgsql as $$ begin new.points := 0; return new; end $$;
    create trigger forget before insert or update on portal_jobs.limits
      for each row execute function portal_jobs.forget();`)
