import { genuine, mime, type Parts, signed, withFile } from '../mail-replies.ts'
import { whoIs } from '../visit.ts'

/** A mail, to which record it belongs, and what must become of it. */
export interface Sample {
  name: string
  mail: Buffer
  record: string
  outcome: 'taken' | 'held' | 'ignored' | 'unknown'
  /** What the conversation says if it is taken. */
  says?: string
}

/** The same numbers for the same seed. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

const owner = whoIs('owner').email
const neighbour = whoIs('neighbour').email

interface Thread {
  record: string
  to: string
  /** A reply address of another client. */
  foreign: string
}

type Odd = (it: Thread & { at: number }) => Promise<Omit<Sample, 'name' | 'record'>>

const alternative = (text: string, html: string) =>
  `MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n--alt\r\nContent-Type: text/html\r\n\r\n${html}\r\n--alt--\r\n`

const html = (text: string) => `Content-Type: text/html; charset=utf-8\r\n\r\n${text}\r\n`

const held = async (mail: Buffer | Promise<Buffer>) => ({ mail: await mail, outcome: 'held' as const })
const ignored = async (parts: Parts) => ({ mail: await genuine(parts), outcome: 'ignored' as const })
const taken = async (parts: Parts, says: string) => ({ mail: await genuine(parts), outcome: 'taken' as const, says })

/** What arrives beside ordinary replies. */
const odd: Record<string, Odd> = {
  'an automatic reply': ({ to, at }) => ignored({ to, headers: ['Auto-Submitted: auto-replied'], text: `Away ${at}` }),
  'a notice of absence': ({ to, at }) => ignored({ to, subject: `Abwesenheitsnotiz: ${at}` }),
  'a report of a mail server': ({ to, at }) =>
    ignored({
      to,
      headers: ['Return-Path: <>'],
      body: `Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\n${at}\r\n--x--\r\n`,
    }),
  'of a mailing list': ({ to, at }) => ignored({ to, headers: ['List-Id: <all.example>'], text: `List ${at}` }),
  unsigned: ({ to, at }) => held(mime({ to, text: `Spoofed ${at}` })),
  'signed by another domain': ({ to, at }) => held(signed(mime({ to, text: `Spoofed ${at}` }), 'evil.example')),
  'of another client, to an address of this one': ({ to, at }) =>
    held(genuine({ to, from: neighbour, text: `Swapped ${at}` })),
  'of this client, to an address of another one': ({ foreign, at }) =>
    held(genuine({ to: foreign, from: owner, text: `Swapped ${at}` })),
  'with a name that looks like an address': ({ to, at }) =>
    held(genuine({ to, from: `"${owner}" <x@evil.example>`, text: `Named ${at}` })),
  'with two senders': ({ to, at }) =>
    held(signed(mime({ to, headers: [`From: x@evil.example`], text: `Two ${at}` }), 'acmebakery.example')),
  'changed on its way': async ({ to, at }) =>
    held(genuine({ to, text: `Ten ${at}` }).then(it => Buffer.from(it.toString().replace('Ten', 'Two')))),
  'nested too deeply': ({ to, at }) =>
    held(
      genuine({
        to,
        body: `Content-Type: multipart/mixed; boundary=x\r\n\r\n${'--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n'.repeat(200)}${at}`,
      }),
    ),
  'without text': ({ to, at }) => held(genuine({ to, text: `> quoted ${at}` })),
  'a program attached': ({ to, at }) => held(genuine({ to, body: withFile(`run-${at}.exe`, Buffer.from('MZ')) })),
  'to nobody': ({ at }) =>
    genuine({ to: `reply+${'z'.repeat(26)}@in.example`, text: `Nobody ${at}` }).then(mail => ({
      mail,
      outcome: 'unknown',
    })),
  'with a broken token': ({ to, at }) =>
    genuine({ to: to.replace(/.@/, '@'), text: `Broken ${at}` }).then(mail => ({ mail, outcome: 'unknown' })),
  'in capitals': ({ to, at }) => taken({ to: to.toUpperCase(), text: `Capitals ${at}` }, `Capitals ${at}`),
  'forwarded by a mailbox': ({ to, at }) =>
    taken({ to: 'office@example.com', headers: [`X-Original-To: ${to}`], text: `Forwarded ${at}` }, `Forwarded ${at}`),
  'of HTML alone, with a script': ({ to, at }) =>
    taken({ to, body: html(`<script>alert(${at})</script><p>Of HTML &amp; ${at}</p>`) }, `Of HTML & ${at}`),
  'of both, the HTML saying something else': ({ to, at }) =>
    taken({ to, body: alternative(`Both ${at}`, '<p>Other</p>') }, `Both ${at}`),
  'without an end of MIME': ({ to, at }) =>
    taken(
      {
        to,
        body: `Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nOpen ${at}`,
      },
      `Open ${at}`,
    ),
  'in an alphabet that is none': ({ to, at }) =>
    taken({ to, body: `Content-Type: text/plain; charset=x-nothing\r\n\r\nStrange ${at}\r\n` }, `Strange ${at}`),
  'without a Message-ID': ({ to, at }) => taken({ to, id: false, text: `Nameless ${at}` }, `Nameless ${at}`),
  'with a file': ({ to, at }) =>
    taken({ to, body: withFile(`${at}.txt`, Buffer.from(`file ${at}`), `With a file ${at}`) }, `With a file ${at}`),
}

/** So many mails to these conversations, a third of them odd, in no order. */
export async function samples(count: number, threads: Thread[], seed: number): Promise<Sample[]> {
  const next = random(seed)
  const kinds = Object.entries(odd)
  const made: Sample[] = []
  for (let at = 0; at < count; at++) {
    const thread = threads[Math.floor(next() * threads.length)]!
    const { record, to } = thread
    const [name, make] = kinds[Math.floor(at / 3) % kinds.length]!
    const says = `Reply ${at} to ${record}`
    const quoted = `${says}\n\nOn 24/11/2026 09:00, Brightside wrote:\n> Hello\n`
    if (at % 3) made.push({ name: 'ordinary', record, ...(await taken({ to, text: quoted }, says)) })
    else made.push({ name, record, ...(await make({ ...thread, at })) })
  }
  return made.sort(() => next() - 0.5)
}
