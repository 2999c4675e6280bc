import type { FileStore } from '../platform/files.ts'
import { checkScanner } from './scan.ts'

interface Storage {
  files: FileStore | undefined
  scanner: string | undefined
}

/** What fails, with the reason; undefined for what works, or is not there. */
export interface StorageFaults {
  files: string | undefined
  scanner: string | undefined
}

export async function storageFaults({ files, scanner }: Storage): Promise<StorageFaults> {
  const [stored, scanned] = await Promise.all([reason(files?.check()), reason(scanner && checkScanner(scanner))])
  return { files: stored, scanner: scanned }
}

const reason = async (asked: unknown): Promise<string | undefined> => {
  try {
    await asked
    return undefined
  } catch (error: any) {
    return error.message || error.code || String(error)
  }
}

/** Milliseconds for which an answer holds: whoever asks often does not have files written as often. */
const holds = 30_000

/** The same, asked at most twice a minute. */
export function storageHealth(storage: Storage): () => Promise<StorageFaults> {
  let asked: Promise<StorageFaults> | undefined
  let until = 0
  return () => {
    if (!asked || performance.now() > until) {
      asked = storageFaults(storage)
      until = performance.now() + holds
    }
    return asked
  }
}
