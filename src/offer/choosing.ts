import { z } from 'zod'
import type { RequestContext } from '../context.ts'
import { type Choice, choiceOf, choosable, chosen, closed, opened } from './choice.ts'
import type { Kind } from './kind.ts'
import type { Offer, Offers } from './port.ts'

/** What a client has chosen, from the address of a page or from a form: nothing of it is trusted yet. */
function choiceIn(from: unknown, offer: Offer, ofQuantity: (id: string) => boolean): Choice {
  const fields = z.record(z.string(), z.unknown()).catch({}).parse(from)
  if (!fields.options) return choiceOf(offer)
  const wanted = [fields.option].flat().filter(it => typeof it === 'string')
  return Object.fromEntries(
    wanted.map(id => {
      const offered = offer.lines.find(it => it.id === id)?.quantity ?? '1'
      return [id, (ofQuantity(id) && plain(fields[`quantity.${id}`])) || offered]
    }),
  )
}

const plain = (it: unknown) => (typeof it === 'string' ? it.trim().replace(',', '.') : '')

/** What a workspace lets clients choose, beside whether they want what is optional. */
export interface Freedom {
  /** How much of what is optional. */
  quantities: boolean
  /** Whether to leave out what is not. */
  parts: boolean
}

export const freedomOf = (name: Kind['name'], visit: RequestContext, { parts }: Offers): Freedom => ({
  quantities: visit.on(`${name}.quantities`),
  parts: parts === true && visit.on(`${name}.parts`),
})

/** With all that may be chosen as options. */
export const free = (offer: Offer, { parts }: Freedom) => (parts ? opened(offer) : offer)

/** With the choice, where there is one to be made. Throws Invalid. */
export function withChoice(offer: Offer, from: unknown, freedom: Freedom): Offer {
  const whole = free(offer, freedom)
  if (!choosable(whole) || offer.status !== 'open') return offer
  const choice = chosen(whole, wantedOf(offer, from, freedom))
  return freedom.parts ? closed(choice, offer) : choice
}

/** Quantities only of what the CRM calls optional. */
function wantedOf(offer: Offer, from: unknown, freedom: Freedom): Choice {
  const optional = new Set(offer.lines.filter(it => it.optional).map(it => it.id))
  return choiceIn(from, free(offer, freedom), id => freedom.quantities && optional.has(id))
}

/** A choice that cannot be taken, for the page that says why: nothing may be left, what is gone or wrong is as offered. */
export function asChosen(offer: Offer, from: unknown, freedom: Freedom): Offer {
  const whole = free(offer, freedom)
  if (!choosable(whole) || offer.status !== 'open') return offer
  const there = new Map(whole.lines.filter(it => it.optional && it.id).map(it => [it.id, it.quantity]))
  const known = Object.entries(wantedOf(offer, from, freedom)).filter(([id]) => there.has(id))
  try {
    return chosen(whole, Object.fromEntries(known))
  } catch {
    return chosen(whole, Object.fromEntries(known.map(([id]) => [id, there.get(id) ?? '1'])))
  }
}

/** The choice for another address or form; nothing where none was made. */
export function carried(from: unknown, offer: Offer, freedom: Freedom): URLSearchParams {
  const whole = free(offer, freedom)
  if (!Object(from).options || !choosable(whole) || offer.status !== 'open') return new URLSearchParams()
  const choice = choiceIn(from, whole, () => freedom.quantities)
  const quantity = new Map(whole.lines.map(it => [it.id, it.quantity]))
  const others = Object.entries(choice).filter(([id, many]) => many !== quantity.get(id))
  const fields = new URLSearchParams({ options: '1' })
  for (const id of Object.keys(choice)) fields.append('option', id)
  for (const [id, many] of others) fields.append(`quantity.${id}`, many)
  return fields
}
