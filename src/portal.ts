import { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { acting } from './act.ts'
import { journal } from './activity.ts'
import { alerts } from './alerts.ts'
import { answers, problems } from './answer.ts'
import { bearer } from './api/bearer.ts'
import { cors } from './api/cors.ts'
import { tokens } from './api/page.ts'
import { api } from './api/routes.ts'
import { assets } from './assets.ts'
import { demanding } from './auth/demand.ts'
import { leavers } from './auth/leavers.ts'
import { type Limits, limitsOf } from './auth/limits.ts'
import { meant } from './auth/meant.ts'
import { passkeys } from './auth/passkeys.ts'
import { readers } from './auth/readers.ts'
import { forgetting } from './auth/register.ts'
import { auth } from './auth/routes.ts'
import { sessions } from './auth/sessions.ts'
import { ladder, stepUpsOf } from './auth/step-up.ts'
import { team } from './auth/team.ts'
import { showLogo } from './branding/show.ts'
import { type Workspaces, workspaces } from './branding/workspaces.ts'
import { dataJobs } from './data/jobs.ts'
import { myData } from './data/page.ts'
import { sendUnnamed } from './database.ts'
import { CrmUnavailable, NotFound, Unavailable } from './errors.ts'
import { delivering } from './evidence/delivery.ts'
import { signingKeys } from './evidence/keys.ts'
import { signing } from './evidence/signing.ts'
import { verify } from './evidence/verify.ts'
import { bodies, isTooLarge } from './form.ts'
import { drifted } from './gate/drift.ts'
import { type Gate, gate } from './gate/gate.ts'
import { arrangement } from './home/arrangement.ts'
import { home } from './home/home.ts'
import { jobs } from './jobs.ts'
import { links } from './links/routes.ts'
import type { Log } from './log.ts'
import { outbox } from './mail/outbox.ts'
import { smtp } from './mail/transport.ts'
import { operations } from './operations.ts'
import { checked, type Options } from './options.ts'
import { sameOrigin } from './origin.ts'
import { endPdf } from './pdf/pool.ts'
import { reminding } from './remind/reminding.ts'
import { reseal } from './reseal.ts'
import { clientRules, requireRules } from './rules.ts'
import { anybody, anyMember, type Section } from './section.ts'
import { claims } from './security.ts'
import { kindsOf, sentencesOf } from './sentences.ts'
import { settings } from './settings/settings.ts'
import { withStores } from './stores.ts'
import { switchingOff } from './switch-off.ts'
import { type Beside, beside, type Which } from './talk/beside.ts'
import { earlier } from './talk/earlier.ts'
import { stories } from './talk/story.ts'
import { showOwn } from './timeline.ts'
import { arrive, know, known, locate } from './visit.ts'

export interface Portal {
  /** For calls of payment providers and the like: mount it above the CRM's body parsers, they sign the raw bytes. */
  webhooks: Router
  /** What clients see. */
  clients: Router
  /** What the workspace admin sees, in the CRM's settings, behind the CRM's own sign-in. */
  settings: Router
  /** What became of a document in the portal, for the CRM's own page of it: as data, and as a fragment of HTML. */
  beside(which: Which): Promise<Beside>
  /** Is no longer ready, for a proxy to see, and goes on answering. */
  retire(): void
  /** Is no longer ready, and lets go of the flag's connection, of the processes that make PDF files and of the job queue. The database is the caller's. */
  close(): Promise<void>
}

interface Assembled {
  portal: Portal
  address: string | undefined
  begin: RequestHandler[]
  claim: RequestHandler
  door: Gate
  limits: Limits
  places: Workspaces
  /** Keeps in mind which workspaces are used. */
  remember: RequestHandler
}

/** Routers for somebody else's app, which they leave as it is. Throws a TypeError that names a wrong option. */
export async function createPortal(options: Options): Promise<Portal> {
  return (await assemble(options)).portal
}

/** The same, with what pages beside them are made of. */
export async function assemble(options: Options): Promise<Assembled> {
  const {
    address,
    checkEvery,
    compress,
    crm: theirs,
    database,
    directDatabase,
    flags,
    log,
    mail,
    metricsToken,
    origins,
    preparedStatements,
    secrets,
    sections,
    staff,
    timestamps,
  } = checked(options)
  const crm = withStores(theirs, sections, database)
  if (!preparedStatements) for (const it of [database, crm.database]) if (it) sendUnnamed(it)
  const door = gate({ crm, database, log, secrets, every: checkEvery, wanted: () => flags.anywhere() })
  const watch = alerts({ database, log, kinds: kindsOf(sections) })
  const operator = operations({ alerts: watch, database, crm, sections, metricsToken, door })
  const places = workspaces({ crm, database, log })
  const switchOff = switchingOff({ database, flags, log, every: Math.min(checkEvery, 2) })
  const parts = { crm, database, door, flags, log, sections, workspaces: places }
  const claim = claims(log, operator.observe)

  const limits = limitsOf({ database, secrets, log })
  const keys = passkeys({ database, secrets })
  const queue = jobs({ database: directDatabase ?? database, log, trusted: door.trusted })
  const transport = mail && ('send' in mail ? mail.send : smtp(mail.url, mail.from))
  const posts = outbox({ database, door, flags, jobs: queue, log, secrets, transport })
  const mailed = mail && address ? { database, limits, outbox: posts, jobs: queue, secrets, address } : undefined
  if (mailed) forgetting({ database, door, flags, jobs: queue })

  if (secrets.length > 1) resealSoon({ database, log, secrets })

  const evidence = { crm, database, door, jobs: queue, keyOf: signingKeys(database, secrets) }
  const signer = signing(evidence)
  delivering({ ...evidence, flags, log, mailed, address, places, sections, timestamps })
  const reminded = reminding({ crm, database, door, flags, jobs: queue, log, mailed, places, sections })
  dataJobs({ crm, database, door, flags, jobs: queue, mailed, places })
  const written = journal(database)
  const keep: typeof written = row => {
    watch.noticed(row)
    return written(row)
  }
  const begin = [
    arrive({
      ...{ database, mailed, act: acting({ crm, database, door }), journal: keep },
      ...{ signing: signer, story: stories(database), earlier: earlier(database), readers: readers(parts) },
    }),
    answers({ sections, compress }),
  ]

  const clients = Router()
  const inside = Object.assign(Router({ mergeParams: true }), { at: '/:workspace' })
  clients.use((_req, _res, next) => next(flags.anywhere() ? undefined : 'router'))
  clients.use('/-/assets', assets())
  clients.use('/-', operator.router)
  clients.use(
    '/:workspace',
    (async (req, _res, next) =>
      next(flags.enabled(req.params.workspace) && (await door.opened()) ? undefined : 'router')) as Scoped,
    inside,
  )
  clients.use(problems(log, claim))

  inside.use(
    begin,
    trusted(door),
    fitting(door),
    locate(places),
    reminded,
    switchOff.remember,
    claim,
    cors(origins),
    bearer({ database, log }, sessions({ database, secrets, log })),
    leavers(parts),
    know(parts),
    sameOrigin(address),
    bodies,
  )
  inside.use('/link', links({ crm, database, door, limits, mailed, secrets, sections }))
  inside.use(demanding, meant)
  inside.use(ladder({ database, identity: crm.identity, keys, limits, mailed, secrets, actions: stepUpsOf(sections) }))
  inside.get('/logo/:version', anybody, showLogo(places))
  inside.use('/api/v1', api({ database, identity: crm.identity, limits, log, mailed, secrets, sections }))
  inside.use(auth({ database, identity: crm.identity, keys, limits, mailed, secrets }))
  inside.use(verify(database, secrets))
  inside.use('/team', team({ ...parts, mailed }))
  inside.use('/account/home', arrangement(database))
  inside.use('/account/data', myData({ database, jobs: queue }))
  inside.use('/account/tokens', tokens({ database, sections }))
  inside.get('/', anyMember, home(parts))
  inside.get('/activity', anyMember, showOwn(database, sentencesOf(sections)))
  for (const it of sections) inside.use([`/${it.name}`, `/api/v1/${it.name}`], known, offered(it), routesOf(it))
  inside.use(known, () => {
    throw new NotFound()
  })
  inside.use(lookAgain(door), problems(log, claim))

  const webhooks = Router()
  // Above the CRM's body parsers, so that what is too large is refused by a page of ours and not by one of the CRM.
  webhooks.use((req, res, next) => (isTooLarge(req) ? clients(req, res, next) : next()))

  const portal: Portal = {
    webhooks,
    clients,
    beside: beside({ crm, database, door, flags, places, sections }),
    settings: settings({
      ...parts,
      address,
      alerts: watch,
      begin,
      trusted: trusted(door),
      claim,
      jobs: queue,
      mailed,
      reminded,
      staff,
    }),
    retire: operator.stop,
    async close() {
      operator.stop()
      door.stop()
      await switchOff.stop()
      flags.close?.()
      endPdf()
      await queue.stop()
    },
  }
  return {
    portal,
    address,
    begin: [...begin, trusted(door)],
    claim,
    door,
    limits,
    places,
    remember: switchOff.remember,
  }
}

/** In the background, once a process has started with more than one secret. */
function resealSoon({ database, log, secrets }: { database: Knex; log: Log; secrets: string[] }) {
  const work = () =>
    reseal(database, secrets).then(
      ({ anew, lost }) => {
        if (anew) log.info({ anew }, 'sealed anew with the first secret')
        if (lost) log.error({ lost }, 'values are sealed with a secret that is not in the list')
      },
      err => log.warn({ err }, 'what older secrets sealed could not be sealed anew; portico reseal does it as well'),
    )
  setTimeout(work, 1_000).unref()
}

type Scoped = RequestHandler<{ workspace: string }>

/** What this instance signs and seals the others could not read, and it could not read theirs. */
const trusted =
  (door: Gate): RequestHandler =>
  async (_req, _res, next) =>
    next((await door.trusted()) ? undefined : new Unavailable())

/** What every page needs of the CRM is not as it was: nothing of it can be trusted until it is. */
const fitting =
  (door: Gate): RequestHandler =>
  (_req, _res, next) =>
    next(door.whole() ? undefined : new CrmUnavailable())

/** A refused statement may be the first sign that the CRM has another schema now. */
const lookAgain =
  (door: Gate): ErrorRequestHandler =>
  (error, _req, _res, next) => {
    if (drifted(error)) door.look().catch(() => undefined)
    next(error)
  }

const routesOf = (section: Section) => {
  const router = Object.assign(Router(), { at: [`/${section.name}`, `/api/v1/${section.name}`] })
  section.routes(router)
  requireRules(section, router, [...Object.keys(section.permissions), ...clientRules])
  return router
}

/** A section that this person has not got answers like an address that does not exist. */
const offered =
  ({ name }: Section): RequestHandler =>
  (req, _res, next) => {
    const { crm, on } = req.portal
    next(name in crm && on(name) ? undefined : new NotFound())
  }
