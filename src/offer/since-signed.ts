import type { RequestContext } from '../context.ts'
import type { Crm, Workspace } from '../crm.ts'
import { NotFound } from '../errors.ts'
import type { Evidence } from '../evidence/evidence.ts'
import { customerOf, portOf } from '../evidence/signing.ts'
import type { Gate } from '../gate/gate.ts'
import { Content, contentOf, type Difference, differences, type SignedSummary } from './content.ts'
import type { Summary } from './port.ts'

type Speech = Pick<RequestContext, 'day' | 'money' | 't'>

/** What the CRM has changed of a document since it was signed. What an older release kept may have another shape. */
export function changesSinceSigned(evidence: string | null | undefined, now: Content, speech: Speech): Difference[] {
  const kept = evidence ? Content.safeParse(JSON.parse(evidence).document.content).data : undefined
  return kept ? differences(kept, now, speech) : []
}

/** The same by what a list knows: its number, title, total and last day. */
export const listedOtherwise = (signed: SignedSummary | undefined, now: Summary, { money }: Speech): boolean =>
  signed !== undefined &&
  (signed.number !== now.number ||
    signed.title !== now.title ||
    (signed.validUntil ?? null) !== now.validUntil ||
    money(signed.total) !== money(now.total))

interface Asking {
  crm: Crm
  door: Pick<Gate, 'passing'>
  workspace: Workspace
  /** The plain date at the workspace. */
  today: string
}

/** How it stands with a signed document in the CRM, for staff; undefined where the CRM cannot be asked. */
export async function standOf(
  evidence: string,
  { crm, door, workspace, today }: Asking,
  speech: Speech,
): Promise<'same' | 'changed' | 'gone' | undefined> {
  const it: Evidence = JSON.parse(evidence)
  try {
    const port = portOf(door.passing(crm.connect(customerOf(it, workspace, today))), it.document.section)
    const now = await port?.find(it.document.id)
    if (!now) return undefined
    return changesSinceSigned(evidence, contentOf(now), speech).length ? 'changed' : 'same'
  } catch (error) {
    return error instanceof NotFound ? 'gone' : undefined
  }
}
