import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { unbranded } from '../../src/settings/branding.ts'

export type Branding = Pick<BrandedWorkspace, 'name' | 'colour'>

/** A CRM may say anything. */
export const colourOf = ({ colour }: Branding): string =>
  /^#[0-9a-f]{6}$/i.test(colour ?? '') ? colour!.toLowerCase() : unbranded

/** The first letter or digit of a workspace's name, as a capital; undefined if it has none. */
export const initialOf = ({ name }: Branding): string | undefined =>
  /[\p{L}\p{N}]\p{M}*/u.exec(name.normalize('NFC'))?.[0].toUpperCase()
