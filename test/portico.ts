import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../src/platform/root.ts'
import { freePort } from './free-port.ts'

interface Place {
  cwd: string
  env: NodeJS.ProcessEnv
}

export interface Instance {
  child: ChildProcess
  port: string
  /** What it has printed so far. */
  said(): string
}

const program = [process.execPath, join(root, 'src/cli.ts')] as const

/** `npx portico` in lines for a shell. */
export const inShell = (lines: string) => lines.replaceAll('npx portico', program.map(it => `'${it}'`).join(' '))

/** A command of `portico`, to its end. Returns what it printed; throws that where it failed. */
export async function run(command: string, place: Place): Promise<string> {
  const { child, said } = launch(command, place)
  const [code] = await once(child, 'close')
  if (code) throw new Error(`${command}: ${said()}`)
  return said()
}

/** An instance of `portico serve` that listens, at a free port if none is named. Throws what it said if it does not start. */
export async function serve(map: string, { cwd, env }: Place): Promise<Instance> {
  const port = env.PORT ?? (await freePort())
  const { child, said } = launch(`serve --map ${map}`, { cwd, env: { ...env, PORT: port } })
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => said().includes('ready on http') && resolve())
    child.once('close', () => reject(new Error(said())))
  })
  return { child, port, said }
}

function launch(command: string, place: Place) {
  const child = spawn(program[0], [program[1], ...command.split(' ')], place)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', part => (text += part))
  return { child, said: () => text }
}
