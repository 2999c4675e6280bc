import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { z } from 'zod'
import type { Audit, Doubt, Recorded } from '../../audit/index.ts'
import { CommandError } from './errors.ts'

/** Nobody answers more in one go. */
const mostQuestions = 8

const RecordedAnswers = z.object({
  recorded: z
    .array(
      z.object({
        about: z.string(),
        answer: z.string(),
        note: z.string().optional(),
        by: z.string(),
        on: z.string(),
        found: z.string(),
      }),
    )
    .default([]),
})

/** The answers that an earlier audit's file has. Throws CommandError where there is a file and it cannot be read. */
export function recordedIn(file: string): Recorded[] {
  if (!existsSync(file)) return []
  try {
    return RecordedAnswers.parse(JSON.parse(readFileSync(file, 'utf8'))).recorded
  } catch {
    throw new CommandError(
      `${file} is there and cannot be read as an audit; answers recorded in it would be lost. Move it away, or name another file with --json.`,
    )
  }
}

interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean }
  output: NodeJS.WritableStream
}

/**
 * Asks who answers, whether recorded answers still hold, and what decides most. Returns all answers, those of before
 * included. At the end of the input, or at Ctrl-C, it returns what was answered by then.
 */
export async function askDeveloper(
  { doubts, json }: Pick<Audit, 'doubts' | 'json'>,
  terminal: Terminal = { input: process.stdin, output: process.stdout },
): Promise<Recorded[]> {
  const { recorded = [] } = json
  const open = doubts.filter(it => !it.silent && !recorded.some(one => one.about === it.about)).slice(0, mostQuestions)
  const { say, ask, close } = conversation(terminal)
  const kept = new Map(recorded.map(it => [it.about, it]))
  try {
    say(intro(open.length))
    const by = (await ask(`Your name [${defaultName()}]: `)) || defaultName()
    for (const it of recorded) if (await isForgotten(it, ask)) kept.delete(it.about)
    for (const [n, doubt] of open.entries()) {
      say(`\n${n + 1} of ${open.length}. ${doubt.question}\n  So far ${doubt.found}`)
      if (doubt.places.length) say(`  Look at ${doubt.places.join(', ')}`)
      const answer = await answerTo(doubt, { say, ask })
      if (!answer) continue
      const note = await ask('  A note for others, or nothing: ')
      const on = new Date().toISOString().slice(0, 10)
      const found = statusOf(json, doubt.about)
      kept.set(doubt.about, { about: doubt.about, answer, ...(note && { note }), by, on, found })
    }
  } catch (error) {
    if (!(error instanceof Ended)) throw error
    say('\nStopped. What you have answered is kept.')
  } finally {
    close()
  }
  return [...kept.values()]
}

const intro = (count: number) =>
  count
    ? `${count} ${count === 1 ? 'question' : 'questions'} that decide most. Say skip if you do not know; Ctrl-C stops and keeps what you said.`
    : 'There is nothing to ask: no answer would change a decision.'

const statusOf = ({ answers }: Audit['json'], about: string): string =>
  Object.entries(answers).find(([id]) => id === about)?.[1].status ?? ''

async function isForgotten({ about, answer, by, on }: Recorded, ask: Ask): Promise<boolean> {
  const said = await ask(`${about} is "${answer}", as ${by} said on ${on}. Keep it? [yes]/no: `)
  return /^n/i.test(said)
}

type Ask = (prompt: string) => Promise<string>

interface Conversation {
  say(text: string): void
  ask: Ask
}

/** Asks until the answer can be understood; undefined is: they do not know. */
async function answerTo(doubt: Doubt, { say, ask }: Conversation): Promise<string | undefined> {
  const { choices } = doubt
  const several = doubt.about.endsWith('.kinds')
  const possible = choices ?? ['implemented', 'partial', 'missing']
  const hint = several ? ' (with commas between)' : ''
  for (;;) {
    const said = (await ask(`  ${possible.join(', ')} or skip${hint}: `)).trim()
    if (/^(s|skip|)$/i.test(said)) return undefined
    const words = several ? said.split(',').map(it => it.trim()) : [said]
    const meant = words.map(word => choiceOf(word, possible, !choices))
    if (meant.every(it => it !== undefined)) return meant.join(', ')
    say(`  Please say ${possible.join(', ')} or skip.`)
  }
}

/** What a word means: itself, or the one choice that begins like it; yes and no about a part of a portal. */
function choiceOf(said: string, possible: string[], isPart: boolean): string | undefined {
  const word = said.toLowerCase()
  const inWords: Record<string, string> = isPart ? { yes: 'implemented', half: 'partial', no: 'missing' } : {}
  const meant = inWords[word] ?? word
  const exact = possible.find(it => it.toLowerCase() === meant)
  const beginning = possible.filter(it => it.toLowerCase().startsWith(meant))
  return exact ?? (beginning.length === 1 ? beginning[0] : undefined)
}

class Ended extends Error {}

/** Lines are kept until they are asked for, so that piped answers are not lost. */
function conversation({ input, output }: Terminal): Conversation & { close(): void } {
  const reader = createInterface({ input, output, terminal: Boolean(input.isTTY) })
  const lines: string[] = []
  let ended = false
  let wake = () => {}
  const end = () => {
    ended = true
    wake()
  }
  const stop = () => reader.close()
  // A terminal writes its prompt anew when a line is edited; an input that has ended has none.
  const show = (prompt: string) => {
    if (ended) return output.write(prompt)
    reader.setPrompt(prompt)
    reader.prompt()
  }
  reader.on('line', line => {
    lines.push(line)
    wake()
  })
  reader.once('close', end)
  reader.once('SIGINT', stop)
  process.once('SIGINT', stop)
  return {
    say: text => void output.write(`${text}\n`),
    async ask(prompt) {
      show(prompt)
      while (!lines.length) {
        if (ended) throw new Ended()
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return lines.shift()!.trim()
    },
    close() {
      process.off('SIGINT', stop)
      reader.close()
    },
  }
}

/** As git knows the developer, or else the machine. */
function defaultName(): string {
  try {
    const name = execFileSync('git', ['config', 'user.name'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    if (name.trim()) return name.trim()
  } catch {
    // No git, or no name in it.
  }
  return process.env.USER || userInfo().username
}
