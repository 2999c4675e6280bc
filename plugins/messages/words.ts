import type { Request } from 'express'
import type { RequestContext } from '../../src/http/context.ts'
import { dateIn } from '../../src/platform/i18n.ts'
import type { Conversation } from './port.ts'

/** A piece of what somebody wrote: text, or an address of the web. */
interface Piece {
  text: string
  url?: string
}

/** Addresses of the web in a text, without the full stop or bracket that follows them. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const { 0: found, index } of text.matchAll(/\bhttps?:\/\/[^\s<>"'`\p{C}]+/giu)) {
    const address = found.replace(/[.,;:!?…)\]}»”’]+$/u, '')
    if (!URL.canParse(address)) continue
    if (index > from) pieces.push({ text: text.slice(from, index) })
    pieces.push({ text: address, url: address })
    from = index + address.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from) })
  return pieces
}

interface Said {
  seq: number
  mine: boolean
}

type Participant = Conversation['participants'][number]

/**
 * Who of the others has read each of these, by its number: only where fewer have read the next one, so that each name
 * stands below the newest message that they have read.
 */
export function readersBelow(said: Said[], others: Participant[]): Map<number, string[]> {
  const below = new Map<number, string[]>()
  const mine = said.filter(it => it.mine)
  for (const [at, { seq }] of mine.entries()) {
    const next = mine[at + 1]?.seq ?? Number.POSITIVE_INFINITY
    const names = others.filter(it => it.readTo >= seq && it.readTo < next).map(it => firstName(it.name))
    if (names.length) below.set(seq, names)
  }
  return below
}

const firstName = (name: string) => name.trim().split(/\s+/)[0] ?? name

/** What the views of conversations need to say when, and who. */
export function spoken({ portal }: Request<any>) {
  const { locale, zone, now, t, longDay, shortDay, day } = portal
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: zone })
  const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: zone })
  const list = new Intl.ListFormat(locale)
  const today = dateIn(zone, now)
  return {
    piecesOf,
    firstName,
    clock: (at: string | Date) => clock.format(new Date(at)),
    /** In a list: the time of today, the day of this week, then the date. */
    when(at: string | Date) {
      const then = dateIn(zone, new Date(at))
      const ago = Math.round((Date.parse(today) - Date.parse(then)) / 86_400_000)
      if (ago <= 0) return clock.format(new Date(at))
      if (ago < 7) return weekday.format(new Date(at))
      return then.slice(0, 4) === today.slice(0, 4) ? shortDay(then) : day(then)
    },
    /** Above the messages of a plain date. */
    heading: (date: string) =>
      date === today ? t('Today') : date.slice(0, 4) === today.slice(0, 4) ? longDay(date) : day(date),
    names: (all: string[]) => list.format(all),
    /** How long somebody has waited. */
    waited: (since: Date | string) => waitedText(portal, now.getTime() - new Date(since).getTime()),
  }
}

function waitedText({ t }: Pick<RequestContext, 't'>, milliseconds: number): string {
  const minutes = Math.max(Math.floor(milliseconds / 60_000), 0)
  if (minutes < 60) return t('{minutes} min', { minutes })
  if (minutes < 60 * 24) return t('{hours} h', { hours: Math.floor(minutes / 60) })
  return t('{days, plural, one {# day} other {# days}}', { days: Math.floor(minutes / 60 / 24) })
}
