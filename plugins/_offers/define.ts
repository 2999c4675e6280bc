import type { Permission, PluginAudit, StepUp } from '../../src/plugin/parts.ts'
import { type PluginDefinition, type Section, section } from '../../src/plugin/plugin.ts'
import { acceptanceRoutes } from './acceptance.ts'
import { requestSchemasOf, responseSchemasOf } from './api.ts'
import { commentThread } from './comments.ts'
import { evidencePages } from './evidence-pages.ts'
import { homeOf, waitingOf } from './home.ts'
import { kindOf } from './kind.ts'
import { offerPages } from './pages.ts'
import { rejectionRoutes } from './rejection.ts'
import { signedOffer } from './signed.ts'
import { offerSubject } from './subject.ts'
import { type Definition, wordingOf } from './wording.ts'

/**
 * Defines a plugin for something that the workspace offers and clients accept. Beside `plugin.ts` its folder has
 * translations, `port.ts`, `map.ts` and `contract.ts`. A view of its own overrides the shared one.
 */
export function defineOffer(definition: Definition): Section {
  const { name, icon, order } = definition
  const wording = wordingOf(definition)
  const { title } = wording
  const kind = kindOf(definition)
  return section({
    ...{ name, title, icon, order },
    shared: [import.meta.dirname],
    sentences: Object.values(wording.pages),
    permissions: permissionsOf(name, wording.permissions),
    stepUps: prefixed<StepUp>(name, { accept: { label: wording.permissions.accept, level: 'none' } }),
    toggles: togglesOf(name, wording.toggles),
    activity: prefixed(name, wording.activity),
    notifications: prefixed(name, wording.notifications),
    with: optionalPartsOf(name, wording.optional),
    responseSchemas: responseSchemasOf(kind),
    requestSchemas: requestSchemasOf(kind),
    views: { acceptance: 'accept', rejection: 'decline' },
    evidence: signedOffer(kind),
    audit: auditOf(definition, title),
    subject: offerSubject(name, title),
    home: homeOf(kind),
    waiting: waitingOf(kind),
    routes(router, host) {
      const show = offerPages(router, kind)
      commentThread(router, kind, host, show)
      acceptanceRoutes(router, kind, show)
      rejectionRoutes(router, kind, show)
      evidencePages(router, kind)
    },
  })
}

const permissionsOf = (name: string, labels: ReturnType<typeof wordingOf>['permissions']) =>
  prefixed<Permission>(name, {
    see: { label: labels.see, roles: ['admin', 'approver', 'member', 'viewer'] },
    respond: { label: labels.answer, roles: ['admin', 'approver'], toggle: `${name}.responses` },
    comment: { label: labels.comment, roles: ['admin', 'approver', 'member'], toggle: `${name}.questions` },
  })

const togglesOf = (
  name: string,
  { all, responses, quantities, parts }: ReturnType<typeof wordingOf>['toggles'],
): Section['toggles'] => ({
  [name]: { ...all, default: true },
  [`${name}.responses`]: { ...responses, default: true },
  [`${name}.quantities`]: { ...quantities, default: false },
  [`${name}.parts`]: { ...parts, default: false },
})

/** What offers have only where people can talk about them, be reminded of them, or come by a link. */
const optionalPartsOf = (
  name: string,
  { comments, reminders, links }: ReturnType<typeof wordingOf>['optional'],
): PluginDefinition['with'] => ({
  comments: {
    toggles: { [`${name}.questions`]: { ...comments.toggle, default: true } },
    activity: prefixed(name, comments.activity),
  },
  reminders: {
    toggles: { [`${name}.reminders`]: { ...reminders.toggle, default: true } },
    activity: prefixed(name, reminders.activity),
  },
  links: { toggles: { [`${name}.links`]: { ...links.toggle, default: false } } },
})

const prefixed = <T>(name: string, its: Record<string, T>): Record<`${string}.${string}`, T> =>
  Object.fromEntries(Object.entries(its).map(([key, it]) => [`${name}.${key}`, it]))

/** Both kinds are accepted in the same way; each answers the question about its own pages. */
const auditOf = ({ name, question }: Definition, title: string): PluginAudit[] => [
  { question, adds: `the section ${title}`, of: [name] },
  { question: 'B4', adds: 'acceptance and rejection with signature and evidence', of: [name] },
]
