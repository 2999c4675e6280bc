import { type RequestHandler, Router } from 'express'
import { clientRouter, requireFittingSecret } from './client-router.ts'
import { endPreviews } from './files/previews.ts'
import { isTooLarge } from './http/forms.ts'
import { checked, type Options } from './options.ts'
import { endPdf } from './pdf/pool.ts'
import type { CrmRecord } from './plugin/capabilities.ts'
import { receiving } from './plugin/webhooks.ts'
import { type Services, servicesOf } from './services.ts'
import { type DocumentActivity, type DocumentActivityQuery, documentActivity } from './settings/document-activity.ts'
import { settingsRouter } from './settings/settings.ts'

/** What `createPortal` returns. */
export interface Portal {
  /**
   * Webhooks, for example of payment providers. Mount it above the CRM's body parsers: signatures cover the raw bytes.
   */
  webhooks: Router
  /** The clients' pages. */
  clients: Router
  /** The settings area for workspace admins, behind the CRM's own sign-in. */
  settings: Router
  /** Returns what clients did with a document, for the CRM's own page of it: as data, and as an HTML fragment. */
  documentActivity(which: DocumentActivityQuery): Promise<DocumentActivity>
  /** Reports as not ready, for a proxy to see, and ends live updates, but keeps answering requests. */
  retire(): void
  /**
   * Reports as not ready, and closes the flag's connection, the PDF processes and the job queue. The caller closes the
   * database.
   */
  close(): Promise<void>
  /**
   * Call it when your CRM made or changed a record: the client's people are told what is new, once, by the channels that
   * they chose. It may be called as often as you like, and resolves when that is certain. Does nothing where the portal is
   * off for the workspace. Throws a TypeError for a section that tells people nothing.
   */
  tell(record: CrmRecord): Promise<void>
}

interface Assembled extends Pick<Services, 'address' | 'claim' | 'activation' | 'limits' | 'workspaces'> {
  portal: Portal
  begin: RequestHandler[]
  /** Records which workspaces are in use. */
  remember: RequestHandler
}

/**
 * Creates the portal: routers to mount in your Express app, which they do not change. Throws a TypeError that names a
 * wrong option.
 */
export async function createPortal(options: Options): Promise<Portal> {
  return (await assemble(options)).portal
}

/** Creates the portal, and returns the services that pages beside it need. */
export async function assemble(options: Options): Promise<Assembled> {
  const services = servicesOf(checked(options))
  const { address, begin, claim, activation, limits, workspaces, switchOff } = services
  const clients = clientRouter(services)
  const portal: Portal = {
    webhooks: webhookRouter(services, clients),
    clients,
    settings: settingsArea(services),
    documentActivity: documentActivity(services),
    retire() {
      services.operator.stop()
      services.hub.stop()
    },
    close: () => close(services),
    tell: async record => services.capability('changes')?.tell(record),
  }
  return {
    portal,
    address,
    begin: [...begin, requireFittingSecret(activation)],
    claim,
    activation,
    limits,
    workspaces,
    remember: switchOff.remember,
  }
}

/** Mounted above the CRM's body parsers, so that our own page refuses a body that is too large for a form. */
function webhookRouter({ activation, flags, host, log }: Services, clients: Router): Router {
  const router = Router()
  const { isAccepted, hasRightSecret: trusted } = activation
  router.use('/-/webhooks', receiving({ flags, host, log, isAccepted, trusted }))
  router.use((req, res, next) => (isTooLarge(req) ? clients(req, res, next) : next()))
  return router
}

function settingsArea(services: Services): Router {
  const { address, begin, claim, crm, database, activation, flags, host, hub, log, mailContext, placeOf } = services
  const { workspaces, queue, sections, staff, strategies, switchOff, watch } = services
  return settingsRouter({
    ...{
      address,
      begin,
      claim,
      crm,
      database,
      activation,
      flags,
      host,
      log,
      mailContext,
      placeOf,
      sections,
      staff,
      strategies,
    },
    alerts: watch,
    hub,
    remember: switchOff.remember,
    jobs: queue,
    trusted: requireFittingSecret(activation),
    workspaces,
  })
}

/** Reports as not ready first, and ends the job queue last. */
async function close({ activation, flags, hub, operator, queue, switchOff }: Services): Promise<void> {
  operator.stop()
  hub.stop()
  activation.stop()
  await switchOff.stop()
  flags.close?.()
  endPdf()
  endPreviews()
  await queue.stop()
}
