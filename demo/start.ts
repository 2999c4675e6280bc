import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { checkDatabase } from './database-url.ts'
import { FormerVersion, NewerRelease, openDemo } from './demo.ts'
import { Obstacle } from './obstacle.ts'
import { type Postgres, startPostgres } from './postgres.ts'

const Settings = z.object({
  PORT: z.coerce.number('PORT must be a number').int().min(1).max(65535).default(3000),
  PORTICO_DATA: z.string().default(join(import.meta.dirname, '..', '.data')),
  DATABASE_URL: z.string().optional(),
  SMTP_URL: z.url({ protocol: /^smtps?$/, message: 'SMTP_URL must be like smtp://user:password@host:587' }).optional(),
  PORTICO_DEMO_SIZE: z.enum(['usual', 'large'], 'PORTICO_DEMO_SIZE must be usual or large').default('usual'),
})

let postgres: Postgres | undefined
let demo: { close(): Promise<void> } | undefined
let stopping = false

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
await start().catch(fail)

async function start() {
  const settings = Settings.safeParse(process.env)
  if (!settings.success) throw new Obstacle(`Correct the environment: ${z.prettifyError(settings.error)}`)
  const { PORT: port, PORTICO_DATA, DATABASE_URL, PORTICO_DEMO_SIZE: size, SMTP_URL: smtpUrl } = settings.data
  const data = resolve(PORTICO_DATA)
  const databaseUrl = DATABASE_URL ? await checkDatabase(DATABASE_URL) : await embeddedDatabase(data)
  demo = await openDemo({ databaseUrl, port, data, size, smtpUrl, log: console.log }).catch(error => {
    if (error.code === 'EADDRINUSE') throw new Obstacle(portTaken(port))
    if (error instanceof FormerVersion) throw new Obstacle(DATABASE_URL ? error.message : ofFormerVersion(data))
    throw error instanceof NewerRelease
      ? new Obstacle(`${error.message} Or choose another folder with PORTICO_DATA.`)
      : error
  })
  console.log(`ready on http://localhost:${port}`)
  console.log(await whoCanSignIn())
}

async function embeddedDatabase(data: string): Promise<string> {
  postgres = await startPostgres({ directory: join(data, 'postgres'), log: console.log })
  return postgres.url
}

function ofFormerVersion(data: string): string {
  return `The data of this demo is from a development version of Portico. Delete the folder ${data} and start again.`
}

function portTaken(port: number): string {
  return `Port ${port} is taken by another program. End that one, or choose another port: PORT=${port + 1} npm start`
}

/** One colleague and one client of every workspace. */
async function whoCanSignIn(): Promise<string> {
  const file = await readFile(join(import.meta.dirname, 'people.json'), 'utf8')
  const people = z
    .array(z.object({ workspace: z.string(), kind: z.string(), email: z.string(), password: z.string() }))
    .parse(JSON.parse(file))
  const some = Map.groupBy(people, person => `${person.workspace}, ${person.kind}`)
  const lines = [...some].map(
    ([group, [person]]) => `  ${group.padEnd(20)} ${person!.email.padEnd(36)} ${person!.password}`,
  )
  return ['', 'Sign in as one of these; demo/people.json lists everybody.', ...lines, ''].join('\n')
}

/** The first signal lets requests end, the second does not wait: PostgreSQL's guard then stops it. */
async function stop() {
  if (stopping) process.exit(130)
  stopping = true
  await within(5, demo?.close())
  await postgres?.stop()
  process.exit(0)
}

async function fail(error: Error) {
  if (stopping) return
  stopping = true
  console.error(error instanceof Obstacle ? error.message : error)
  await postgres?.stop()
  process.exit(1)
}

async function within(seconds: number, work: Promise<void> | undefined) {
  await Promise.race([work, new Promise(done => setTimeout(done, seconds * 1000).unref())])
}
