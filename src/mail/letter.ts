import type { Branded } from '../branding/workspaces.ts'
import type { Speech } from '../language.ts'
import { render } from '../render.ts'

/** What a mail says, in the reader's language; the same in both of its forms. */
export interface Letter {
  subject: string
  greeting: string
  paragraphs: string[]
  /** To be typed or pasted. */
  code?: string
  action?: { label: string; url: string }
  /** Below the action: what to do if it was not you. */
  after: string[]
}

export interface Written {
  subject: string
  text: string
  html: string
}

/** Plain text that is as good as the HTML, and HTML without pictures, scripts or anything from elsewhere. */
export function written(letter: Letter, workspace: Branded, speech: Speech): Written {
  const { greeting, paragraphs, code, action, after, subject } = letter
  const parts = [
    greeting,
    ...paragraphs,
    ...(code ? [code] : []),
    ...(action ? [`${action.label}:\n${action.url}`] : []),
    ...after,
    ['-- ', workspace.name, ...workspace.letterhead].join('\n'),
  ]
  return {
    subject: oneLine(subject),
    text: `${parts.join('\n\n')}\n`,
    html: render('mail/letter', { ...speech, letter, workspace }),
  }
}

/** A line break in a subject would be a header of its own. */
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
