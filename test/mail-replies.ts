import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { signatureOf } from '../plugins/mail-replies/webhook.ts'
import { keepNewFiles } from '../src/files/kept.ts'
import type { Options } from '../src/options.ts'
import { bySystem, insert } from '../src/platform/activity.ts'
import { within } from '../src/platform/database.ts'
import type { Refusal } from '../src/plugin/parts.ts'
import { type Host, section } from '../src/plugin/plugin.ts'
import { open, type Role, type Scene, whoIs } from './visit.ts'

const webhookSecret = `whsec_${Buffer.from('a secret for signing webhooks').toString('base64')}`
const replies = { address: 'reply@in.example', webhookSecret }

/** Whose domains sign their mails, with what key. */
const keys = new Map<string, string>()

/** DNS as the domains of the cast have it: with a key for DKIM and a policy for DMARC. */
const resolve = async (name: string, type: string): Promise<any> => {
  const [, domain = ''] = /^(?:s1\._domainkey|_dmarc)\.(.+)$/.exec(name) ?? []
  const key = keys.get(domain)
  if (type === 'TXT' && key && name.startsWith('_dmarc')) return [['v=DMARC1; p=reject']]
  if (type === 'TXT' && key) return [[`v=DKIM1; k=rsa; p=${key}`]]
  throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
}

const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

for (const it of ['acmebakery.example', 'halloran.example', 'evil.example', 'brightside.example'])
  keys.set(it, pair.publicKey.toString('base64'))

/** Signs a mail as the server of this domain. */
export async function signed(mail: Buffer, domain: string): Promise<Buffer> {
  const key = { signingDomain: domain, selector: 's1', privateKey: pair.privateKey, algorithm: 'rsa-sha256' }
  const { signatures } = await dkimSign(mail, { ...key, canonicalization: 'relaxed/relaxed', signatureData: [key] })
  return Buffer.concat([Buffer.from(signatures), mail])
}

export interface Parts {
  from?: string
  to: string
  text?: string
  subject?: string
  id?: string | false
  headers?: string[]
  /** Everything below the headers, with those of MIME. */
  body?: string | Buffer
}

/** A mail as MIME. */
export function mime({ from = whoIs('owner').email, to, text = 'Yes, please.', headers = [], ...it }: Parts): Buffer {
  const id = it.id === false ? [] : [`Message-ID: <${it.id ?? randomUUID()}@mail.example>`]
  const head = [`From: ${from}`, `To: ${to}`, `Subject: ${it.subject ?? 'Re: A question'}`, ...id, ...headers]
  const body = it.body ?? `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n`), Buffer.from(body)])
}

/** The same, signed by the domain of its sender. */
export const genuine = (parts: Parts) =>
  signed(mime(parts), (parts.from ?? whoIs('owner').email).split('@')[1]!.replace('>', ''))

/** A mail with a file. */
export const withFile = (name: string, content: Buffer, text = 'See the file.') =>
  [
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=xyz\r\n\r\n--xyz\r\nContent-Type: text/plain\r\n\r\n',
    `${text}\r\n--xyz\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n`,
    `Content-Disposition: attachment; filename="${name}"\r\n\r\n`,
    `${content.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n--xyz--\r\n`,
  ].join('')

/** A conversation of tests: what it has taken is in the activity log, in the transaction of the mail. */
function threadsOf() {
  const lent: Host[] = []
  const answers: { refusal?: Refusal | Error } = {}
  const threads = section({
    ...{ name: 'threads', title: 'Threads', icon: 'message', order: 80 },
    activity: { 'threads.replied': 'replied' },
    public: { path: 'threads', routes: (_router, host) => void lent.push(host) },
    replies: {
      async take(tx, { workspace, client, by, id, text, files, key }, host) {
        if (answers.refusal instanceof Error) throw answers.refusal
        if (answers.refusal) return answers.refusal
        const subject = { id, text, by: by.id, key, files: files.map(it => it.name) }
        await insert(tx, [bySystem(workspace.id, { event: 'threads.replied', subject }, client)])
        await keepNewFiles(tx, host, { workspace, client, by }, files, 1e9)
        return 'taken'
      },
    },
  })
  return { threads, answers, host: () => lent.at(-1)! }
}

/** The demo with replies by mail, and a conversation that takes them. */
export async function openReplies(
  options: Parameters<typeof open>[0] & { more?: Partial<Options['replies'] & object> } = {},
) {
  const { more, ...its } = options
  const { threads, answers, host } = threadsOf()
  const scene = await open({
    mail: 'kept',
    replies: { ...replies, resolve, ...more },
    ...its,
    plugins: [threads],
  })
  // Signatures are judged by the portal's clock, which the first request reads.
  await scene.pass(0)
  await scene.owner('portal.client_workspaces').insert(workspaces).onConflict('workspace_id').ignore()
  return { ...scene, answers, host, ...toolsOf(scene, host) }
}

const workspaces = ['brightside', 'ledgerline'].map((slug, at) => ({ workspace_id: String(at + 1), slug }))

function toolsOf(scene: Scene, host: () => Host) {
  /** The address for replies of this person to what was mailed about a record. */
  const addressFor = async (role: Role, id: string, kind = 'threads'): Promise<string | undefined> => {
    const { email } = whoIs(role)
    const by = await scene
      .owner('portal.client_users as u')
      .join('portal.client_memberships as m', it => it.on('m.person_id', 'u.id').on('m.workspace_id', 'u.workspace_id'))
      .where('u.email', email)
      .first('u.workspace_id as workspace', 'm.client_id as client', 'u.id', 'u.name')
    return within(scene.database, { workspace: by.workspace }, tx =>
      host()
        .capability('mailReplies')!
        .addressFor(tx, {
          ...{ workspace: by.workspace, client: by.client, kind, id },
          by: { kind: 'client', id: by.id, name: by.name, email },
        }),
    )
  }
  const send = (body: Buffer, { type = 'message/rfc822', secret = webhookSecret, at = scene.now() } = {}) => {
    const time = String(Math.floor(at.getTime() / 1000))
    return scene.visit().then(({ agent }) =>
      agent
        .post('/portal/-/webhooks/mail-replies')
        .set({ 'webhook-id': 'msg_1', 'webhook-timestamp': time, 'Content-Type': type })
        .set('webhook-signature', signatureOf(secret, 'msg_1', time, body))
        .serialize((it: unknown) => it as string)
        .send(body as never),
    )
  }
  return {
    addressFor,
    send,
    /** Sends a mail, and gives what became of it. */
    outcome: async (mail: Buffer) => (await send(mail)).body.outcome as string,
    sendJson: (it: object) => send(Buffer.from(JSON.stringify(it)), { type: 'application/json' }),
    /** What is in the conversations, the oldest first. */
    said: async (): Promise<{ id: string; text: string; by: string; files: string[] }[]> =>
      scene.owner('portal.client_activity_logs').where({ event: 'threads.replied' }).orderBy('id').pluck('subject'),
    mailsOf: (state: string) => scene.owner('portal.client_reply_mails').where({ state }).orderBy('at'),
  }
}
