import type { Subject, SubjectRecord } from '../../src/plugin/subjects.ts'
import type { Document } from './port.ts'

/** A document as other plugins attach to it. */
export const subject: Subject = {
  label: 'Document',
  page: 'documents/show',
  find: async (ports, id) => recordOf(await ports.documents!.find(id)),
}

/** People call it by its file name. */
export const recordOf = ({ id, name }: Document): SubjectRecord => ({ id, number: name, title: name })
