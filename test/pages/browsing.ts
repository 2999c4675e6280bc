import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Suite } from 'mocha'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { map } from '../../demo/adapter/map.ts'
import { adapterOf } from '../../src/index.ts'
import { within } from '../../src/platform/database.ts'
import { standAlone } from '../../src/serve/app.ts'
import { addStaff } from '../../src/serve/staff.ts'
import { openBrowser } from '../browser.ts'
import { leave, open, type Role, type Scene, whoIs } from '../visit.ts'

export const phone = { width: 360, height: 740 }
export const desk = { width: 1280, height: 860 }

/** The scene behind a real server, and real browsers for whoever visits it. */
export interface Stage {
  scene: Scene
  /** Where this person's portal begins. */
  homeOf(role: Role): string
  /** A browser of one's own; signed in as this person unless it is nobody. */
  visit(role?: Role, options?: BrowserContextOptions): Promise<Page>
  /** What went wrong in any of these browsers since this was asked last: errors, warnings, violated policies. */
  complaints(): string[]
  close(): Promise<void>
}

export async function build(): Promise<Stage> {
  const [scene, browser] = await Promise.all([open({ mail: 'kept' }), openBrowser()])
  const alone = await besideCrm(scene)
  const server = createServer((req, res) => (req.url?.startsWith('/staff/') ? alone.app : scene.app)(req, res))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const heard: string[] = []
  const cookies = new Map<Role, Awaited<ReturnType<BrowserContext['storageState']>>>()
  const homeOf = (role: Role) => `${origin}/portal/${whoIs(role).workspace}`

  const visit: Stage['visit'] = async (role, options = {}) => {
    const page = await enter(browser, heard, { ...options, storageState: role && cookies.get(role) })
    if (!role || cookies.has(role)) return page
    const staff = whoIs(role).kind === 'staff'
    await page.goto(staff ? `${origin}/login` : `${homeOf(role)}/sign-in`)
    await signIn(page, role)
    await page.waitForURL(url => !/login|sign-in/.test(url.pathname))
    if (role === 'admin') {
      await page.goto(`${origin}/staff/brightside/sign-in`)
      await signIn(page, role)
      await page.waitForURL('**/settings/client-portal/')
    }
    cookies.set(role, await page.context().storageState())
    return page
  }

  return {
    scene,
    homeOf,
    visit,
    complaints: () => heard.splice(0),
    async close() {
      await browser.close()
      await new Promise(resolve => server.close(resolve))
      await alone.close()
    },
  }
}

/** The same anew for each test of a suite. A browser on a busy machine is late at times: such a test is tried again. */
export function stageForEach(suite: Suite): Stage {
  suite.timeout(90_000)
  suite.retries(1)
  const stage: Partial<Stage> = {}
  beforeEach(async () => {
    Object.assign(stage, await build())
  })
  afterEach(async () => {
    await stage.close?.()
    await leave()
  })
  return stage as Stage
}

/** What `portico serve` has of its own: the pages of staff, of whom there is the admin. */
async function besideCrm({ database }: Scene) {
  const workspace = { id: '1', slug: 'brightside', name: 'Brightside', letterhead: [], timeZone: 'UTC' }
  await addStaff(database, workspace, { ...whoIs('admin'), admin: true })
  return standAlone({
    database,
    crm: adapterOf(map, database),
    flags: { enabledAnywhere: () => true, enabled: () => true },
    secrets: ['a secret of at least thirty-two characters'],
    log: { info() {}, warn() {}, error() {} },
  })
}

declare global {
  /** See probes.js. */
  var probes: Record<'focusName' | 'focusTrouble', () => string> &
    Record<'covered' | 'spills' | 'sticksOut' | 'tooSmall' | 'tabbed' | 'untranslated', () => string[]> & {
      moved(): Promise<number>
      leaving(): number
      beginTabbing(): number
    }
}

/** Fills in the form that the page shows. */
export async function signIn(page: Page, role: Role) {
  const { email, password } = whoIs(role)
  await page.locator('[name=email]').fill(email)
  await page.locator('[name=password]').fill(password)
  await page.locator('form button:not([name], [type=button])').first().click()
}

async function enter(browser: Browser, heard: string[], options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: desk, reducedMotion: 'reduce', ...options })
  context.setDefaultTimeout(15_000)
  await context.addInitScript({ path: join(import.meta.dirname, 'probes.js') })
  const page = await context.newPage()
  page.on('pageerror', error => heard.push(`${error}`))
  page.on('console', it => {
    const { url } = it.location()
    // A page that is left while it counts what waits.
    if (url.includes('/waiting?') && it.text().includes('ERR_FAILED')) return
    if (['error', 'warning'].includes(it.type())) heard.push(`${it.text()} at ${url}`)
  })
  return page
}

/** As the portal itself writes: within the workspace of this slug. */
export async function inside<T>({ database, owner }: Scene, slug: string, work: Parameters<typeof within<T>>[2]) {
  const { id } = await owner('public.workspaces').where({ slug }).first('id')
  return within(database, { workspace: String(id) }, work)
}
