import { resolve } from 'node:path'

/** Our own folder: the CRM that mounts us runs in another. */
export const root = resolve(import.meta.dirname, '../..')
