import type { Activation } from '../crm/activation/activation.ts'
import type { Workspaces } from '../crm/workspaces.ts'
import type { Flags } from '../platform/flags.ts'
import type { RepliesOptions } from '../platform/replies.ts'
import type { Host } from '../plugin/plugin.ts'
import type { WithStores } from '../plugin/stores.ts'
import type { Limits } from './limits.ts'
import type { MailContext } from './mail-context.ts'

/** The host of plugins in this tree, with more than plugins from elsewhere get. */
export interface CoreHost extends Host {
  /** The CRM; plugins' own stores replace ports that it lacks. */
  crm: WithStores
  /** Whether the CRM still is as it was when its audit was accepted. */
  activation: Activation
  flags: Flags
  limits: Limits
  workspaces: Workspaces
  /** Address of the virus scanner, if there is one. */
  scanner: string | undefined
  /** The first secret signs and seals. */
  secrets: string[]
  /** The address where clients find the portal, if it is known. */
  address: string | undefined
  /** Where staff find the settings, if the portal's address is known. */
  settingsAddress: string | undefined
  /** Undefined where no mail is sent. */
  mailContext: MailContext | undefined
  /** The address that mails come from; undefined where no mail is sent. */
  sender: string | undefined
  /** Where replies to mails arrive, if anywhere. */
  replies: RepliesOptions | undefined
}

const cores = new WeakMap<Host, CoreHost>()

/** The host of plugins from elsewhere: only the stable part. */
export function pluginHostOf(core: CoreHost): Host {
  const { capability, database, files, jobs, log, plugins, workspace } = core
  const lent: Host = { capability, database, files, jobs, log, plugins, workspace }
  cores.set(lent, core)
  return lent
}

/** The complete host, for plugins of this tree. */
export const coreHostOf = (host: Host): CoreHost => cores.get(host) ?? (host as CoreHost)

/** Finds a workspace by its slug, if the portal is on for it. */
export const findOpenWorkspace =
  ({ activation, flags, workspaces }: Pick<CoreHost, 'activation' | 'flags' | 'workspaces'>): Host['workspace'] =>
  async slug => {
    if (!flags.enabled(slug) || !(await activation.isAccepted()) || !activation.isComplete()) return undefined
    const found = await workspaces.find(slug)
    if (!found) return undefined
    const { id, name, letterhead, colour, timeZone } = found
    return { id, slug, name, letterhead, colour, timeZone }
  }
