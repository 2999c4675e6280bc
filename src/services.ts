import type { RequestHandler } from 'express'
import { alerts } from './auth/alerts.ts'
import { customStrategies } from './auth/custom-strategies.ts'
import { clientFactorOwners } from './auth/factor-owners.ts'
import { factorsEndJobs } from './auth/factors-end.ts'
import { type CoreHost, findOpenWorkspace, pluginHostOf } from './auth/host.ts'
import { limitsOf } from './auth/limits.ts'
import { initContext } from './auth/load-context.ts'
import { passkeys } from './auth/passkeys.ts'
import { recipientsFinder } from './auth/recipients.ts'
import { registrationCleanup } from './auth/register.ts'
import { reseal } from './auth/reseal.ts'
import { authenticator, type ClientUsers, clientStrategies } from './auth/strategies.ts'
import { createActivation } from './crm/activation/activation.ts'
import { workspaces as workspacesOf } from './crm/workspaces.ts'
import { documentHistories } from './evidence/history.ts'
import { signingKeys } from './evidence/keys.ts'
import { signing } from './evidence/signing.ts'
import { submissionJobs } from './evidence/submission.ts'
import { viewedVersions } from './evidence/viewed-versions.ts'
import { storageHealth } from './files/health.ts'
import { claims } from './http/headers.ts'
import { responseHandler } from './http/respond.ts'
import { liveHub } from './live/hub.ts'
import { outbox } from './mail/outbox.ts'
import { smtp } from './mail/transport.ts'
import { operations } from './operations.ts'
import type { Checked } from './options.ts'
import { activityLog } from './platform/activity.ts'
import { sendUnnamed } from './platform/database.ts'
import { jobs } from './platform/jobs.ts'
import { placesIn } from './platform/places.ts'
import { endSessionsWhenOff } from './platform/switch-off.ts'
import { actionRunner } from './plugin/action.ts'
import { capabilitiesOf } from './plugin/host.ts'
import { handOnFormer, pluginJobs, pluginQueue } from './plugin/jobs.ts'
import type { Host } from './plugin/plugin.ts'
import { kindsOf } from './plugin/sentences.ts'
import { slotsOf } from './plugin/slots.ts'
import { withStores } from './plugin/stores.ts'

/** Creates everything that requests need and that exists once, in the order of their dependencies. */
export function servicesOf(options: Checked) {
  const { compress, database, directDatabase, files, flags, log, secrets, sections } = options
  const crm = crmServices(options)
  const mail = mailServices(options, crm)
  const signIn = signInServices(options, crm, mail)
  const plugins = pluginServices(options, crm, mail)
  const signer = evidenceServices(options, crm, mail)
  const hub = liveHub({ activation: crm.activation, database: directDatabase ?? database, flags, log })
  if (secrets.length > 1) resealSoon({ database, files, log, secrets })
  const services = { ...options, ...crm, ...mail, ...signIn, ...plugins, hub }
  const begin: RequestHandler[] = [
    initContext({ ...contextOf(services), signing: signer }),
    responseHandler({ shapes: new Map(sections.flatMap(it => Object.entries(it.responseSchemas))), compress }),
  ]
  return { ...services, begin }
}

export type Services = ReturnType<typeof servicesOf>

/** The CRM, its activation, and the monitoring of both. */
function crmServices(options: Checked) {
  const {
    checkEvery: every,
    database,
    files,
    flags,
    log,
    metricsToken,
    preparedStatements,
    secrets,
    sections,
  } = options
  const crm = withStores(options.crm, sections, database, { files })
  if (!preparedStatements) for (const it of [database, crm.database]) if (it) sendUnnamed(it)
  const activation = createActivation({ crm, database, log, secrets, every, wanted: () => flags.enabledAnywhere() })
  const watch = alerts({ database, log, kinds: kindsOf(sections), plugins: sections })
  const operator = operations({
    ...{ alerts: watch, database, crm, sections, metricsToken, activation },
    storage: storageHealth({ files, scanner: options.scanner }),
  })
  const workspaces = workspacesOf({ crm, database, log })
  const switchOff = endSessionsWhenOff({ database, flags, log, every: Math.min(every, 2) })
  return { crm, activation, watch, operator, workspaces, switchOff, claim: claims(log, operator.observe) }
}

type CrmServices = ReturnType<typeof crmServices>

/** Limits on attempts, the job queue, and mail if any is sent. */
function mailServices(
  { address, database, directDatabase, flags, log, mail, secrets }: Checked,
  { activation, workspaces }: CrmServices,
) {
  const limits = limitsOf({ database, secrets, log })
  const queue = jobs({ database: directDatabase ?? database, log, trusted: activation.hasRightSecret })
  const transport = mail && ('send' in mail ? mail.send : smtp(mail.url, mail.from))
  const posts = outbox({ database, activation, flags, jobs: queue, log, secrets, transport, workspaces })
  const mailContext = mail && address ? { database, limits, outbox: posts, jobs: queue, secrets, address } : undefined
  if (mailContext) registrationCleanup({ database, activation, flags, jobs: queue })
  return { limits, queue, mailContext }
}

type MailServices = ReturnType<typeof mailServices>

/** The sign-in methods, ours and the CRM's. */
function signInServices(options: Checked, { crm }: CrmServices, { limits, mailContext }: MailServices) {
  const { database, geoip, log, secrets, signIn } = options
  const keys = passkeys({ database, secrets })
  const holders = clientFactorOwners({ database, mailContext, secrets })
  const authenticate = authenticator<ClientUsers>({
    ...clientStrategies({ database, holders, identity: crm.identity, keys, limits, secrets }),
    ...customStrategies(signIn.strategies),
  })
  return { keys, holders, authenticate, placeOf: placesIn(geoip, log), strategies: signIn.strategies }
}

/** The plugins' host and their jobs. */
function pluginServices(options: Checked, crmParts: CrmServices, { limits, queue, mailContext }: MailServices) {
  const { address, settingsAddress, database, files, flags, log, mail, replies, scanner, secrets } = options
  const { sections: plugins } = options
  const { crm, activation, workspaces } = crmParts
  const capability = capabilitiesOf(plugins, () => host)
  const shared = {
    address,
    settingsAddress,
    capability,
    crm,
    database,
    activation,
    files,
    flags,
    limits,
    log,
    mailContext,
    sender: mail?.from,
    replies,
    scanner,
    workspaces,
    plugins,
    secrets,
  }
  const core: CoreHost = {
    ...shared,
    jobs: pluginQueue(queue, plugins),
    workspace: findOpenWorkspace({ activation, flags, workspaces }),
  }
  const host: Host = pluginHostOf(core)
  pluginJobs({ database, flags, jobs: queue, plugins, host, isAccepted: () => activation.isAccepted() })
  factorsEndJobs({ database, jobs: queue, handOn: handOnFormer({ database, jobs: queue, plugins }) })
  return { capability, host }
}

function evidenceServices(
  options: Checked,
  { crm, activation, workspaces }: CrmServices,
  { queue, mailContext }: MailServices,
) {
  const { address, database, flags, log, secrets, sections, timestamps } = options
  const evidence = { crm, database, activation, jobs: queue, keyOf: signingKeys(database, secrets), sections }
  submissionJobs({ ...evidence, flags, log, mailContext, address, workspaces, timestamps })
  return signing(evidence)
}

type Context = Checked & CrmServices & MailServices & ReturnType<typeof pluginServices>

/** The services in each request's context. */
function contextOf({ capability, crm, database, activation, host, mailContext, sections, watch }: Context) {
  return {
    ...{ capability, database, mailContext },
    runAction: actionRunner({ crm, database, activation, plugins: sections, jobs: host.jobs }),
    documentHistory: documentHistories({ database, plugins: sections }),
    viewedVersions: viewedVersions(database),
    recipients: recipientsFinder({ crm, database, sections }),
    ...slotsOf(sections, () => host),
    journal: noticing(watch, activityLog(database)),
  }
}

/** Passes each row of activity to the alerts too. */
const noticing =
  (watch: CrmServices['watch'], written: ReturnType<typeof activityLog>): typeof written =>
  row => {
    watch.noticed(row)
    return written(row)
  }

/** Seals older values again in the background, after the start of a process with more than one secret. */
function resealSoon({ database, files, log, secrets }: Pick<Checked, 'database' | 'files' | 'log' | 'secrets'>) {
  const work = () =>
    reseal(database, secrets, files).then(
      ({ anew, lost }) => {
        if (anew) log.info({ anew }, 'sealed anew with the first secret')
        if (lost) log.error({ lost }, 'values are sealed with a secret that is not in the list')
      },
      err => log.warn({ err }, 'what older secrets sealed could not be sealed anew; portico reseal does it as well'),
    )
  setTimeout(work, 1_000).unref()
}
