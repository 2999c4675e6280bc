import { globSync } from 'node:fs'
import { root } from './root.ts'
import type { Section } from './section.ts'

/** Every folder in plugins/: adding one adds a section, deleting one removes it. */
export const sections: Section[] = await Promise.all(
  globSync('plugins/*/plugin.{ts,js}', { cwd: root }).map(async file => (await import(`../${file}`)).default),
).then(found => found.sort((a, b) => a.order - b.order))
