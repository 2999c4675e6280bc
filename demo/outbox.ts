import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Express } from 'express'
import type { Message } from '../src/index.ts'

/** An outbox for a demo without a mail server: keeps mails in a file and shows them at /-/outbox. */
export function keptMail(data: string) {
  const file = join(data, 'outbox.jsonl')

  async function mails(): Promise<(Message & { at: string })[]> {
    const text = await readFile(file, 'utf8').catch(() => '')
    return text
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line))
      .reverse()
  }

  return {
    send: (it: Message) =>
      appendFile(file, `${JSON.stringify({ at: new Date().toISOString(), ...it })}\n`, { mode: 0o600 }),

    show(app: Express) {
      app.get('/-/outbox', async (req, res, next) => {
        // A page of another site that leads its own host name here must not read mails (DNS rebinding).
        if (!['localhost', '127.0.0.1', '::1', '[::1]'].includes(req.hostname)) return next()
        const kept = await mails()
        res.set('Cache-Control', 'no-store')
        if (req.query.format === 'json') return void res.json(kept)
        res.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
        res.type('html').send(page(kept))
      })
    },
  }
}

const page = (mails: (Message & { at: string })[]) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Outbox of the demo</title>
<body style="max-width:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui">
<h1>Outbox of the demo</h1><p>No mail server is set (<code>SMTP_URL</code>), so mails are kept here, the newest first.</p>
${mails
  .map(
    it => `<article><h2>${escaped(it.subject)}</h2><p>From ${escaped(it.from)} to ${escaped(it.to)}, ${escaped(it.at)}</p>
<pre style="white-space:pre-wrap;overflow-wrap:anywhere">${linked(escaped(it.text))}</pre></article><hr>`,
  )
  .join('\n')}</body></html>`

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, it => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[it] ?? '')

const linked = (text: string) => text.replace(/https?:\/\/[^\s&]+/g, it => `<a href="${it}">${it}</a>`)
