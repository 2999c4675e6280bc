import type { RecordNews, Subject, SubjectRecord } from '../../src/plugin/subjects.ts'
import type { Document } from './port.ts'

/** A document as other plugins attach to it. */
export const subject: Subject = {
  label: 'Document',
  page: 'documents/show',
  find: async (ports, id) => recordOf(await ports.documents!.find(id)),
  changed: {
    may: ['see'],
    news: async ({ documents }, id, since) => newsOf(await documents!.find(id), since),
    async newest({ documents }, size) {
      const { items } = await documents!.list({ sort: 'newest', size })
      return items.map(it => it.id)
    },
  },
}

/** One of the company's, or a new version of it. */
function newsOf({ id, name, version, at, by, state }: Document, since: string): RecordNews[] {
  if (by.kind === 'client' || state !== 'ready' || at.slice(0, 10) < since) return []
  const facts = { staff: by.name, name, files: 1 }
  return [{ kind: 'documents.added', key: `${id} ${version} ${at}`, facts }]
}

/** People call it by its file name. */
export const recordOf = ({ id, name }: Document): SubjectRecord => ({ id, number: name, title: name })
