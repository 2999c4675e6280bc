import { questionnaire } from '../questionnaire.ts'
import type { Conclusion } from '../result.ts'

/** What has to be done until the first client signs in, in steps. */
export function effort(audit: Conclusion): string[] {
  const { support } = audit
  const steps = support.portal === 'no' ? withoutPortal(audit) : untilTheFirstClient(audit)
  return ['### Effort', '', ...steps.map((step, n) => `${n + 1}. ${step}`), '']
}

function withoutPortal({ doubts, looked, support }: Conclusion): string[] {
  return [
    ...checking(doubts.length),
    ...sourceToo(looked),
    ...(looked.database || !support.auditable
      ? []
      : ['Audit the database too: `npx portico audit --database URL --source DIR`.']),
    'Stop here: this version cannot run the portal on this database. Keep the report, and audit again with a later version.',
  ]
}

function untilTheFirstClient({ doubts, looked, json }: Conclusion): string[] {
  const { create } = json.tables
  const overlap = questionnaire.some(({ id }) => /^[BC]/.test(id) && /leave|complete/.test(json.answers[id].decision))
  const { A1, B3 } = json.answers
  const ownPortal = A1.status === 'implemented' && B3.status === 'implemented'
  return [
    ...checking(doubts.length),
    ...(ownPortal ? ['Decide whether what Portico would add is worth a second portal beside your own.'] : []),
    ...sourceToo(looked),
    'Draft a map: `npx portico audit --source DIR --database URL --map crm.map.ts`. Answer each `todo()` in it and check the lines below 80 %. This is most of the work.',
    'Give the portal a role of its own: `npx portico doctor --map crm.map.ts --grants` prints what it needs.',
    `Create ${create.length} tables in a schema of their own: \`npx portico migrate --map crm.map.ts\`. \`npx portico rollback --destroy\` removes them.`,
    'Put the portal into your Express app (ten lines, README), or beside any other CRM: `npx portico serve --map crm.map.ts`.',
    'Accept this audit: `npx portico enable --map crm.map.ts --by NAME`. It checks the map on your real rows first. Then switch the flag on for one workspace: `CUSTOMER_PORTAL_ENABLED=SLUG`.',
    ...(overlap ? ['Switch off the sections that your clients have already, in the settings of the portal.'] : []),
    'Invite one client whom you know: `npx portico invite --map crm.map.ts --workspace SLUG --client ID --email ADDRESS`.',
  ]
}

const checking = (count: number): string[] =>
  count
    ? ['Look at the places above, or answer in the terminal: the same `npx portico audit` command with `--ask`.']
    : []

const sourceToo = ({ source }: Conclusion['looked']): string[] =>
  source
    ? []
    : [
        'Audit the source too: `npx portico audit --source DIR --database URL`. A database does not tell who may see what.',
      ]
