import { z } from 'zod'
import type { Described } from '../../src/api/described.ts'
import { RequestedList } from './port.ts'

/** How openapi.json describes the form of files. */
export const filesForm: Described = {
  summary: 'Send files for one item: those that are accepted are kept, whatever becomes of the others',
  body: { 'multipart/form-data': z.object({ files: z.array(z.file()) }) },
  answers: {
    201: { description: 'All are kept', schema: z.object({ request: RequestedList }) },
    422: {
      description: 'Some were refused: errors.files has each with the reason. The others are kept',
      schema: z.object({
        request: RequestedList.optional(),
        title: z.string(),
        status: z.int(),
        code: z.string(),
        errors: z.record(z.string(), z.array(z.string())),
      }),
    },
  },
}
