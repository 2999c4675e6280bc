import { timingSafeEqual } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { type Request, Router } from 'express'
import type { Knex } from 'knex'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Alerts } from './auth/alerts.ts'
import { callbackPath } from './auth/sign-in-with.ts'
import type { Activation } from './crm/activation/activation.ts'
import type { Crm } from './crm/crm.ts'
import type { StorageFaults } from './files/health.ts'
import { anybody } from './http/rules.ts'
import { clockDifference, clockLimits } from './platform/clock.ts'
import { query, sent } from './platform/database.ts'
import type { Observe } from './platform/log.ts'
import type { Section } from './plugin/plugin.ts'

interface Parts {
  alerts: Alerts
  database: Knex
  crm: Crm
  sections: Section[]
  metricsToken: string | undefined
  activation: Activation
  storage: () => Promise<StorageFaults>
}

/** The operator's endpoints: liveness, readiness, and metrics for Prometheus. */
export function operations(parts: Parts) {
  const router = Object.assign(Router(), { at: '/-' })
  const { registry, observe } = figures(parts)
  let stopping = false

  router.get('/health', anybody, (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ status: 'up' })
  })
  router.get('/ready', anybody, async (_req, res) => {
    const { crm, problem } = await readiness(parts)
    const storage = await storageState(parts)
    const status = stopping ? 'stopping' : problem
    res.status(status ? 503 : 200).set('Cache-Control', 'no-store')
    res.json({ status: status || 'ready', ...crm, ...storage })
  })
  router.get('/metrics', anybody, async (req, res, next) => {
    if (!mayRead(req, parts.metricsToken)) return next('router')
    res.set('Cache-Control', 'no-store').type(registry.contentType)
    res.send(await registry.metrics())
  })

  return {
    router,
    observe,
    stop() {
      stopping = true
    },
  }
}

/** Returns why this instance is not ready, and the state of the CRM's database if it is a separate one. */
async function readiness({ activation, crm, database }: Parts) {
  const apart = crm.database && crm.database !== database ? crm.database : undefined
  const [ours, theirs, trusted] = await Promise.all([
    answerOf(database),
    apart && answerOf(apart),
    soon(activation.hasRightSecret()),
  ])
  const problem = [
    ours !== 'answers' && `the database ${ours}`,
    trusted === false && 'another secret than the other instances',
    isClockOff(database) && 'the clock is more than a minute off',
  ].find(Boolean)
  // A CRM that is down does not make this instance unready: no other instance has it either, and sign-in still works.
  return { problem, crm: theirs && { crm: theirs === 'does not answer' ? theirs : 'answers' } }
}

/** What clients and staff cannot do, and no reason to send requests elsewhere: other instances have the same store. */
async function storageState({ storage }: Parts) {
  const faults = await soon(storage())
  return {
    files: faults?.files && 'cannot be written',
    scanner: faults?.scanner && 'does not answer',
  }
}

const isClockOff = (database: Knex) => Math.abs(clockDifference(database)) >= clockLimits.notReady

/** Resolves to undefined after two seconds. */
const soon = <T>(asked: Promise<T>): Promise<T | undefined> =>
  Promise.race([asked, setTimeout(2_000, undefined, { ref: false })])

type Answer = 'answers' | 'only reads' | 'does not answer'

/** Returns the database's state within two seconds. */
const answerOf = async (database: Knex): Promise<Answer> => {
  const asked = query(database, { text: `select current_setting('transaction_read_only') = 'on' as "readOnly"` })
  const rows = await soon(asked.catch(() => undefined))
  if (!rows) return 'does not answer'
  return rows[0].readOnly ? 'only reads' : 'answers'
}

const isLoopback = (address = '') => ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(address)
const forwarded = ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP', 'Forwarded', 'Via']

/** Whether the request may read the metrics. Without a token, only from this machine, and not through a proxy on it. */
function mayRead(req: Request, token: string | undefined): boolean {
  if (!token) return isLoopback(req.socket.remoteAddress) && !forwarded.some(it => req.get(it))
  const given = Buffer.from(req.get('Authorization') ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

function figures({ alerts, database, sections, activation, storage }: Omit<Parts, 'metricsToken' | 'crm'>) {
  const registry = new Registry()
  const registers = [registry]
  const observe = requestObserver(alerts, sections, registers)
  registerDatabase(database, registers)
  registerActivation(activation, sections, registers)
  registerQueues(database, registers)
  registerAlerts(alerts, registers)
  registerStorage(storage, registers)
  return { registry, observe }
}

function registerDatabase(database: Knex, registers: Registry[]) {
  new Counter({
    name: 'portico_sql_statements_total',
    help: 'Statements sent to the database; by portico_request_seconds_count it is the round trips of a request.',
    registers,
    collect() {
      this.reset()
      this.inc(sent.statements)
    },
  })
  new Gauge({
    name: 'portico_pool_connections',
    help: 'Connections of the pool, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const { pool } = database.client
      this.set({ state: 'used' }, pool.numUsed())
      this.set({ state: 'free' }, pool.numFree())
      this.set({ state: 'waiting' }, pool.numPendingAcquires())
    },
  })
  new Gauge({
    name: 'portico_clock_difference_seconds',
    help: 'By how much the database server’s clock is ahead of the one of this machine.',
    registers,
    collect() {
      this.set(clockDifference(database) / 1_000)
    },
  })
}

function registerActivation(activation: Activation, sections: Section[], registers: Registry[]) {
  new Gauge({
    name: 'portico_secret_fits',
    help: 'Whether the secrets of this instance open what the others have sealed; 0 means that it answers 503.',
    registers,
    collect() {
      this.set(activation.state()?.secretFits === false ? 0 : 1)
    },
  })
  new Gauge({
    name: 'portico_section_off',
    help: 'Sections that are switched off because the CRM has drifted; directory is all of them.',
    labelNames: ['section'],
    registers,
    collect() {
      this.reset()
      const off = activation.state()?.disabledSections
      for (const section of ['directory', ...sections.map(it => it.name)])
        this.set({ section }, off?.has(section) ? 1 : 0)
    },
  })
  new Gauge({
    name: 'portico_crm_answers',
    help: 'Whether the database of the CRM answered when it was last looked at.',
    registers,
    collect() {
      this.set(activation.state()?.crmReachable === false ? 0 : 1)
    },
  })
}

function registerStorage(storage: Parts['storage'], registers: Registry[]) {
  const gauge = (name: string, help: string, which: keyof StorageFaults) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const faults = await soon(storage())
        if (faults) this.set(faults[which] ? 0 : 1)
      },
    })
  gauge('portico_files_writable', 'Whether the file store can be written; 1 where there is none.', 'files')
  gauge('portico_scanner_answers', 'Whether the virus scanner answers; 1 where there is none.', 'scanner')
}

function registerAlerts(alerts: Alerts, registers: Registry[]) {
  const raised = new Counter({
    name: 'portico_alerts_total',
    help: 'What stood out: failures to sign in from one address, foreign ids asked for, much taken away.',
    labelNames: ['kind'],
    registers,
  })
  alerts.onAlert(kind => raised.inc({ kind }))
}

/** Counts responses and sign-ins. */
function requestObserver(alerts: Alerts, sections: Section[], registers: Registry[]): Observe {
  const parts = new Set(['sign-in', 'sign-out', 'account', 'invitation', ...sections.map(it => it.name)])
  const answered = new Histogram({
    name: 'portico_request_seconds',
    help: 'Time to an answer of the portal, by part and status.',
    labelNames: ['part', 'method', 'status'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const signIns = new Counter({
    name: 'portico_sign_ins_total',
    help: 'Tries to sign in, by outcome.',
    labelNames: ['outcome'],
    registers,
  })

  return (req, status, seconds) => {
    const { originalUrl, method, portal } = req
    alerts.answered(req, status)
    const within = originalUrl.slice(portal.url('').length)
    const part = portal.staff ? 'settings' : partOf(within, parts)
    answered.observe({ part, method, status: String(status) }, seconds)
    const tried = method === 'POST' || callbackPath.test(within.replace(/\?.*/s, ''))
    if (part === 'sign-in' && tried && status !== 200) signIns.inc({ outcome: status === 303 ? 'in' : 'refused' })
  }
}

function partOf(path: string, parts: Set<string>): string {
  const part = path.split(/[/?]/)[1] ?? ''
  if (part === '') return 'home'
  return parts.has(part) ? part : 'other'
}

/**
 * Metrics of all instances together: each instance returns the same figures. If the database does not respond, the last
 * ones.
 */
function registerQueues(database: Knex, registers: Registry[]) {
  let asking: Promise<any[] | undefined> | undefined
  const ask = async () => {
    asking ??= soon(query(database, queues).catch(() => undefined))
    const rows = await asking
    asking = undefined
    return rows ?? []
  }
  for (const [name, help, column] of queueFigures)
    new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers,
      async collect() {
        for (const row of await ask()) this.set({ queue: row.queue }, row[column])
      },
    })
}

const queueFigures = [
  ['portico_jobs_due', 'Jobs that could be done now and wait.', 'waiting'],
  ['portico_jobs_late_seconds', 'For how long the first of these jobs has been waiting.', 'oldest'],
  ['portico_jobs_failed', 'Jobs that were given up after every try, as long as they are kept.', 'failures'],
] as const

const queues = {
  name: 'portal.queues',
  text: `select q.name as queue, coalesce(j.waiting, 0) as waiting, coalesce(j.oldest, 0) as oldest,
           coalesce(j.failures, 0) as failures
         from portal_jobs.queue q left join (
           select name, count(*) filter (where it.due)::int as waiting,
             extract(epoch from now() - min(greatest(created_on, start_after)) filter (where it.due))::float as oldest,
             count(*) filter (where state = 'failed')::int as failures
           from portal_jobs.job, lateral (select state in ('created', 'retry') and start_after <= now() as due) it
           group by name) j on j.name = q.name`,
}
