import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where Debian and others put a program; undefined where it is not installed. */
export const program = (name: string) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin']
    .map(it => join(it, name))
    .find(it => existsSync(it))
