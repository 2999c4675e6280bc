import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../src/platform/root.ts'
import { freePort } from '../free-port.ts'
import { until } from '../until.ts'

export interface Front {
  /** Of HTTPS, and of plain HTTP, which only leads there. */
  port: string
  plain: string
  end(): Promise<void>
}

export const isInstalled = (program: string) => spawnSync(program, ['-v']).status === 0

/** The host name that the examples are written for. */
export const host = 'portal.kite.example'

const example = (language: string) => {
  const guide = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  const [, block] = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(guide) ?? []
  if (!block) throw new Error(`docs/operations.md has no example for ${language}`)
  return block
}

/** The guide's example, with these two instances in the place of its own. */
const withInstances = (text: string, [one, two]: string[]) =>
  text.replaceAll('10.0.0.11:3000', `127.0.0.1:${one}`).replaceAll('10.0.0.12:3000', `127.0.0.1:${two}`)

export async function nginx(instances: string[]): Promise<Front> {
  const { folder, port, plain, certificate, key } = await ground()
  const block = withInstances(example('nginx'), instances)
    .replace('listen 80;', `listen 127.0.0.1:${plain};`)
    .replace('listen 443 ', `listen 127.0.0.1:${port} `)
    .replace(/(ssl_certificate +).*;/, `$1${certificate};`)
    .replace(/(ssl_certificate_key +).*;/, `$1${key};`)
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const paths = folders.map(it => `  ${it}_temp_path ${join(folder, it)};`).join('\n')
  const around = `pid ${join(folder, 'pid')};
daemon off;
error_log stderr warn;
events {}
http {
  access_log off;
${paths}
${block}}
`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, around)
  return run('nginx', ['-e', 'stderr', '-p', folder, '-c', file], { folder, port, plain })
}

export async function caddy(instances: string[]): Promise<Front> {
  const { folder, port, plain, certificate, key } = await ground()
  const block = withInstances(example('caddyfile'), instances).replace(
    `${host} {`,
    `${host} {\n\ttls ${certificate} ${key}`,
  )
  const global = `{\n\tadmin off\n\thttp_port ${plain}\n\thttps_port ${port}\n\tdefault_bind 127.0.0.1\n}\n`
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, global + block)
  const args = ['run', '--adapter', 'caddyfile', '--config', file]
  return run('caddy', args, { folder, port, plain })
}

/** A folder with a certificate, and two free ports. */
async function ground() {
  const folder = mkdtempSync(join(tmpdir(), 'portico-proxy-'))
  chmodSync(folder, 0o755)
  const [certificate, key] = [join(folder, 'crt'), join(folder, 'key')]
  const made = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${host} -addext subjectAltName=DNS:${host}`
  execFileSync('openssl', [...made.split(' '), '-out', certificate, '-keyout', key], { stdio: 'pipe' })
  return { folder, certificate, key, port: await freePort(), plain: await freePort() }
}

async function run(
  program: string,
  args: string[],
  { folder, ...ports }: { folder: string; port: string; plain: string },
) {
  mkdirSync(join(folder, 'home'))
  const child = spawn(program, args, {
    env: { ...process.env, HOME: join(folder, 'home'), XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', part => (said += part))
  const ended = once(child, 'exit')
  await until(() => {
    if (child.exitCode !== null) throw new Error(said)
    return answers(Number(ports.port))
  }).catch(error => {
    throw new Error(`${program} does not start: ${said}`, { cause: error })
  })
  return { ...ports, end: () => ending(child, ended, folder) }
}

async function ending(child: ChildProcess, ended: Promise<unknown>, folder: string) {
  child.kill('SIGTERM')
  await ended
  rmSync(folder, { recursive: true })
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
