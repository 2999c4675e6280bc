import type { CoreHost } from '../../src/auth/host.ts'
import type { OwnedRecord } from '../../src/crm/crm.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import type { Facts } from '../../src/mail/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'
import type { NewsKind } from './rules.ts'

export type Parts = Pick<
  CoreHost,
  'activation' | 'capability' | 'crm' | 'database' | 'jobs' | 'log' | 'mailContext' | 'plugins' | 'workspaces'
> & { settingsAddress: string }

/** One event as mails tell it. */
export interface News {
  kind: NewsKind
  /** Which mail tells it, if not that of its kind. */
  mail?: 'refused'
  /** Its key, if it is not the one that was asked for: a response is told as rejected once. */
  about?: string
  /** What it is about; nothing for e-mails that failed. */
  record?: OwnedRecord
  /** Whether staff can reply to its mail. */
  replies?: boolean
  facts: Facts
  /** Where staff see it: its page in the CRM, or else one of the settings. */
  url: string
  /** For a digest. */
  title: string
  text: string
}

/** In which a mail is written, and of whom. */
export interface Telling {
  workspace: BrandedWorkspace
  speech: Speech
}
