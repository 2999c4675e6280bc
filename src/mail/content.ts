import type { BrandedWorkspace } from '../crm/workspaces.ts'
import { render } from '../http/render.ts'
import { tonesOf } from '../platform/contrast.ts'
import type { Speech } from '../platform/i18n.ts'
import type { MailItem } from './items.ts'

/** What a mail says, in the reader's language; the same in both of its forms. */
export interface MailContent {
  subject: string
  greeting: string
  paragraphs: string[]
  /** What somebody wrote, in their own words. */
  quotes?: Quote[]
  /** Facts with their labels: number, title, total. */
  details?: [label: string, value: string][]
  /** Several things, each with a link of its own. */
  items?: MailItem[]
  /** To be typed or pasted. */
  code?: string
  action?: { label: string; url: string }
  /** Below the action: what to do if it was not you. */
  after: string[]
  /** Why the reader gets it, in the footer. */
  why?: string
  /** Where the reader says that they want no more of its kind. */
  unsubscribe?: string
}

/** The words of somebody, and whose they are. */
export interface Quote {
  by: string
  text: string
}

export interface RenderedMail {
  subject: string
  text: string
  html: string
  /** The workspace's logo is part of the mail: whoever sends it attaches the picture as `logoId`. */
  logo?: boolean
}

/** The Content-ID of the logo (RFC 2392): mail programs do not show `data:` addresses. */
export const logoId = 'logo@portico'

/**
 * Renders both forms of a mail, which say the same. The HTML runs nothing and loads nothing. `to` is the reader's
 * address. A workspace's logo is shown if it is a PNG; mail programs do not show SVG.
 */
export function renderMail(letter: MailContent, workspace: BrandedWorkspace, speech: Speech, to = ''): RenderedMail {
  const subject = oneLine(letter.subject)
  const sentTo = [to && speech.t('Sent to {email}.', { email: to }), letter.why ?? ''].filter(Boolean).join(' ')
  const logo = workspace.logo?.type === 'image/png' ? { id: logoId, ...sizeOf(workspace.logo) } : undefined
  const colours = tonesOf(/^#[0-9a-f]{6}$/i.exec(workspace.colour ?? '')?.[0] ?? '#0c5a63')
  const preview = previewOf(letter)
  return {
    subject,
    text: textOf(letter, workspace, [sentTo, ...leaving(letter, speech)]),
    html: render('mail/mail', {
      ...speech,
      letter: { ...letter, subject },
      workspace,
      logo,
      colours,
      style: styleOf(colours),
      preview,
      sentTo,
    }),
    ...(logo && { logo: true }),
  }
}

/** Only what cannot be inline, since some mail programs drop it: the dark and the narrow. */
const styleOf = ({ dark }: ReturnType<typeof tonesOf>) => `
@media (prefers-color-scheme: dark) {
  .m-page { background: #131516 !important; color: #eceae5 !important; }
  .m-card { background: #1c1f20 !important; border-color: #2d3132 !important; color: #eceae5 !important; }
  .m-soft { color: #a9adac !important; }
  .m-line { border-color: #2d3132 !important; }
  .m-say { background: #131516 !important; border-color: ${dark.colour} !important; }
  .m-btn { background: ${dark.colour} !important; color: #1c1f20 !important; }
}
@media (max-width: 34rem) {
  .m-pad { padding-inline: 20px !important; }
  .m-btn { display: block !important; }
}
`

const leaving = ({ unsubscribe }: MailContent, { t }: Speech): string[] =>
  unsubscribe ? [`${t('Unsubscribe from these e-mails')}:\n${unsubscribe}`] : []

function textOf(letter: MailContent, { name, letterhead }: BrandedWorkspace, footer: string[]): string {
  const { greeting, paragraphs, quotes = [], details = [], items = [], code, action, after } = letter
  const parts = [
    greeting,
    ...paragraphs,
    ...quotes.map(({ by, text }) => [...(by ? [by] : []), ...text.split(/\r?\n/).map(it => `> ${it}`)].join('\n')),
    ...(details.length ? [details.map(([label, value]) => `${label}: ${oneLine(value)}`).join('\n')] : []),
    ...items.map(({ title, text, url }) => [title, text, url].filter(Boolean).join('\n')),
    ...(code ? [code] : []),
    ...(action ? [`${action.label}:\n${action.url}`] : []),
    ...after,
    ...footer.filter(Boolean),
    ['-- ', name, ...letterhead].join('\n'),
  ]
  return `${parts.join('\n\n')}\n`
}

/** What mail programs show beside the subject. */
const previewOf = ({ quotes = [], paragraphs }: MailContent) =>
  quotes[0] ? `“${excerptOf(quotes[0].text, 140)}”` : excerptOf(paragraphs.join(' '), 140)

/** Within 180 by 36 pixels, never enlarged. */
function sizeOf({ width, height }: { width: number; height: number }) {
  const scale = Math.min(180 / width, 36 / height, 1)
  return { width: Math.max(Math.round(width * scale), 1), height: Math.max(Math.round(height * scale), 1) }
}

const characters = new Intl.Segmenter()

/** Returns a text of at most this many characters; a longer one ends at a word, with an ellipsis. */
export function excerptOf(text: string, most = 600): string {
  const all = Array.from(characters.segment(text.trim()), it => it.segment)
  if (all.length <= most) return all.join('')
  const cut = all.slice(0, most - 1).join('')
  return `${cut.replace(/\s+\S{0,30}$/, '')}…`
}

/** A line break in a subject would be a header of its own. */
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
