import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Alerts } from '../alerts.ts'
import { otherwise, problems } from '../answer.ts'
import { assets } from '../assets.ts'
import { saveOffered, showOffered } from '../auth/offered.ts'
import { rightsOf } from '../auth/roles.ts'
import { stepUpsOf } from '../auth/step-up.ts'
import type { Ways } from '../auth/way.ts'
import { showLogo } from '../branding/show.ts'
import type { Workspaces } from '../branding/workspaces.ts'
import { currentTime } from '../clock.ts'
import type { Crm } from '../crm.ts'
import { CrmUnavailable, NotFound } from '../errors.ts'
import type { Flags } from '../flags.ts'
import { bodies, withFile } from '../form.ts'
import type { Gate } from '../gate/gate.ts'
import type { Jobs } from '../jobs.ts'
import type { Log } from '../log.ts'
import type { Options } from '../options.ts'
import { sameOrigin } from '../origin.ts'
import { requireRules } from '../rules.ts'
import { admins, type Section } from '../section.ts'
import { sentencesOf } from '../sentences.ts'
import { exportTimeline, showTimeline } from '../timeline.ts'
import { locateAnyhow } from '../visit.ts'
import { saveBranding, showBranding } from './branding.ts'
import { saveException, showException, showExceptions } from './exceptions.ts'
import { saveFactorReset } from './factors.ts'
import { saveImport, showImport } from './import.ts'
import { saveLink, saveLinkEnd, showLinks } from './links.ts'
import { showMail } from './mail.ts'
import { saveInvite, saveInviteAgain, saveRevocation, saveSuspension, showInvite, showPeople } from './people.ts'
import { saveReply, showQuestions } from './questions.ts'
import { saveApproval, saveCode, saveRefusal } from './registrations.ts'
import { saveReminders, showReminders } from './reminders.ts'
import { saveRoles, showRoles } from './roles.ts'
import { saveCountersignature, saveRetry, saveSigning, showAnswers, showSigning } from './signing.ts'
import { showState } from './state.ts'
import { type Change, save, stored } from './store.ts'
import { saveText, showPreview, showText, showTexts } from './texts.ts'
import { togglesOf } from './toggles.ts'
import { countWaiting } from './waiting.ts'

interface Parts {
  /** Where clients find the portal, where that is known. */
  address: string | undefined
  alerts: Alerts
  begin: RequestHandler[]
  claim: RequestHandler
  crm: Crm
  database: Knex
  mailed: Ways | undefined
  door: Gate
  flags: Flags
  jobs: Jobs
  log: Log
  /** Sees to it that clients are reminded. */
  reminded: RequestHandler
  sections: Section[]
  staff: Options['staff']
  /** Refuses where this instance has another secret than the others. */
  trusted: RequestHandler
  workspaces: Workspaces
}

/** The area in the CRM's settings. Who is no staff of a workspace where the portal is on gets the CRM's own answer. */
export function settings({
  address,
  alerts,
  begin,
  claim,
  crm,
  database,
  door,
  flags,
  jobs,
  log,
  mailed,
  reminded,
  sections,
  staff,
  trusted,
  workspaces,
}: Parts): Router {
  const router = Router()
  const toggles = togglesOf(sections)
  const sentences = sentencesOf(sections)
  const pluginPages = sections.flatMap(({ name, settings }) =>
    settings ? [{ name, title: settings.title, icon: settings.icon }] : [],
  )

  const entered: RequestHandler = async (req, _res, next) => {
    const it = await staff(req)
    if (!it || !flags.enabled(it.workspace) || !(await door.opened())) return next('router')
    req.portal.now = currentTime(database)
    req.portal.staff = it
    req.portal.frame = 'settings'
    req.portal.pluginPages = pluginPages
    next()
  }

  const showVisibility: RequestHandler = async (req, res) => {
    const values = await stored(database, req.portal.workspace.id)
    res.answer('settings/visibility', {
      toggles: [...toggles].map(([name, it]) => ({ name, ...it, on: values.get(name) ?? it.default })),
      saved: req.query.saved === '',
    })
  }

  router.use((_req, _res, next) => next(flags.anywhere() ? undefined : 'router'))
  router.use('/-/assets', assets())
  router.use(
    begin,
    entered,
    trusted,
    locateAnyhow(workspaces, req => req.portal.staff?.workspace ?? ''),
    reminded,
    claim,
    onlyState,
    countWaiting(database),
    sameOrigin(address),
    bodies,
  )

  router.get('/', admins, showVisibility)

  router.post(
    '/visibility',
    admins,
    async (req, res) => {
      await save(database, req, changesIn(req.portal.body, toggles))
      res.redirect(303, req.portal.url('/?saved'))
    },
    otherwise(showVisibility),
  )

  router.get('/exceptions', admins, showExceptions(database, toggles))
  for (const path of ['/exceptions/:client', '/exceptions/:client/:person']) {
    const show = showException(database, toggles)
    router.get(path, admins, show)
    router.post(path, admins, saveException(database, toggles), otherwise(show))
  }

  const parts = { crm, database, mailed, sections }
  router.use(['/people', '/roles', '/sign-in'], async (req, _res, next) => {
    req.portal.rights = await rightsOf(database, req.portal.workspace.id)
    next()
  })
  router.get('/people', admins, showPeople(parts))
  router.get('/people/import', admins, showImport(parts))
  router.post('/people/import', admins, withFile('file'), showImport(parts), otherwise(showImport(parts)))
  router.post('/people/import/confirmation', admins, withFile('file'), saveImport(parts), otherwise(showImport(parts)))
  router.get('/people/invite/:client', admins, showInvite(parts))
  router.post('/people/invite/:client', admins, saveInvite(parts), otherwise(showInvite(parts)))
  router.post('/people/invitations/:id', admins, saveInviteAgain(parts))
  router.post('/people/invitations/:id/revocation', admins, saveRevocation(parts))
  if (mailed) {
    const held = { crm, mailed }
    router.post('/people/invite/:client/code', admins, saveCode(held))
    router.post('/people/registrations/:registration/approval', admins, saveApproval(held))
    router.post('/people/registrations/:registration/refusal', admins, saveRefusal(held))
  }
  router.post('/people/:person/second-factor-reset', admins, saveFactorReset({ database, jobs, mailed }))
  router.post('/people/:person/suspension', admins, saveSuspension(parts))

  router.get('/roles', admins, showRoles(parts))
  router.post('/roles', admins, saveRoles(parts), otherwise(showRoles(parts)))

  const signIn = { database, mails: mailed !== undefined, stepUps: stepUpsOf(sections) }
  router.get('/sign-in', admins, showOffered(signIn))
  router.post('/sign-in', admins, saveOffered(signIn), otherwise(showOffered(signIn)))

  router.get('/mail/texts', admins, showTexts(database))
  router.get('/mail/texts/:kind/:language', admins, showText(database))
  router.post('/mail/texts/:kind/:language', admins, saveText(database), otherwise(showText(database)))
  router.get('/mail/texts/:kind/:language/preview', admins, showPreview(database))
  router.get('/mail', admins, showMail(database, mailed !== undefined))

  router.get('/signing', admins, showSigning(database))
  router.post('/signing', admins, saveSigning(database), otherwise(showSigning(database)))
  router.get('/reminders', admins, showReminders(database, mailed !== undefined))
  router.post('/reminders', admins, saveReminders(database), otherwise(showReminders(database, mailed !== undefined)))
  router.get('/questions', admins, showQuestions(database))
  router.post('/questions/:id/reply', admins, saveReply({ database, mailed }), otherwise(showQuestions(database)))
  router.get('/answers', admins, showAnswers({ crm, database, door }))
  router.post(
    '/answers/:id/countersignature',
    admins,
    saveCountersignature,
    otherwise(showAnswers({ crm, database, door })),
  )
  router.post('/answers/:id/retry', admins, saveRetry(database, jobs))

  const linked = { ...parts, address, door }
  router.get('/links', admins, showLinks(linked))
  router.post('/links', admins, saveLink(linked), otherwise(showLinks(linked)))
  router.post('/links/:id/revocation', admins, saveLinkEnd(linked))

  router.get('/branding', admins, showBranding(workspaces))
  router.post(
    '/branding',
    admins,
    withFile('logo'),
    saveBranding(database, workspaces),
    otherwise(showBranding(workspaces)),
  )
  router.get('/logo/:version', admins, showLogo(workspaces))

  router.get('/activity', admins, showTimeline(database, sentences))
  router.get('/activity.csv', admins, exportTimeline(database, sentences))

  router.get('/state', admins, showState(database, door, sections, alerts))

  for (const section of sections.filter(it => it.settings)) {
    const its = Object.assign(Router(), { at: `/${section.name}` })
    section.settings?.routes(its)
    requireRules(section, its, [admins.rule])
    router.use(`/${section.name}`, its)
  }

  router.use(admins, () => {
    throw new NotFound()
  })
  router.use(problems(log, claim))
  return router
}

/** Nothing is read or saved for a workspace of which no more is known than its name. */
const onlyState: RequestHandler = (req, res, next) => {
  if (req.portal.workspace.id || req.path === '/state') return next()
  if (req.method !== 'GET') throw new CrmUnavailable()
  res.redirect(303, req.portal.url('/state'))
}

/** A toggle that is not ticked is not sent: `was.<name>` says that it was on the page, and how. */
function changesIn(body: unknown, toggles: ReturnType<typeof togglesOf>): Change[] {
  const form = z.record(z.string(), z.unknown()).catch({}).parse(body)
  return [...toggles].flatMap(([name, { label }]) => {
    const was = form[`was.${name}`]
    const on = form[name] === 'on'
    return (was === 'on' || was === 'off') && on !== (was === 'on')
      ? [{ name, label, before: was === 'on', after: on }]
      : []
  })
}
