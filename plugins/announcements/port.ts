import { z } from 'zod'
import type { Page } from '../../src/http/paging.ts'

/** What the workspace tells its clients, as one of them reads it. */
export const Announcement = z.object({
  id: z.string(),
  title: z.string(),
  /** Plain text; `**bold**`, `[words](https://…)` and addresses are marked up. */
  text: z.string(),
  important: z.boolean(),
  /** Plain dates, by the workspace's calendar. */
  publishedOn: z.string(),
  until: z.string().nullable(),
  /** By this person. */
  read: z.boolean(),
  dismissed: z.boolean(),
})
export type Announcement = z.infer<typeof Announcement>

export interface Announcements {
  /** Those that hold today, newest first. */
  list(asked: { after?: string | undefined; size: number }): Promise<Page<Announcement>>
  /** Those that this person has not dismissed: important ones first, then the newest. */
  current(size: number): Promise<Announcement[]>
  /** Throws NotFound, also for one that does not hold today or is for others. */
  find(id: string): Promise<Announcement>
  /** Notes that this person has read it. Resolves to whether it is for the first time. */
  markRead(id: string): Promise<boolean>
  /** It is not on this person's first page any more. Throws NotFound. */
  dismiss(id: string): Promise<void>
}

declare global {
  namespace Portico {
    interface Ports {
      announcements: Announcements
    }
  }
}
