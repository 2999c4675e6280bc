import type { ChildProcess } from 'node:child_process'

const running = new Set<() => void>()

/** Is done when this process ends, however it does, unless it was done before: gives what does it. */
export function inTheEnd(work: () => void): () => void {
  const once = () => {
    if (running.delete(once)) work()
  }
  running.add(once)
  return once
}

/** Nothing outlives the run. */
export const endLater = (child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL') => {
  const end = inTheEnd(() => child.kill(signal))
  child.once('exit', end)
}

process.once('exit', () => {
  for (const it of running) it()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
