import type { Described } from '../api/described.ts'

const version = { 'Tus-Resumable': '1.0.0' }

/** One file each, by the tus protocol 1.0.0 (tus.io/protocols/resumable-upload). */
export const resumable: Record<'begin' | 'look' | 'send' | 'cancel', Described> = {
  begin: {
    summary: 'Begin an upload that may stop and go on (tus 1.0.0)',
    headers: {
      ...version,
      'Upload-Length': 'Bytes of the whole file',
      'Upload-Metadata':
        'filename, and what else the section takes (documents: folder), each followed by its value in Base64 (UTF-8)',
    },
    answers: { 201: { description: 'Begun', header: ['Location', 'Where its parts are sent'] } },
  },
  look: {
    summary: 'How much of an upload has arrived',
    headers: version,
    answers: { 200: { description: 'As it is', header: ['Upload-Offset', 'Bytes that have arrived'] } },
  },
  send: {
    summary: 'Send a part of an upload; the file is there with the last one',
    headers: { ...version, 'Upload-Offset': 'Bytes that have arrived' },
    body: { 'application/offset+octet-stream': null },
    answers: {
      200: { description: 'It was complete before', header: ['Upload-Offset', 'Bytes that have arrived'] },
      204: { description: 'The part has arrived', header: ['Upload-Offset', 'Bytes that have arrived'] },
    },
  },
  cancel: { summary: 'Cancel an upload', headers: version, answers: { 204: { description: 'Cancelled' } } },
}
