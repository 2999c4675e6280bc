import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../src/platform/root.ts'

/** Writes the files that docs/plugins.md shows into a folder, as they stand there, and gives their names. */
export function writePlugin(folder: string, sdk = 'portico/sdk'): string[] {
  const text = readFileSync(join(root, 'docs', 'plugins.md'), 'utf8')
  const files = [...text.matchAll(/```\w+ file=(\S+)\n(.*?)```/gs)]
  for (const [, name = '', code = ''] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), code.replaceAll("'portico/sdk'", `'${sdk}'`))
  }
  return files.map(([, name = '']) => name)
}
