import { writeFileSync } from 'node:fs'
import { audit } from '../../audit/index.ts'
import { Trouble, Wrong } from './config.ts'

type Text = 'database' | 'source' | 'url' | 'out' | 'json'

/** Looks at a CRM, and writes what it found. It needs no configuration: nothing of Portico's has to be there yet. */
export async function audited(options: { [name in Text]?: string } & { quiet?: boolean }): Promise<string> {
  const { database, source, url, out = 'AUDIT_REPORT.md', json = 'audit.json', quiet } = options
  if (!database && !source && !url) throw new Wrong('audit needs --database, --source or --url.')
  const told = process.stderr.isTTY && !quiet
  const progress = (text: string) =>
    told && process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
  const found = await audit({ database, source, url, progress })
  if (told) process.stderr.write('\r\x1b[K')
  writeFileSync(out, found.report)
  writeFileSync(json, `${JSON.stringify(found.json, null, 2)}\n`)
  const problem = `${found.notes.join('\n')}\nWritten all the same: ${out} and ${json}.`
  if (!found.whole) throw new Trouble(problem)
  return quiet ? '' : `Written: ${out} and ${json}.`
}
