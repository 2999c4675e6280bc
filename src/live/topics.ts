import type { RequestHandler } from 'express'
import type { Section } from '../plugin/plugin.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** What the counts in the navigation listen to; nothing for guests, and for staff who look on. */
      countTopics: string[]
    }
  }
}

/** Those that are told to one person first: no other topic tells of them. */
const topicOf = ({ name, live }: Section, person: string) => (live === 'person' ? `${name}/${person}` : name)

/** Loads which topics the counts of this person follow. */
export const loadCountTopics: RequestHandler = (req, _res, next) => {
  const { nav, viewing, customer, crm } = req.portal
  const counted = viewing || !customer ? [] : nav.filter(it => it.waiting && it.live && it.name in crm)
  req.portal.countTopics = counted
    .sort((one, other) => Number(other.live === 'person') - Number(one.live === 'person'))
    .map(it => topicOf(it, customer.person.id))
  next()
}
