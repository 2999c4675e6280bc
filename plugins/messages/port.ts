import { z } from 'zod'
import { Attachment } from '../../src/files/attachments.ts'
import type { Page } from '../../src/http/paging.ts'

/** `unread`: something in it is new to the reader. */
export const statuses = ['all', 'unread'] as const

const About = z.object({
  /** The name of the plugin whose record it is. */
  kind: z.string(),
  id: z.string(),
  /** What people call it. */
  number: z.string(),
})

export const Summary = z.object({
  id: z.string(),
  title: z.string(),
  about: About.nullable(),
  /** Its newest message. */
  last: z.object({
    at: z.iso.datetime({ offset: true }),
    by: z.enum(['client', 'staff']),
    name: z.string(),
    /** The beginning of what it says; empty where it has only files. */
    text: z.string(),
  }),
  /** The number of its newest message. */
  seq: z.number().int(),
  /** How many messages are new to the reader, of those that they follow. */
  unread: z.number().int(),
  /** What the reader has begun to write; empty where that is nothing. */
  draft: z.string(),
})
export type Summary = z.infer<typeof Summary>

export const Message = z.object({
  id: z.string(),
  /** From 1, in the order in which they were stored. */
  seq: z.number().int(),
  at: z.iso.datetime({ offset: true }),
  by: z.enum(['client', 'staff']),
  /** Of the client's person or of staff. */
  person: z.string(),
  name: z.string(),
  /** Whether the reader wrote it. */
  own: z.boolean(),
  text: z.string(),
  /** Whether it came as a reply by e-mail. */
  byMail: z.boolean(),
  files: z.array(Attachment),
})
export type Message = z.infer<typeof Message>

const Participant = z.object({
  kind: z.enum(['client', 'staff']),
  id: z.string(),
  name: z.string(),
  own: z.boolean(),
  /** The number of the newest message that they have read. */
  readTo: z.number().int(),
})

export const Conversation = Summary.extend({
  /** The newest of them, the oldest first. */
  messages: z.array(Message),
  /** Whether there are messages before these. */
  more: z.boolean(),
  /** Who wrote in it, or reads along. */
  participants: z.array(Participant),
  /** Whether the reader is mailed of what is new. */
  follows: z.boolean(),
  /** The number of the newest message that the reader has read. */
  readTo: z.number().int(),
})
export type Conversation = z.infer<typeof Conversation>

/** Each count stops at 1,000, where 1,001 means more. */
export const Counts = z.object({ all: z.number().int(), unread: z.number().int() })
export type Counts = z.infer<typeof Counts>

export interface NewMessage {
  /** A UUID that the sender chose: sent twice, it is stored once. */
  id: string
  /** May be empty where files come with it, which only Portico’s own store takes. */
  text: string
  byMail?: boolean
}

export interface NewConversation extends NewMessage {
  title: string
  about?: z.infer<typeof About>
}

/** What was stored. */
export interface Stored {
  /** Of the conversation, and what it is called. */
  thread: string
  title: string
  seq: number
  /** Whether it had been stored before. */
  repeated: boolean
}

/**
 * What this section asks of a CRM, on behalf of one customer to whom it is already bound. What throws NotFound does so for
 * another client's conversation too. What is optional is kept by Portico beside a CRM that has nothing of the kind.
 */
export interface Messages {
  /** The one with the newest message first. Searches in titles and in what was said. */
  list(filter: Filter): Promise<Page<Summary>>
  /** Of all, or of what a search finds. */
  overview(search?: string): Promise<Counts>
  /** With its newest messages, `size` of them, 50 if not given. Throws NotFound. */
  find(id: string, size?: number): Promise<Conversation>
  /** The conversation about this record, if there is one. */
  about(kind: string, id: string): Promise<string | undefined>
  /** Begins a conversation. Where there is one about this record already, the message is added to that one. */
  start(it: NewConversation): Promise<Stored>
  /** Throws NotFound, and Conflict where the id is that of a message elsewhere. */
  send(thread: string, it: NewMessage): Promise<Stored>
  /** Notes that the reader has read up to this number. Resolves to whether that is new. */
  markRead?(thread: string, seq: number): Promise<boolean>
  /** Whether the reader is mailed of what is new. */
  follow?(thread: string, on: boolean): Promise<void>
}

export interface Filter {
  status: (typeof statuses)[number]
  search?: string
  after?: string
  size: number
}

declare global {
  namespace Portico {
    interface Ports {
      messages: Messages
    }
  }
}
