import type { Money } from '../platform/money.ts'

/** What a plugin contributes to the first page. */
export interface Home {
  /** What waits for this person. */
  needs: Need[]
  figures: Figure[]
  chart?: Chart
  actions?: Action[]
  /** What the company has to say to its clients. */
  news?: News[]
  /** What of that must not be missed: on top of the page. */
  notices?: Notice[]
  /** What this client has done and the CRM does not know yet. */
  underway?: Done[]
}

/** Two amounts by month, the earliest month first, in one currency. */
export interface Chart {
  title: string
  first: string
  second: string
  months: { month: string; first: Money; second: Money }[]
}

/** A quick action on the first page: verb and object. */
export interface Action {
  icon: string
  title: string
  path: string
  /** How much of it waits; with 0 it is not offered. */
  count?: number
  /** Whether there are more than `count`. */
  more?: boolean
}

/** Something that happened, for the first page. */
export interface News {
  title: string
  text: string
  /** A plain date: the latest comes first. */
  on: string
  /** The page with all of it, if there is one. */
  path?: string
}

/** What the company tells its clients on top of the first page. */
export interface Notice {
  title: string
  text: string
  path: string
  /** What its button posts to, with `back` as `home`: the person does not see it here any more. */
  dismissal: string
}

/** Something that was done here and is on its way to the CRM. */
export interface Done {
  title: string
  text: string
  path: string
}

/** Something that waits for this client. */
export interface Need {
  tone: 'bad' | 'warn' | ''
  icon: string
  title: string
  about: string
  amount: Money[]
  path: string
  /** A verb. */
  action: string
  /** A plain date: the earliest comes first. */
  by: string
}

/** A figure on the first page, with its label. */
export interface Figure {
  label: string
  /** Money, each in its own currency, or a plain text. */
  value: Money[] | string
  note?: string
  late?: boolean
}
