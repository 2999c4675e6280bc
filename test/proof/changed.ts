import { execFileSync } from 'node:child_process'
import { root } from '../../src/platform/root.ts'

const git = (...args: string[]) =>
  execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

const asked = (...args: string[]) => {
  try {
    return git(...args)
  } catch {
    return ''
  }
}

/** The commit that is tried, and the paths that differ from its base. */
export interface Change {
  commit: string
  /** What it is compared with, for the first line of a run; undefined where everything counts as changed. */
  base: string | undefined
  /** Paths from the root. */
  files: string[]
}

/**
 * What has changed since `PORTICO_BASE`, else since this branch left `origin/main`, else in the commits of the last 24
 * hours, uncommitted files included. Throws where `PORTICO_BASE` names no commit.
 */
export function readChange(): Change {
  const commit = asked('rev-parse', 'HEAD')
  const base = findBase(commit)
  if (base === undefined) return { commit, base, files: lines(asked('ls-files')) }
  const names = asked('diff', '--name-only', '--no-renames', base)
  return { commit, base, files: [...lines(names), ...lines(asked('ls-files', '--others', '--exclude-standard'))] }
}

function findBase(commit: string): string | undefined {
  const named = process.env.PORTICO_BASE
  if (named) {
    const base = asked('rev-parse', '--verify', `${named}^{commit}`)
    if (!base) throw new Error(`PORTICO_BASE is ${named}, which is no commit here.`)
    return base
  }
  const left = asked('merge-base', 'HEAD', 'origin/main')
  if (left && left !== commit) return left
  return asked('rev-list', '-1', '--before=24 hours ago', 'HEAD') || undefined
}

const lines = (text: string) => text.split('\n').filter(Boolean)
