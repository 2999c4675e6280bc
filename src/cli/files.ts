import type { Check } from '../crm/activation/checks.ts'
import { storageFaults } from '../files/health.ts'
import { type FileStore, filesIn } from '../platform/files.ts'
import { encryptedFiles } from '../platform/files-encrypted.ts'
import { filesInS3 } from '../platform/files-s3.ts'
import type { Config } from './config.ts'
import { UsageError } from './errors.ts'

/** Where uploaded files are stored, by the environment; undefined for nowhere. */
export function storeFrom(env: NodeJS.ProcessEnv, secrets: string[]): FileStore | undefined {
  const { FILES_ENCRYPTED = '' } = env
  if (!/^(true|false|new|)$/.test(FILES_ENCRYPTED)) throw new UsageError('FILES_ENCRYPTED is true, new or false.')
  const store = placeFrom(env)
  if (!store || !/^(true|new)$/.test(FILES_ENCRYPTED)) return store
  return encryptedFiles(store, secrets, { readsPlain: FILES_ENCRYPTED === 'new' })
}

function placeFrom(env: NodeJS.ProcessEnv): FileStore | undefined {
  const { FILES_FOLDER, FILES_S3_BUCKET: bucket, FILES_S3_REGION, AWS_REGION } = env
  if (FILES_FOLDER && bucket) throw new UsageError('Set FILES_FOLDER or FILES_S3_BUCKET, not both.')
  if (!bucket) return FILES_FOLDER ? filesIn(FILES_FOLDER) : undefined
  return filesInS3({
    bucket,
    region: FILES_S3_REGION || AWS_REGION || undefined,
    endpoint: env.FILES_S3_ENDPOINT || undefined,
    forcePathStyle: env.FILES_S3_PATH_STYLE === 'true',
    prefix: env.FILES_S3_PREFIX || undefined,
    addresses: env.FILES_S3_ADDRESSES === 'true',
  })
}

/** Whether files can be stored, and the scanner answers. Without either, nothing is uploaded or scanned, which is no fault. */
export async function checkStorage({ files, scanner }: Pick<Config, 'files' | 'scanner'>): Promise<Check[]> {
  const where = {
    files: files ?? storeFrom(process.env, []),
    scanner: scanner ?? (process.env.CLAMAV_URL || undefined),
  }
  const faults = await storageFaults(where)
  const check = (label: string, fault: string | undefined, advice: string) => ({
    label,
    problems: fault ? [`${fault}: ${advice}`] : [],
  })
  return [
    ...(where.files
      ? [check('files can be stored', faults.files, 'correct FILES_FOLDER or FILES_S3_…, or what may be done there')]
      : []),
    ...(where.scanner
      ? [check(`the virus scanner answers (${where.scanner})`, faults.scanner, 'start clamd, or correct CLAMAV_URL')]
      : []),
  ]
}
