import { z } from 'zod'
import type { RequestContext } from '../../src/http/context.ts'
import type { Kind } from './kind.ts'
import type { Offer, Offers } from './port.ts'
import { closeSelection, isSelectable, openSelection, type Selection, selectionOf, withSelection } from './selection.ts'

/** Parses a selection from a query or a form. Nothing in it is trusted. */
function selectionIn(from: unknown, offer: Offer, ofQuantity: (id: string) => boolean): Selection {
  const fields = z.record(z.string(), z.unknown()).catch({}).parse(from)
  if (!fields.options) return selectionOf(offer)
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
export interface SelectionRules {
  /** How much of what is optional. */
  quantities: boolean
  /** Whether to leave out what is not. */
  parts: boolean
}

export const selectionRulesOf = (name: Kind['name'], context: RequestContext, { parts }: Offers): SelectionRules => ({
  quantities: context.on(`${name}.quantities`),
  parts: parts === true && context.on(`${name}.parts`),
})

/** With all that may be chosen as options. */
export const withSelectableLines = (offer: Offer, { parts }: SelectionRules) => (parts ? openSelection(offer) : offer)

/** With the choice, where there is one to be made. Throws Invalid. */
export function offerAsSelected(offer: Offer, from: unknown, rules: SelectionRules): Offer {
  const whole = withSelectableLines(offer, rules)
  if (!isSelectable(whole) || offer.status !== 'open') return offer
  const selection = withSelection(whole, requestedSelection(offer, from, rules))
  return rules.parts ? closeSelection(selection, offer) : selection
}

/** Quantities only of what the CRM calls optional. */
function requestedSelection(offer: Offer, from: unknown, rules: SelectionRules): Selection {
  const optional = new Set(offer.lines.filter(it => it.optional).map(it => it.id))
  return selectionIn(from, withSelectableLines(offer, rules), id => rules.quantities && optional.has(id))
}

/** A selection that was refused, for the page that explains it: what is missing or wrong becomes as offered. */
export function offerAsPossible(offer: Offer, from: unknown, rules: SelectionRules): Offer {
  const whole = withSelectableLines(offer, rules)
  if (!isSelectable(whole) || offer.status !== 'open') return offer
  const there = new Map(whole.lines.filter(it => it.optional && it.id).map(it => [it.id, it.quantity]))
  const known = Object.entries(requestedSelection(offer, from, rules)).filter(([id]) => there.has(id))
  try {
    return withSelection(whole, Object.fromEntries(known))
  } catch {
    return withSelection(whole, Object.fromEntries(known.map(([id]) => [id, there.get(id) ?? '1'])))
  }
}

/** The choice for another address or form; nothing where none was made. */
export function selectionParams(from: unknown, offer: Offer, rules: SelectionRules): URLSearchParams {
  const whole = withSelectableLines(offer, rules)
  if (!Object(from).options || !isSelectable(whole) || offer.status !== 'open') return new URLSearchParams()
  const selection = selectionIn(from, whole, () => rules.quantities)
  const quantity = new Map(whole.lines.map(it => [it.id, it.quantity]))
  const others = Object.entries(selection).filter(([id, many]) => many !== quantity.get(id))
  const fields = new URLSearchParams({ options: '1' })
  for (const id of Object.keys(selection)) fields.append('option', id)
  for (const [id, many] of others) fields.append(`quantity.${id}`, many)
  return fields
}
