import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { program } from '../program.ts'
import { until } from '../until.ts'

const binary = program('dovecot')

/** A Dovecot of its own with one mailbox, whose mails are files. */
export class Dovecot {
  readonly port: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'portico-dovecot-'))
  #child: ChildProcess | undefined
  #mails = 0

  constructor(port: string) {
    this.port = port
    chmodSync(this.#folder, 0o755)
    for (const it of ['', 'cur', 'new', 'tmp']) mkdirSync(join(this.#mail, it), { recursive: true })
    const { uid, gid } = this.#owner
    for (const it of ['', 'cur', 'new', 'tmp']) chownSync(join(this.#mail, it), uid, gid)
    const settings = `
      base_dir = ${this.#folder}/run
      state_dir = ${this.#folder}/state
      log_path = ${this.#folder}/log
      protocols = imap
      listen = 127.0.0.1
      ssl = no
      disable_plaintext_auth = no
      default_internal_user = dovecot
      default_login_user = dovenull
      first_valid_uid = 1
      mail_location = maildir:${this.#mail}
      passdb {
        driver = static
        args = password=secret
      }
      userdb {
        driver = static
        args = uid=${uid} gid=${gid} home=${this.#folder}/home
      }
      service imap-login {
        chroot =
        inet_listener imap {
          port = ${port}
        }
        inet_listener imaps {
          port = 0
        }
      }
      service anvil {
        chroot =
      }
      service stats {
        chroot =
      }`
    writeFileSync(this.#config, settings)
  }

  static async started(): Promise<Dovecot> {
    const it = new Dovecot(await freePort())
    await it.start()
    return it
  }

  get url() {
    return `imap://replies:secret@127.0.0.1:${this.port}/INBOX`
  }

  get #config() {
    return join(this.#folder, 'dovecot.conf')
  }

  get #mail() {
    return join(this.#folder, 'mail')
  }

  /** Whose files mails are: the user nobody, whom every Debian has. */
  get #owner() {
    const [, uid = '65534', gid = '65534'] =
      /^nobody:[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
    return { uid: Number(uid), gid: Number(gid) }
  }

  async start() {
    this.#child = spawn(binary!, ['-F', '-c', this.#config], { stdio: 'ignore' })
    await until(() => this.#answers()).catch(error => {
      throw new Error(existsSync(`${this.#folder}/log`) ? readFileSync(`${this.#folder}/log`, 'utf8') : error.message)
    })
  }

  /** Puts a mail into the mailbox, as a mail server delivers it. */
  deliver(mail: Buffer) {
    const name = `${Date.now()}.${++this.#mails}.test`
    const file = join(this.#mail, 'tmp', name)
    writeFileSync(file, mail)
    chownSync(file, this.#owner.uid, this.#owner.gid)
    renameSync(file, join(this.#mail, 'new', name))
  }

  /** How many mails of a folder are seen, and how many are not. */
  count(folder = ''): { seen: number; unseen: number } {
    const at = join(this.#mail, folder && `.${folder}`)
    if (!existsSync(at)) return { seen: 0, unseen: 0 }
    const read = readdirSync(join(at, 'cur'))
    const seen = read.filter(it => /:2,[A-Z]*S/.test(it)).length
    return { seen, unseen: read.length - seen + readdirSync(join(at, 'new')).length }
  }

  async stop() {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  }

  async end() {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #answers() {
    const socket = connect(Number(this.port), '127.0.0.1')
    try {
      await once(socket, 'connect')
      const [said] = await once(socket, 'data')
      return String(said).startsWith('* OK')
    } finally {
      socket.destroy()
    }
  }
}
