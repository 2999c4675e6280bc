import { execFileSync } from 'node:child_process'
import type { Run } from './plan.ts'

/** Installs what these runs need beyond npm. Where that cannot be done, those runs are left out. */
export function install(runs: Run[]): { able: Run[]; unable: Run[] } {
  const packages = [...new Set(runs.flatMap(it => it.suite.packages ?? []))].filter(it => !isInstalled(it))
  if (packages.length && !isDebianRoot()) {
    const unable = runs.filter(it => it.suite.packages?.some(name => packages.includes(name)))
    return { able: runs.filter(it => !unable.includes(it)), unable }
  }
  if (packages.length) {
    console.log(`Installing ${packages.join(', ')}`)
    apt('update', '-qq')
    apt('install', '-y', '-qq', ...packages)
  }
  return { able: runs, unable: [] }
}

const apt = (...args: string[]) =>
  execFileSync('apt-get', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })

const isDebianRoot = () => process.getuid?.() === 0 && answers('apt-get', '--version')

const isInstalled = (name: string) => answers('dpkg', '-s', name)

function answers(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
