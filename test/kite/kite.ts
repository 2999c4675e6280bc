import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex, { type Knex } from 'knex'
import { root } from '../../src/platform/root.ts'
import { postgres, urlOf } from '../database.ts'
import { type Instance, run, serve } from '../portico.ts'

/** A contact of Kite Studio's first client, with the password that their CRM knows. */
export const jo = { email: 'jo@bicycles.example', password: 'a kite needs wind' }
/** One of their staff. */
export const mia = { email: 'mia@kite.example', password: jo.password }

/** Kite Studio's CRM in a database of its own, with a portal beside it that is ready to be served. */
export class Kite {
  readonly folder = mkdtempSync(join(tmpdir(), 'portico-kite-'))
  readonly env: NodeJS.ProcessEnv
  readonly owner: Knex
  readonly #name: string
  readonly #children: ChildProcess[] = []

  private constructor(name: string) {
    this.#name = name
    this.owner = knex({ client: 'pg', connection: urlOf(name), pool: { min: 0, max: 2 } })
    this.env = {
      ...process.env,
      LOG_LEVEL: 'warn',
      CUSTOMER_PORTAL_ENABLED: 'true',
      DATABASE_URL: urlOf(name),
      PORTAL_DATABASE_URL: this.portalUrl().href,
      PORTAL_SECRET: 'thirty-two-characters-that-nobody-guesses',
      STOP_NOTICE: '0',
    }
  }

  /** Where the portal's role finds its database, past everything. */
  portalUrl = () => Object.assign(new URL(urlOf(this.#name)), { username: this.role, password: 'only-in-tests' })

  get role() {
    return `portal_${this.#name}`
  }

  static async prepared(name: string): Promise<Kite> {
    const kite = new Kite(name)
    await kite.#prepare()
    return kite
  }

  async #prepare() {
    const map = readFileSync(join(root, 'test/kite/crm.map.ts'), 'utf8')
    writeFileSync(join(this.folder, 'crm.map.ts'), map.replace(`'../../src/index.ts'`, `'${root}/src/index.ts'`))
    await postgres.raw(`create database ${this.#name}`)
    await postgres.raw(`create role ${this.role} login password 'only-in-tests'`)
    await this.owner.raw(readFileSync(join(root, 'test/kite/crm.sql'), 'utf8'))
    await this.owner.raw(await this.run('doctor --grants --map crm.map.ts'))
    await this.run('migrate --map crm.map.ts')
    await this.run(`audit --quiet --database ${urlOf(this.#name)}`)
    await this.run('enable --by Mia --map crm.map.ts')
    await this.run(`invite --crm-password --workspace kite --client 1 --email ${jo.email} --map crm.map.ts`)
  }

  run(command: string, more: NodeJS.ProcessEnv = {}) {
    return run(command, { cwd: this.folder, env: { ...this.env, ...more } })
  }

  async serve(more: NodeJS.ProcessEnv = {}): Promise<Instance> {
    const instance = await serve('crm.map.ts', { cwd: this.folder, env: { ...this.env, ...more } })
    this.#children.push(instance.child)
    return instance
  }

  async end() {
    for (const it of this.#children) it.kill('SIGKILL')
    await this.owner.destroy()
    rmSync(this.folder, { recursive: true })
  }
}
