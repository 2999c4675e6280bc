import { existsSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'

/** What a directory's `.gitignore` leaves out, asked with paths from the root of the tree. */
export function ignoreRules(directory: string, prefix: string): (path: string, directory: boolean) => boolean {
  const file = join(directory, '.gitignore')
  if (!existsSync(file)) return () => false
  const rules = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line && !line.startsWith('#'))
    .map(rule)
  return (path, isDirectory) => {
    const inside = prefix ? path.slice(prefix.length + 1) : path
    return rules.reduce((out, it) => (it.fits(inside, isDirectory) ? !it.negated : out), false)
  }
}

function rule(line: string) {
  const negated = line.startsWith('!')
  const pattern = negated ? line.slice(1) : line
  const onlyDirectories = pattern.endsWith('/')
  const bare = pattern.replace(/^\/|\/$/g, '')
  const anywhere = !bare.includes('/') && !pattern.startsWith('/')
  const globs = anywhere ? [bare, `**/${bare}`] : [bare]
  const fits = (path: string, directory: boolean) =>
    (directory || !onlyDirectories) && globs.some(glob => matchesGlob(path, glob))
  return { negated, fits }
}
