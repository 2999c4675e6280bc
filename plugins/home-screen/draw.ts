import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'

/** What is drawn: a PNG or SVG, or a letter, on a plain background. */
export type IconJob = { background: string } & ({ picture: Uint8Array } | { letter: Letter })

export interface Letter {
  text: string
  ink: string
  family: string
  /** The path of the font's file. */
  file: string
}

/** PNG files by name, such as `maskable-512`. */
export type Icons = Map<string, Buffer>

export type IconAnswer = { icons: [name: string, bytes: Uint8Array][] } | { error: string }

const patience = 15_000

let turn: Promise<unknown> = Promise.resolve()

/**
 * Draws the icons in a process of its own, without our environment: a hostile logo can slow down or crash nothing else.
 * One after the other, so that it takes one processor at most. Throws where nothing can be drawn.
 */
export function draw(job: IconJob): Promise<Icons> {
  const icons = turn.then(() => ask(job))
  turn = icons.catch(() => undefined)
  return icons
}

async function ask(job: IconJob): Promise<Icons> {
  const child = fork(join(import.meta.dirname, `icon-worker${extname(import.meta.filename)}`), {
    serialization: 'advanced',
    env: {},
    execArgv: ['--max-old-space-size=256'],
  })
  const signal = AbortSignal.timeout(patience)
  try {
    child.send(job)
    const [answer] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => [{ error: 'the process ended' }]),
    ])) as [IconAnswer]
    if ('error' in answer) throw new Error(`An icon could not be drawn: ${answer.error}`)
    return new Map(answer.icons.map(([name, bytes]) => [name, Buffer.from(bytes)]))
  } finally {
    child.kill('SIGKILL')
  }
}
