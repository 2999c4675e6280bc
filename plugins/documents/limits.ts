import { z } from 'zod'
import type { FileKind } from '../../src/files/kinds.ts'
import type { PluginOption } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { optionOf } from '../../src/settings/plugin-options.ts'

/** Kinds of files, told by their content. */
export const kinds = {
  pictures: { label: 'Pictures' },
  pdf: { label: 'PDF files' },
  office: { label: 'Office files' },
  media: { label: 'Video and sound' },
  archives: { label: 'Archives, such as zip' },
  other: { label: 'Text and all other files' },
} satisfies Record<FileKind, { label: string }>

export const kindNames = Object.keys(kinds) as FileKind[]

/** How much clients may send, of one file in megabytes, and in all of one client in gigabytes; and what. */
export const Limits = z
  .object({
    size: z.number().int().min(1).max(100_000).default(2_000),
    total: z.number().int().min(1).max(100_000).default(20),
    kinds: z.array(z.enum(kindNames)).min(1).default(kindNames),
  })
  .prefault({})
export type Limits = z.infer<typeof Limits>

export const options: Record<`documents.${string}`, PluginOption> = {
  'documents.limits': { label: 'Limits of uploads', shape: Limits },
}

export const limitsOf = (host: Host, workspace: string): Promise<Limits> =>
  optionOf<Limits>(host, workspace, 'documents.limits')

/** The same in bytes. */
export const bytesOf = ({ size, total }: Pick<Limits, 'size' | 'total'>) => ({ size: size * 1e6, total: total * 1e9 })
