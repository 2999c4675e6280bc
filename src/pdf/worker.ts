// Runs in a process of its own: a slow, large or crashing document blocks no request.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NodeCompiler, type NodeTypstDocument } from '@myriaddreamin/typst-ts-node-compiler'
import type { Answer, Job } from './pool.ts'

const source = readFileSync(join(import.meta.dirname, 'document.typ'), 'utf8')
const compilers = new Map<string, NodeCompiler>()

// The person who asked may have left by now.
process.on('message', (job: Job) => process.send?.(answer(job), () => undefined))
process.on('disconnect', () => process.exit())

function answer({ files, document, logo }: Job): Answer {
  const compiler = compilerOf(files)
  const name = logo && `logo.${logo.type === 'image/png' ? 'png' : 'svg'}`
  const path = name && join(import.meta.dirname, name)
  try {
    if (logo && path) compiler.mapShadow(path, Buffer.from(logo.bytes))
    const signed = made(compiler, { ...document, logo: name ?? null })
    return 'error' in signed && logo ? made(compiler, { ...document, logo: null }) : signed
  } finally {
    if (path) compiler.unmapShadow(path)
    // What it remembers of a long document is hundreds of megabytes.
    compiler.evictCache(0)
  }
}

function made(compiler: NodeCompiler, document: object): Answer {
  const strict = attempt(compiler, { ...document, fallback: false }, 'ua-1')
  if (!('missing' in strict)) return strict
  const loose = attempt(compiler, { ...document, fallback: true }, '1.7')
  return 'bytes' in loose ? { ...loose, missing: strict.missing } : loose
}

type Outcome = { bytes: Buffer } | { error: string } | { missing: string; error: string }

function attempt(compiler: NodeCompiler, document: object, pdfStandard: string): Outcome {
  try {
    const compiled = compiler.compile({ mainFileContent: source, inputs: { document: JSON.stringify(document) } })
    if (!compiled.result) return { error: told(compiler.fetchDiagnostics(compiled.takeError()!)) }
    return { bytes: compiler.pdf(compiled.result as NodeTypstDocument, { pdfStandard }) }
  } catch (error) {
    const { message } = error as Error
    const missing = [...message.matchAll(/the text `\\?"(.*?)\\?"` could not be displayed/g)].map(it => it[1])
    return missing.length ? { missing: missing.join(' '), error: message } : { error: message }
  }
}

const told = (diagnostics: { message: string }[]) => diagnostics.map(it => it.message).join('; ')

/** Each with its own set of fonts; a few are kept, since those of Chinese take long to read. */
function compilerOf(files: string[]): NodeCompiler {
  const key = files.join()
  const kept = compilers.get(key)
  if (kept) return kept
  if (compilers.size >= 4) compilers.clear()
  const made = NodeCompiler.create({
    workspace: import.meta.dirname,
    fontArgs: [{ fontBlobs: files.map(it => readFileSync(it)) }],
  })
  compilers.set(key, made)
  return made
}
