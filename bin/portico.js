#!/usr/bin/env node
// Plain JavaScript for any Node.js since 14, so that an old one can say what is missing.
const [major] = process.versions.node.split('.').map(Number)
if (major >= 24) {
  await import('../dist/src/cli.js')
} else {
  console.error(
    `Portico needs Node.js 24 or newer, and this is ${process.version}. Install it from https://nodejs.org.`,
  )
  process.exitCode = 1
}
