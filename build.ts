// Makes dist/, which is what people install: Node.js runs no TypeScript under node_modules.
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const dist = join(here, 'dist')

rmSync(dist, { recursive: true, force: true })
const tsc = join(here, 'node_modules', 'typescript', 'bin', 'tsc')
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: here, stdio: 'inherit' })

// What is read and not imported lies where it lay.
const read = [
  ...['{src,plugins,views}/**/*.{ejs,json,typ}', 'plugins/*/assets/*'],
  ...['assets/*.{js,svg}', 'assets/portico.css', 'docs/crms/*/crm.map.ts'],
]
for (const file of globSync(read, { cwd: here })) cpSync(join(here, file), join(dist, file))
// Nobody else imports a migration, and each file there is one.
for (const file of globSync('{migrations,plugins/*/migrations}/*.d.ts', { cwd: dist })) rmSync(join(dist, file))
