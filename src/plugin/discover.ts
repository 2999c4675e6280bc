import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root } from '../platform/root.ts'
import type { Section } from './plugin.ts'

const require = createRequire(import.meta.url)

/**
 * Every folder in plugins/: adding one adds a section, deleting one removes it. Nothing is awaited, so that a CommonJS
 * app can require us.
 */
export const sections: Section[] = globSync('plugins/*/plugin.{ts,js}', { cwd: root })
  .map(file => ({ ...(require(join(root, file)).default as Section), folder: join(root, dirname(file)) }))
  .sort((a, b) => a.order - b.order)
