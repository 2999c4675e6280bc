import { z } from 'zod'
import type { PluginOption } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { optionOf, optionsOf } from '../../src/settings/plugin-options.ts'
import type { Access, PaymentProvider } from './provider.ts'
import { stripe } from './providers/stripe.ts'

const decimal = z.string().regex(/^\d{1,12}(\.\d{1,3})?$/)

/** What a workspace decides about payments. */
export const PaySettings = z
  .object({
    /** Whether bank transfer is offered, where the CRM names an account. */
    transfer: z.boolean().default(true),
    /** The provider that takes payments online, and whose account it is. */
    online: z
      .object({
        provider: z.string(),
        account: z.string(),
        name: z.string(),
        live: z.boolean(),
        /** Whether the provider tells us, or is only asked. */
        told: z.boolean(),
      })
      .nullable()
      .default(null),
    /** Whether a part may be paid, and how little. */
    parts: z.boolean().default(true),
    minimum: decimal.default('10'),
    /** In per cent of what is paid online, on top of it; '0' where the workspace bears it. */
    fee: z
      .string()
      .regex(/^\d{1,2}(\.\d{1,2})?$/)
      .default('0'),
    /** Whether clients may let the provider keep their card. */
    keepMethod: z.boolean().default(false),
  })
  .prefault({})
export type PaySettings = z.infer<typeof PaySettings>

const AccessShape = z.object({ key: z.string(), webhookSecret: z.string().optional() }).nullable().default(null)

export const options: Record<`pay.${string}`, PluginOption> = {
  'pay.settings': { label: 'Payments', shape: PaySettings },
  'pay.access': { label: 'Access to the payment provider', shape: AccessShape, secret: true },
}

/** Those that take payments online. */
export const providers: PaymentProvider[] = [stripe]

export const settingsOf = (host: Host, workspace: string): Promise<PaySettings> =>
  optionOf<PaySettings>(host, workspace, 'pay.settings')

/** With the provider and the access to it; undefined where nothing is paid online. */
export async function settingsWithAccess(
  host: Host,
  workspace: string,
): Promise<{ settings: PaySettings; online: { provider: PaymentProvider; access: Access } | undefined }> {
  type Both = [PaySettings, Access | null]
  const [settings, access] = await optionsOf<Both>(host, workspace, ['pay.settings', 'pay.access'])
  const provider = providers.find(it => it.name === settings.online?.provider)
  return { settings, online: provider && access ? { provider, access } : undefined }
}

/**
 * The access by which payments of a provider are followed, also where clients are not offered to pay by it any more;
 * undefined where there is none.
 */
export async function accessTo(
  host: Host,
  workspace: string,
  name = providers[0]!.name,
): Promise<{ provider: PaymentProvider; access: Access } | undefined> {
  const access = await optionOf<Access | null>(host, workspace, 'pay.access')
  const provider = providers.find(it => it.name === name)
  return provider && access ? { provider, access } : undefined
}
