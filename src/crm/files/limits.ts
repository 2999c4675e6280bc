/** A file of the CRM's that the portal will not take, and why: for the log, and never for a client. */
export class Refused extends Error {}

/** Bytes: 25 MB. */
export const largest = 25 * 1024 * 1024

/** A PDF says so within its first kilobyte (ISO 32000-2, annex I.3). */
export function pdfOnly(bytes: Uint8Array): Uint8Array {
  if (bytes.length > largest) throw new Refused(`a file has ${bytes.length} bytes, more than ${largest}`)
  if (!Buffer.from(bytes.subarray(0, 1024)).includes('%PDF-')) throw new Refused('what the CRM gave is no PDF')
  return bytes
}
