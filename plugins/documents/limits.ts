import { z } from 'zod'
import type { PluginOption } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { optionOf } from '../../src/settings/plugin-options.ts'

/** How much clients may send: of one file in megabytes, and in all of one client in gigabytes. */
export const Limits = z
  .object({
    size: z.number().int().min(1).max(100_000).default(2_000),
    total: z.number().int().min(1).max(100_000).default(20),
  })
  .prefault({})
export type Limits = z.infer<typeof Limits>

export const options: Record<`documents.${string}`, PluginOption> = {
  'documents.limits': { label: 'Limits of uploads', shape: Limits },
}

export const limitsOf = (host: Host, workspace: string): Promise<Limits> =>
  optionOf<Limits>(host, workspace, 'documents.limits')

/** The same in bytes. */
export const bytesOf = ({ size, total }: Limits) => ({ size: size * 1e6, total: total * 1e9 })
