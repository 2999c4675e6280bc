import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../platform/root.ts'

let names: Set<string> | undefined

/** Whether the icon sprite has an icon of this name. */
export function hasIcon(name: string): boolean {
  names ??= new Set(
    [...readFileSync(join(root, 'assets', 'icons.svg'), 'utf8').matchAll(/ id="([^"]+)"/g)].map(it => it[1]!),
  )
  return names.has(name)
}
