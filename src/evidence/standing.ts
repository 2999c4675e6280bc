import type { Activation } from '../crm/activation/activation.ts'
import type { Crm } from '../crm/crm.ts'
import type { BrandedWorkspace } from '../crm/workspaces.ts'
import { NotFound } from '../http/errors.ts'
import type { Speech } from '../platform/i18n.ts'
import type { Section } from '../plugin/plugin.ts'
import { canonical } from './canonical.ts'
import type { Evidence } from './evidence.ts'
import { customerOf, portIn, subjectIn } from './subject.ts'

interface Asking {
  crm: Crm
  activation: Pick<Activation, 'availablePorts'>
  sections: Section[]
  workspace: BrandedWorkspace
  /** The plain date at the workspace. */
  today: string
}

/** How it stands with a signed document in the CRM, for staff; undefined where the CRM cannot be asked. */
export async function standingInCrm(
  evidence: string,
  { crm, activation, sections, workspace, today }: Asking,
  speech: Speech,
): Promise<'same' | 'changed' | 'gone' | undefined> {
  const signed: Evidence = JSON.parse(evidence)
  const { section, id, content } = signed.document
  try {
    const port = portIn(activation.availablePorts(crm.connect(customerOf(signed, workspace, today))), section)
    if (!port) return undefined
    const subject = subjectIn(sections, section)
    const now = (await subject.read(port, id)).content
    const differ = subject.differs?.(content, now, { ...speech, workspace }) ?? canonical(content) !== canonical(now)
    return differ ? 'changed' : 'same'
  } catch (error) {
    return error instanceof NotFound ? 'gone' : undefined
  }
}
