import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { build, desk, phone, type Stage } from './pages/browsing.ts'
import { everyPage, type Place } from './pages/every.ts'
import { type Asked, askedOf, looks } from './pages/looks.ts'
import { leave, type Role } from './visit.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const narrowest = { width: 320, height: 640 }

describe('every page in a real browser', function () {
  this.timeout(480_000)
  // A browser on a busy machine is late at times.
  this.retries(1)
  let stage: Stage
  let places: Place[]

  before(async () => {
    stage = await build()
    places = await everyPage(stage.scene)
  })
  after(async () => {
    await stage?.close()
    await leave()
  })
  afterEach(() => void stage.complaints())

  for (const look of looks) {
    const { locale, scheme, viewport } = look
    it(`is right, in ${locale}, ${scheme}, at ${viewport.width} pixels`, async function () {
      const chosen = places.filter(([, address]) => askedOf(look, address))
      if (!chosen.length) this.skip()
      const found: string[] = []
      await eachOf(chosen, { locale, viewport, colorScheme: scheme, bypassCSP: true }, async (page, who, address) => {
        const asked = askedOf(look, address)!
        const wrong = [...(await violations(page, asked)), ...(asked === 'colours' ? [] : await misplaced(page))]
        found.push(...wrong.map(it => `${who} ${address}: ${it}`))
      })
      expect(found).to.deep.equal([])
    })
  }

  for (const viewport of [desk, phone])
    it(`of the settings is reached by Tab, all of it, at ${viewport.width} pixels`, async function () {
      const chosen = places.filter(
        ([role, address]) =>
          role === 'admin' &&
          address.startsWith('/settings/') &&
          looks.some(it => it.viewport === viewport && askedOf(it, address) === 'everything'),
      )
      if (!chosen.length) this.skip()
      const found: string[] = []
      await eachOf(chosen, { viewport }, async (page, who, address) => {
        const stops = await page.evaluate(() => probes.beginTabbing())
        let left: string[] = []
        for (let at = 0; at < stops + 20; at++) {
          await page.keyboard.press('Tab')
          const seen = await page.evaluate(() => ({ left: probes.tabbed(), trouble: probes.focusTrouble() }))
          if (seen.trouble && seen.trouble !== 'is nowhere') found.push(`${who} ${address}: the focus ${seen.trouble}`)
          left = seen.left
          if (!left.length) break
        }
        if (left.length) found.push(`${who} ${address}: Tab never reaches ${left.join(', ')}`)
      })
      expect(found).to.deep.equal([])
    })

  /** What lies where it should not, is too small to touch, or could not be translated; on the narrowest phone too. */
  async function misplaced(page: Page): Promise<string[]> {
    const size = page.viewportSize()!
    const found = await seenOn(page)
    if (size.width === desk.width) return found
    await page.setViewportSize(narrowest)
    found.push(...(await seenOn(page)).map(it => `on the narrowest phone ${it}`))
    await page.setViewportSize(size)
    return found
  }

  async function seenOn(page: Page): Promise<string[]> {
    const { locale, seen } = await page.evaluate(() => {
      const [side, main] = ['.shell .side', 'main'].map(it => document.querySelector(it)?.getBoundingClientRect())
      const seen = {
        wider: probes.sticksOut(),
        spilt: probes.spills(),
        small: innerWidth < 1_000 ? probes.tooSmall() : [],
        covered: probes.covered(),
        untranslated: probes.untranslated(),
        leftward: Boolean(side?.width && main && side.x < main.x),
      }
      return { locale: navigator.language, seen }
    })
    return [
      ...seen.wider.map(it => `is wider than the screen: ${it}`),
      ...seen.spilt.map(it => `spills out of ${it}`),
      ...seen.small.map(it => `has a small target: ${it}`),
      ...seen.covered.map(it => `ends under the bar: ${it}`),
      ...(locale === 'en-XA' ? seen.untranslated.map(it => `cannot be translated: ${it}`) : []),
      ...(locale === 'ar-XB' && seen.leftward ? ['has its navigation on the left'] : []),
    ]
  }

  /** Each of these as the person whose page it is. */
  async function eachOf(
    chosen: Place[],
    options: Parameters<Stage['visit']>[1],
    look: (page: Page, who: string, address: string) => Promise<void>,
  ) {
    const origin = new URL(stage.homeOf('owner')).origin
    for (const [role, its] of Map.groupBy(chosen, ([who]) => who)) await eachOfOne(role, its, origin, options, look)
  }

  async function eachOfOne(
    role: Role | undefined,
    its: Place[],
    origin: string,
    options: Parameters<Stage['visit']>[1],
    look: (page: Page, who: string, address: string) => Promise<void>,
  ) {
    const page = await stage.visit(role, options)
    for (const [, address, link] of its) {
      if (link) await page.goto(origin + link)
      await page.goto(origin + address)
      await look(page, role ?? 'nobody', address)
    }
    await page.context().close()
  }
})

async function violations(page: Page, asked: Asked): Promise<string[]> {
  if (asked === 'places') return []
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const only = asked === 'colours' ? { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } : tags
  await page.evaluate(axe)
  const { violations: all } = await page.evaluate(
    runOnly => (globalThis as any).axe.run({ runOnly, resultTypes: ['violations'] }),
    only,
  )
  return all.map((it: any) => `${it.id} at ${it.nodes.map((node: any) => node.target).join(', ')}`)
}
