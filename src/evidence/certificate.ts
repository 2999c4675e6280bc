import type { PrintedDocument } from '../pdf/pdf.ts'
import type { DocumentReader } from '../plugin/parts.ts'
import type { Stored } from './chain.ts'
import type { Evidence } from './evidence.ts'
import { pathOf } from './strokes.ts'
import type { SignedFacts } from './subject.ts'

interface Certified {
  evidence: Evidence
  row: Stored
  /** Where the sealed file can be checked; undefined where the portal's address is not known. */
  verify: string | undefined
  words: { heading: string; intro: string }
}

/** The last page of a signed document: the evidence on paper. */
export function certificate(
  { evidence, row, verify, words }: Certified,
  { t, time, day }: DocumentReader,
): NonNullable<PrintedDocument['certificate']> {
  const { signer, document, consent, signature, authentication, from, order, seen, publicLink } = evidence
  const [known] = authentication
  return {
    ...words,
    facts: [
      [t('Signed by'), `${signer.name}, ${signer.client.name}`],
      [t('E-mail'), signer.email],
      [t('When'), `${time(evidence.at)} (${evidence.at} UTC)`],
      [t('From'), [from.address, from.agent].filter(Boolean).join(', ') || '–'],
      ...(known ? [[t('Signed in with'), `${knownBy(known.by, t)}, ${time(known.at)}`] as [string, string]] : []),
      ...(publicLink
        ? [
            [
              t('Opened from'),
              t('a public link that {name} made on {time}', { name: publicLink.madeBy, time: time(publicLink.madeAt) }),
            ] as [string, string],
          ]
        : []),
      [
        t('Viewed before'),
        t('{times, plural, =0 {never} one {once} other {# times}}', { times: (publicLink?.seen ?? seen).times }),
      ],
      ...(order.number ? [[t('Purchase order'), order.number] as [string, string]] : []),
      ...(order.requestedOn ? [[t('Preferred delivery date'), day(order.requestedOn)] as [string, string]] : []),
      ...(signature?.method === 'typed' && signature.name
        ? [[t('Typed name'), typedName(signature.name, t)] as [string, string]]
        : []),
      ...(consent ? [[t('Consent'), consent.text] as [string, string]] : []),
    ],
    signature:
      signature?.method === 'drawn'
        ? { label: t('Drawn signature'), path: pathOf(signature.strokes) }
        : signature?.method === 'typed'
          ? { label: t('Typed signature'), text: signature.text }
          : undefined,
    codes: [
      [t('Fingerprint of the document (SHA-256)'), document.sha256],
      ...(document.pdf ? [[t('Fingerprint of the paper (SHA-256)'), document.pdf.sha256] as [string, string]] : []),
      ...(document.attachments ?? []).map((it): [string, string] => [
        t('Fingerprint of “{file}” (SHA-256)', { file: it.name }),
        it.sha256,
      ]),
      [t('Record'), `${row.sequence}: ${row.hash}`],
      [t('Evidence'), evidence.id],
    ],
    after: [
      t('This file is sealed: any change after {time} can be detected.', { time: time(evidence.at) }),
      verify && t('Anyone can verify it at {address}.', { address: verify }),
      t('It is a simple electronic signature with evidence of tampering; it is not a qualified one.'),
    ]
      .filter(Boolean)
      .join('\n'),
  }
}

/** The words of a certificate, where a plugin has none of its own. */
export const acceptance = (signed: SignedFacts, { t, workspace }: DocumentReader) => ({
  heading: t('Certificate of acceptance'),
  intro: t('{name} accepted {number}, version {version}, for {client} by the portal of {workspace}.', {
    ...signed,
    workspace: workspace.name,
  }),
})

const typedName = (name: 'account' | 'confirmed', t: DocumentReader['t']) =>
  name === 'account'
    ? t('the name of the account')
    : t('confirmed by the signer as another name than that of the account')

/** How the signer was verified, in words. */
const knownBy = (by: string, t: DocumentReader['t']) =>
  t(
    '{by, select, password {password} code {mailed code} text {texted code} link {mailed link} invitation {invitation} totp {authenticator app} passkey {passkey} recovery {recovery code} token {token of a program} other {another way}}',
    { by },
  )
