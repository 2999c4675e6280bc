import type { Knex } from 'knex'
import { z } from 'zod'
import type { BrandedWorkspace } from '../crm/workspaces.ts'
import type { Host } from '../plugin/plugin.ts'

/** A way to reach people with notifications. Its plugin's name is the channel's. */
export interface NotificationChannel {
  /** Over its column: `Phone`. */
  label: string
  /** What it is, under the label: `push`. */
  hint: string
  /** Whether kinds are sent by it unless the workspace or the reader says otherwise: where people switch it on first. */
  usual?: boolean
  /** Which of these people it can reach, in a transaction of the workspace. Nothing is sent to others. */
  reaches(tx: Knex, of: { workspace: string; people: string[] }, host: Host): Promise<string[]>
  /**
   * Sends one notification. It may be called again after a process died in the middle. `unreachable` means that trying
   * again is of no use; whatever it throws is tried again for a day.
   */
  send(it: ChannelMessage, host: Host): Promise<'sent' | 'unreachable'>
}

/** A notification in its reader's language. */
export interface ChannelMessage {
  workspace: BrandedWorkspace
  /** The reader's account. */
  person: string
  /** The same for the same notification, however often it is sent. */
  id: string
  /** The same for notifications of one kind about one record: a later one takes the place of an earlier one. */
  tag: string
  text: string
  /** A second line, or an empty text. */
  about: string
  /** The page that it leads to. */
  url: string
}

const fn = z.custom<object>(it => typeof it === 'function', 'must be a function')
export const channelShape = z.object({
  label: z.string(),
  hint: z.string(),
  usual: z.boolean().optional(),
  reaches: fn,
  send: fn,
})
