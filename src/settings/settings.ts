import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import type { Alerts } from '../auth/alerts.ts'
import { loadWorkspaceForStaff } from '../auth/load-context.ts'
import type { MailContext } from '../auth/mail-context.ts'
import { rightsOf } from '../auth/roles.ts'
import { saveSignInMethods, showSignInMethods } from '../auth/sign-in-methods.ts'
import type { SignInStrategy } from '../auth/sign-in-strategy.ts'
import { stepUpsOf } from '../auth/step-up.ts'
import { showLogo } from '../branding/show.ts'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm, StaffOf } from '../crm/crm.ts'
import type { Workspaces } from '../crm/workspaces.ts'
import { assets } from '../http/assets.ts'
import { sameOrigin } from '../http/csrf.ts'
import { CrmUnavailable, NotFound } from '../http/errors.ts'
import { bodies, withFile } from '../http/forms.ts'
import { errorHandler, showAgainOnError } from '../http/respond.ts'
import type { Hub } from '../live/hub.ts'
import { showStaffLive } from '../live/route.ts'
import { currentTime } from '../platform/clock.ts'
import type { Flags } from '../platform/flags.ts'
import type { Jobs } from '../platform/jobs.ts'
import type { Log } from '../platform/log.ts'
import type { PlaceOf } from '../platform/places.ts'
import { mountSettingsPage } from '../plugin/mount.ts'
import { admins } from '../plugin/permissions.ts'
import { type Host, type Section, settingsGroups } from '../plugin/plugin.ts'
import { kindsOf, sentencesOf } from '../plugin/sentences.ts'
import { exportTimeline, showTimeline } from '../plugin/timeline.ts'
import { togglesOf } from '../plugin/toggles.ts'
import { saveInvitedAgain, showAdoption } from './adoption.ts'
import { saveBranding, showBranding } from './branding.ts'
import { saveClientSwitch, showClient } from './client.ts'
import { saveException, showException, showExceptions } from './exceptions.ts'
import { saveFactorReset, saveSingleReset } from './factors.ts'
import { saveImport, showImport } from './import.ts'
import { showMail } from './mail.ts'
import { showOverview } from './overview.ts'
import {
  saveInvite,
  saveInviteAgain,
  saveRevocation,
  saveSuspension,
  showClients,
  showInvite,
  showPeople,
} from './people.ts'
import { settleDifference, showPerson, showPersonPhoto, submitDifferences } from './person.ts'
import { saveSignOut } from './person-security.ts'
import { saveApproval, saveCode, saveRefusal } from './registrations.ts'
import { saveCountersignature, saveRetry, sendSignedPdf, showResponses } from './responses.ts'
import { saveRoles, showRoles } from './roles.ts'
import { saveSigning, showSigning } from './signing.ts'
import { showState } from './state.ts'
import { saveText, showPreview, showText, showTexts } from './texts.ts'
import { showChoice, startViewing, viewAs } from './view-as.ts'
import { saveVisibility, showVisibility } from './visibility.ts'
import { countWaiting, type PluginPage } from './waiting.ts'
import { showWhy } from './why.ts'

interface Parts {
  /** The address where clients find the portal, if it is known. */
  address: string | undefined
  alerts: Alerts
  hub: Hub
  begin: RequestHandler[]
  claim: RequestHandler
  crm: Crm
  database: Knex
  mailContext: MailContext | undefined
  activation: Activation
  flags: Flags
  jobs: Jobs
  log: Log
  placeOf: PlaceOf
  /** The host that plugins get. */
  host: Host
  /** Records that the workspace is in use. */
  remember: RequestHandler
  sections: Section[]
  staff: StaffOf
  strategies: SignInStrategy[]
  /** Refuses requests if this instance has another secret than the others. */
  trusted: RequestHandler
  workspaces: Workspaces
}

/**
 * The settings area within the CRM. Anybody who is not staff of a workspace with the portal on gets the CRM's own
 * response.
 */
export function settingsRouter(parts: Parts): Router {
  const { claim, flags, log } = parts
  const router = Router()
  router.use((_req, _res, next) => next(flags.enabledAnywhere() ? undefined : 'router'))
  router.use('/-/assets', assets())
  router.use(loadStaff(parts))
  router.get('/', admins, showOverview({ ...parts, mails: parts.mailContext !== undefined }))
  router.get('/live', admins, showStaffLive(parts))
  visibilityPages(router, parts)
  peoplePages(router, parts)
  signInPages(router, parts)
  mailPages(router, parts)
  signingPages(router, parts)
  brandingPages(router, parts)
  recordPages(router, parts)
  for (const it of parts.sections) mountSettingsPage(router, it, parts.host)
  router.get('/view', admins, showChoice(parts.database))
  router.post('/view', admins, startViewing(parts.database))
  router.use('/view/:client/:person', admins, viewAs(parts))
  router.use(admins, () => {
    throw new NotFound()
  })
  router.use(errorHandler(log, claim))
  return router
}

/** Loads the CRM's staff and their workspace. */
function loadStaff({ address, begin, claim, database, activation, flags, remember, sections, staff, ...parts }: Parts) {
  const { trusted, workspaces } = parts
  const pluginPages = pagesOf(sections)
  const entered: RequestHandler = async (req, _res, next) => {
    const it = await staff(req)
    if (!it || !flags.enabled(it.workspace) || !(await activation.isAccepted())) return next('router')
    req.portal.now = currentTime(database)
    req.portal.staff = it
    req.portal.frame = 'settings'
    req.portal.pluginPages = pluginPages
    next()
  }
  return [
    ...begin,
    entered,
    trusted,
    loadWorkspaceForStaff(workspaces, req => req.portal.staff?.workspace ?? ''),
    remember,
    claim,
    onlyState,
    countWaiting(database, sections),
    sameOrigin(address),
    bodies,
  ]
}

/** What clients see: all of them, one client, or one person. */
function visibilityPages(router: Router, { activation, crm, database, sections }: Parts) {
  const toggles = togglesOf(sections)
  const show = showVisibility({ activation, crm, database, sections })
  router.get('/visibility', admins, show)
  router.post('/visibility', admins, saveVisibility(database, toggles), showAgainOnError(show))
  router.get('/why', admins, withRights(database), showWhy({ activation, crm, database, sections }))
  router.get('/exceptions', admins, showExceptions({ crm, database }, toggles))
  const showOne = showException(database, toggles)
  for (const path of ['/exceptions/:client', '/exceptions/:client/:person']) {
    router.get(path, admins, showOne)
    router.post(path, admins, saveException(database, toggles), showAgainOnError(showOne))
  }
}

/** The clients' people, and the permissions of their roles. */
function peoplePages(router: Router, { activation, jobs, placeOf, ...given }: Parts) {
  const { crm, database, log, mailContext, sections } = given
  const parts = { crm, database, mailContext, sections }
  const [showAll, showSheet, showOne] = [showPeople(parts), showImport(parts), showInvite(parts)]
  router.use(['/people', '/roles', '/sign-in'], withRights(database))
  router.get('/people', admins, showAll)
  const client = { crm, database, log }
  router.get('/people/clients/:client', admins, showClient(client))
  router.post('/people/clients/:client/switch', admins, saveClientSwitch(client), showAgainOnError(showClient(client)))
  router.get('/people/adoption', admins, showAdoption({ activation, crm, database, log, mailContext, sections }))
  if (mailContext) router.post('/people/adoption/invitations', admins, saveInvitedAgain(mailContext))
  router.get('/people/import', admins, showSheet)
  router.post('/people/import', admins, withFile('file'), showSheet, showAgainOnError(showSheet))
  router.post('/people/import/confirmation', admins, withFile('file'), saveImport(parts), showAgainOnError(showSheet))
  router.get('/people/invite', admins, showClients(parts))
  router.get('/people/invite/:client', admins, showOne)
  router.post('/people/invite/:client', admins, saveInvite(parts), showAgainOnError(showOne))
  router.post('/people/invitations/:id', admins, saveInviteAgain(parts), showAgainOnError(showAll))
  router.post('/people/invitations/:id/revocation', admins, saveRevocation(parts))
  if (mailContext) {
    const held = { crm, mailContext }
    router.post('/people/invite/:client/code', admins, saveCode(held))
    router.post('/people/registrations/:registration/approval', admins, saveApproval(held))
    router.post('/people/registrations/:registration/refusal', admins, saveRefusal(held))
  }
  router.post('/people/:person/second-factor-reset', admins, saveFactorReset({ database, jobs, mailContext }))
  router.post('/people/:person/factors/:factor/reset', admins, saveSingleReset({ database, jobs, mailContext }))
  router.post('/people/:person/devices/end', admins, saveSignOut(database))
  router.post('/people/:person/devices/:device/end', admins, saveSignOut(database))
  router.post('/people/:person/suspension', admins, saveSuspension(parts))
  const showTheirs = showPerson({ crm, database, log, placeOf, mails: mailContext !== undefined })
  router.get('/people/:person', admins, showTheirs)
  router.post('/people/:person/contact', admins, settleDifference(database), showAgainOnError(showTheirs))
  router.post('/people/:person/contact/submission', admins, submitDifferences({ crm, database, log }))
  router.get('/people/:person/photo/:version', admins, showPersonPhoto(database))
  router.get('/roles', admins, showRoles(parts))
  router.post('/roles', admins, saveRoles(parts), showAgainOnError(showRoles(parts)))
}

/** For pages that name roles. */
const withRights =
  (database: Knex): RequestHandler =>
  async (req, _res, next) => {
    req.portal.rights = await rightsOf(database, req.portal.workspace.id)
    next()
  }

function signInPages(router: Router, { database, mailContext, sections, strategies }: Parts) {
  const signIn = { database, mails: mailContext !== undefined, stepUps: stepUpsOf(sections), strategies }
  router.get('/sign-in', admins, showSignInMethods(signIn))
  router.post('/sign-in', admins, saveSignInMethods(signIn), showAgainOnError(showSignInMethods(signIn)))
}

function mailPages(router: Router, { database, mailContext }: Parts) {
  const show = showText(database)
  router.get('/mail/texts', admins, showTexts(database))
  router.get('/mail/texts/:kind/:language', admins, show)
  router.post('/mail/texts/:kind/:language', admins, saveText(database), showAgainOnError(show))
  router.get('/mail/texts/:kind/:language/preview', admins, showPreview(database))
  router.get('/mail', admins, showMail(database, mailContext !== undefined))
}

/** How clients sign, and their responses. */
function signingPages(router: Router, { crm, database, activation, jobs, sections }: Parts) {
  const show = showResponses({ crm, database, activation, sections })
  router.get('/signing', admins, showSigning(database))
  router.post('/signing', admins, saveSigning(database), showAgainOnError(showSigning(database)))
  router.get('/responses', admins, show)
  router.get('/responses/:id/pdf', admins, sendSignedPdf(database))
  router.post('/responses/:id/countersignature', admins, saveCountersignature, showAgainOnError(show))
  router.post('/responses/:id/retry', admins, saveRetry(database, jobs))
}

function brandingPages(router: Router, { database, workspaces }: Parts) {
  const show = showBranding(workspaces)
  router.get('/branding', admins, show)
  router.post('/branding', admins, withFile('logo'), saveBranding(database, workspaces), showAgainOnError(show))
  router.get('/logo/:version{/:paper}', admins, showLogo(workspaces))
}

/** The activity log and the portal's state. */
function recordPages(router: Router, { alerts, database, activation, sections }: Parts) {
  const events = { sentences: sentencesOf(sections), kinds: kindsOf(sections) }
  router.get('/activity', admins, showTimeline(database, events))
  router.get('/activity.csv', admins, exportTimeline(database, events))
  router.get('/state', admins, showState(database, activation, sections, alerts))
}

/** Returns the plugins' settings pages, in the order of the menu. */
const pagesOf = (plugins: Section[]): PluginPage[] =>
  plugins.flatMap(({ name, settings }) => {
    if (!settings) return []
    const { path = name, title, icon, order = 85, group = 'records' } = settings
    return [{ name, path, title, icon, order, group: settingsGroups[group] }]
  })

/** Allows only the state page for a workspace that is known by its name only. */
const onlyState: RequestHandler = (req, res, next) => {
  if (req.portal.workspace.id || req.path === '/state') return next()
  if (req.method !== 'GET') throw new CrmUnavailable()
  res.redirect(303, req.portal.url('/state'))
}
