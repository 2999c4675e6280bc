import { canonical, sha256 } from '../../src/evidence/canonical.ts'
import type { DocumentBytes } from '../../src/evidence/composition.ts'
import type { Evidence } from '../../src/evidence/evidence.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { CrmUnavailable, NotFound } from '../../src/http/errors.ts'
import { contentOf } from './content.ts'
import type { Offer, Offers } from './port.ts'

type Attached = NonNullable<Evidence['document']['attachments']>[number]

/** The files that are signed with a document, as they are now. */
export interface BoundFiles {
  /** The CRM's own PDF, where it has one of exactly this. */
  paper: DocumentBytes | undefined
  attached: Attached[]
}

/** Reads each file, one after the other. Throws CrmUnavailable where one that is shown cannot be read. */
export async function filesOf(offers: Offers, offer: Offer, shown: Offer): Promise<BoundFiles> {
  const own = changed(offer, shown) ? undefined : await offers.pdf?.(offer.id)
  const attached: Attached[] = []
  for (const it of offer.attachments ?? []) {
    const bytes = await offers.attachment?.(offer.id, it.id).catch(cause => {
      throw cause instanceof NotFound ? Object.assign(new CrmUnavailable(), { cause }) : cause
    })
    if (bytes) attached.push({ id: it.id, name: it.name, bytes: bytes.length, sha256: sha256(bytes) })
  }
  return { paper: own && { bytes: Buffer.from(own.bytes), by: 'crm' }, attached }
}

/** Whether something was chosen otherwise than it was offered. */
export const changed = (offer: Offer, shown: Offer) => canonical(contentOf(offer)) !== canonical(contentOf(shown))

/**
 * A mark of all that is signed: content, words of consent, the CRM's own PDF, each attached file. A form sends it back, and
 * it must be the same when it is signed.
 */
export const markOf = (offer: Offer, consent: string, files?: BoundFiles): string =>
  [
    sha256(canonical(contentOf(offer))),
    sha256(consent),
    files?.paper ? sha256(files.paper.bytes) : '',
    ...(files?.attached ?? []).map(it => it.sha256),
  ].join('.')

/** What is other than a mark says, in the reader's words: a mark that is none of ours tells nothing. */
export function changesSince(mark: string, now: string, { attached }: BoundFiles, t: RequestContext['t']): string[] {
  const [was, is] = [mark.split('.'), now.split('.')]
  if (was.length < 3) return []
  const parts = [t('the document'), t('the consent text'), t('the PDF'), ...attached.map(it => it.name)]
  const found = parts.filter((_, at) => was[at] !== is[at])
  return was.length > is.length ? [...found, t('the attached files')] : found
}
