import type { PrintedDocument } from '../pdf/pdf.ts'
import type { Reader } from '../section.ts'
import type { Stored } from './chain.ts'
import type { Evidence } from './evidence.ts'
import { pathOf } from './strokes.ts'

/** The page at the end of a signed document: the evidence for who holds nothing else. */
export function certificate(
  { evidence, row, verify }: { evidence: Evidence; row: Stored; verify: string | undefined },
  { t, time, day, workspace }: Reader,
): NonNullable<PrintedDocument['certificate']> {
  const { signer, document, consent, signature, authentication, from, order, seen, publicLink } = evidence
  const [known] = authentication
  return {
    heading: t('Certificate of acceptance'),
    intro: t('{name} accepted {number}, version {version}, for {client} by the portal of {workspace}.', {
      ...{ name: signer.name, number: document.number, version: document.version },
      ...{ client: signer.client.name, workspace: workspace.name },
    }),
    facts: [
      [t('Signed by'), `${signer.name}, ${signer.client.name}`],
      [t('E-mail'), signer.email],
      [t('When'), `${time(evidence.at)} (${evidence.at} UTC)`],
      [t('From'), [from.address, from.agent].filter(Boolean).join(', ') || '–'],
      ...(known ? [[t('Known by'), `${knownBy(known.by, t)}, ${time(known.at)}`] as [string, string]] : []),
      ...(publicLink
        ? [
            [
              t('Came by'),
              t('a public link that {name} made on {time}', { name: publicLink.madeBy, time: time(publicLink.madeAt) }),
            ] as [string, string],
          ]
        : []),
      [
        t('Seen before'),
        t('{times, plural, =0 {never} one {once} other {# times}}', { times: (publicLink?.seen ?? seen).times }),
      ],
      ...(order.number ? [[t('Purchase order'), order.number] as [string, string]] : []),
      ...(order.wishedOn ? [[t('Wished delivery date'), day(order.wishedOn)] as [string, string]] : []),
      ...(signature?.way === 'typed' && signature.name
        ? [[t('Typed name'), typedName(signature.name, t)] as [string, string]]
        : []),
      ...(consent ? [[t('Agreed to'), consent.text] as [string, string]] : []),
    ],
    signature:
      signature?.way === 'drawn'
        ? { label: t('Drawn signature'), path: pathOf(signature.strokes) }
        : signature?.way === 'typed'
          ? { label: t('Typed signature'), text: signature.text }
          : undefined,
    codes: [
      [t('Fingerprint of the document (SHA-256)'), document.sha256],
      ...(document.pdf ? [[t('Fingerprint of the paper (SHA-256)'), document.pdf.sha256] as [string, string]] : []),
      ...(document.attachments ?? []).map((it): [string, string] => [
        t('Fingerprint of “{file}” (SHA-256)', { file: it.name }),
        it.sha256,
      ]),
      [t('Link in the chain'), `${row.link}: ${row.hash}`],
      [t('Evidence'), evidence.id],
    ],
    after: [
      t('This file is sealed: any change of it after {time} can be seen.', { time: time(evidence.at) }),
      verify && t('Anybody can check it at {address}.', { address: verify }),
      t('It is a simple electronic signature with evidence of tampering; it is not a qualified one.'),
    ]
      .filter(Boolean)
      .join('\n'),
  }
}

const typedName = (name: 'account' | 'confirmed', t: Reader['t']) =>
  name === 'account'
    ? t('the name of the account')
    : t('confirmed by the signer as another name than that of the account')

/** How somebody had shown who they are, in words. */
const knownBy = (by: string, t: Reader['t']) =>
  t(
    '{by, select, password {password} code {mailed code} link {mailed link} invitation {invitation} totp {authenticator app} passkey {passkey} recovery {recovery code} token {token of a program} other {another way}}',
    { by },
  )
