// How long a document takes, and how long the event loop stood still meanwhile.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PrintedDocument, pdfOf } from '../src/pdf/pdf.ts'
import { endPdf } from '../src/pdf/pool.ts'

const rounds = Number(process.env.ROUNDS ?? 7)

await measured('pdf-first', 20, 1)
await measured('pdf-20-lines', 20, rounds)
await measured('pdf-2000-lines', 2000, rounds)
endPdf()

async function measured(name: string, lines: number, times: number) {
  await sleep(100)
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const seconds: number[] = []
  delay.enable()
  for (let at = 0; at < times; at++) {
    const began = performance.now()
    await pdfOf(documentOf(lines, `${name} ${at}`))
    seconds.push((performance.now() - began) / 1000)
  }
  delay.disable()
  const middle = seconds.sort((a, b) => a - b)[times >> 1]!
  console.log(`${name} ${middle.toFixed(2)} s (event loop late by ${(delay.max / 1e6 - 5).toFixed(0)} ms at most)`)
}

/** Each round has its own texts, so that nothing of the round before can be used again. */
function documentOf(lines: number, title: string): PrintedDocument {
  return {
    language: 'en-GB',
    direction: 'ltr',
    title,
    number: 'P-2026-031',
    date: '2026-11-19',
    sender: 'Brightside',
    letterhead: ['Brightside Studio B.V.', 'Entrepotdok 84', '1018 AD Amsterdam'],
    colour: '#0c5a63',
    addressee: { label: 'For', lines: ['Acme Bakery B.V.', 'Nadia El-Khoury'] },
    facts: [['Proposal', 'P-2026-031']],
    intro: ['As we spoke.'],
    columns: ['Description', 'Quantity', 'Amount'],
    groups: Array.from({ length: Math.ceil(lines / 20) }, (_, group) => ({
      heading: `${title}, part ${group}`,
      lines: Array.from({ length: 20 }, (_, at) => ({
        title: `${title}: ordering for wholesale customers, ${group}-${at}`,
        details: [`Own price lists, standing orders and cut-off times per route, ${at * group}`],
        quantity: `${at} hours × €95.00`,
        amount: `€${at * 95}.00`,
        optional: false,
        chosen: true,
      })),
    })),
    totals: [['Total', '€1,000.00', true]],
    terms: ['Within 14 days.'],
    footer: 'Brightside Studio B.V.',
  }
}
