import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bySystem, insert } from '../activity.ts'
import { query, readWithin, within } from '../database.ts'
import { bundleOf, columns, type Stored, tables } from '../evidence/chain.ts'
import { bundleIn, check, type Finding } from '../evidence/check.ts'
import type { Bundle, Evidence } from '../evidence/evidence.ts'
import { fingerprint, sealOf } from '../evidence/seal.ts'
import { type Config, Trouble, Wrong, withCrm } from './config.ts'

/** Whether an evidence bundle is whole: no database and no network is asked. */
export async function verifyFile(file: string | undefined, expected?: string): Promise<string> {
  if (!file) throw new Wrong('verify needs a file: portico verify evidence.json')
  const bundle = read(file)
  const by = known(bundle.certificate)
  const findings = [...check(bundle), ...(await sealed(bundle, by)), ...owned(by, expected)]
  const { act, at, signer, document }: Evidence = JSON.parse(bundle.evidence)
  const told = [
    `${signer.name} <${signer.email}> ${act} ${document.number}, version ${document.version}, for ${signer.client.name}, at ${at}.`,
    ...findings.map(it => `${it.good ? '✓' : '✗'} ${it.what}`),
    ...(bundle.state ? [`Into the CRM, when this file was made: ${bundle.state}.`] : []),
    ...(by && !expected
      ? [
          `Signed with the key of ${by.name}, SHA-256 ${by.fingerprint}. Anybody can make a key of any name: compare it`,
          'with the one that the company tells you, or say --certificate SHA-256.',
        ]
      : []),
  ].join('\n')
  if (findings.some(it => !it.good)) throw new Trouble(`${told}\n\nThis evidence was tampered with.`)
  return told
}

const known = (certificate: string) => {
  try {
    return {
      name: new X509Certificate(certificate).subject.replaceAll('\n', ', '),
      fingerprint: fingerprint(certificate),
    }
  } catch {
    return undefined
  }
}

/** The sealed paper, where there is one: its own seal, by the same certificate. */
async function sealed({ sealed: pdf }: Bundle, by: ReturnType<typeof known>): Promise<Finding[]> {
  if (!pdf) return []
  const it = await sealOf(Buffer.from(pdf, 'base64'))
  const good = it?.intact === true && it.whole && it.by === by?.fingerprint
  return [{ what: 'the sealed paper bears an unbroken seal of the same certificate', good }]
}

const owned = (by: ReturnType<typeof known>, expected: string | undefined): Finding[] =>
  expected
    ? [
        {
          what: 'the certificate is the one that was expected',
          good: by?.fingerprint === expected.toLowerCase().replaceAll(':', ''),
        },
      ]
    : []

function read(file: string): Bundle {
  try {
    return bundleIn(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Trouble(`${file}: ${(error as Error).message}`)
  }
}

/** A bundle for each answer of a workspace, which verify without the portal. */
export const exportEvidence = (
  config: Config,
  { workspace: slug, out = 'evidence' }: { workspace?: string; out?: string },
): Promise<string> =>
  withCrm(config, async ({ directory }, database) => {
    if (!slug) throw new Wrong('export needs --workspace, and takes --out DIR.')
    const workspace = await directory.workspace(slug)
    if (!workspace) throw new Trouble(`The CRM has no workspace "${slug}".`)
    mkdirSync(out, { recursive: true })
    // What is sealed from now on may not be in it.
    const [{ begun }] = await query(database, { text: 'select portal.now() as begun' })
    let count = 0
    for (let last = 0; ; ) {
      const rows = await readWithin<Stored>(
        database,
        { workspace: workspace.id },
        {
          text: `select ${columns} from ${tables} where s.workspace_id = scope.workspace and s.link > $3 order by s.link limit 20`,
          values: [last],
        },
      )
      for (const row of rows) {
        const bundle = bundleOf(row)
        if (bundle)
          writeFileSync(
            join(out, `${String(row.link).padStart(6, '0')}-${row.id}.json`),
            JSON.stringify(bundle, null, 2),
          )
        if (bundle) count++
        last = row.link
      }
      if (rows.length === 20) continue
      await within(database, { workspace: workspace.id }, tx =>
        // By it `rollback` knows what is in an export.
        insert(tx, [bySystem(workspace.id, { event: 'answers.exported', subject: { count, link: last, begun } })]),
      )
      return `${count} answers of ${workspace.name} are in ${out}. portico verify FILE checks one.`
    }
  })
