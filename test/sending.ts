import type { Visitor } from './visit.ts'

const form = '/portal/brightside/documents'
export const tus = { 'Tus-Resumable': '1.0.0' }

/** Uploads a file by the form. */
export const send = (who: Visitor, name: string, content: Buffer) =>
  who.agent.post(form).attach('files', content, { filename: name })

/** Begins an upload that can be resumed. */
export const begin = (who: Visitor, name: string, size: number) =>
  who.agent.post(`${form}/uploads`).set({
    ...tus,
    'Upload-Length': String(size),
    'Upload-Metadata': `filename ${Buffer.from(name).toString('base64')}`,
  })

/** Sends bytes of it, from an offset on. */
export const append = (who: Visitor, at: string, offset: number, content: Buffer) =>
  who.agent
    .patch(at)
    .set({ ...tus, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' })
    .send(content)
