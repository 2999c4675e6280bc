import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { adapter } from './demo/adapter/adapter.ts'
import { passwordFrom, portalUrl } from './demo/portal-database.ts'
import type { Config } from './src/index.ts'

/** For the command line: the demo, which must be running. A company writes its own addresses here. */
export default (): Config => {
  const data = process.env.PORTICO_DATA ?? join(import.meta.dirname, '.data')
  const ownerUrl = process.env.DATABASE_URL ?? fromDemo(join(data, 'database-url'))
  return {
    ownerUrl,
    url: portalUrl(ownerUrl, passwordFrom(fromDemo(join(data, 'secret')))),
    crm: adapter,
    mail: process.env.SMTP_URL ? { url: process.env.SMTP_URL, from: 'portal@tandem.example' } : 'kept',
    address: `http://127.0.0.1:${process.env.PORT ?? 3000}/portal`,
  }
}

function fromDemo(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new Error('The demo has not been started here yet. Start it with npm start, and leave it running.')
  }
}
