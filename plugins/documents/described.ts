import { z } from 'zod'
import type { Described } from '../../src/api/described.ts'
import { Summary } from './port.ts'

/** The API's answer to an upload: also with 422, where only some files were accepted. */
export const Uploaded = z.object({ documents: z.array(Summary) })

/** How openapi.json describes uploads. */
export const uploadForm: Described = {
  summary: 'Upload files: those that are accepted are kept, whatever becomes of the others',
  body: { 'multipart/form-data': z.object({ folder: z.uuid().optional(), files: z.array(z.file()) }) },
  answers: {
    201: { description: 'All are kept', schema: Uploaded },
    422: {
      description: 'Some were refused: errors.files has each with the reason, documents those that are kept',
      schema: Uploaded.partial().extend({
        title: z.string(),
        status: z.int(),
        code: z.string(),
        errors: z.record(z.string(), z.array(z.string())),
      }),
    },
  },
}
