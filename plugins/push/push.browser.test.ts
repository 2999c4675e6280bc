import { expect } from 'chai'
import type { Page, Worker } from 'playwright-core'
import { desk, stageForEach } from '../../test/pages/browsing.ts'
import { until } from '../../test/until.ts'

describe('push notifications in a real browser', function () {
  const stage = stageForEach(this)

  const settings = () => `${stage.homeOf('owner')}/notifications/settings`

  it('are turned on by a button, shown by the service worker, and lead to their page', async () => {
    const page = await stage.visit('owner', { viewport: desk })
    await page.addInitScript(fakeSubscription)
    await page.goto(settings())
    await page.getByRole('button', { name: 'Turn on for this device' }).click()
    await page.getByText('· this device').waitFor()
    expect(await stage.scene.owner('portal.client_push_devices')).to.have.length(1)
    expect(stage.complaints()).to.deep.equal([])

    const worker = await workerOf(page)
    const message = { title: 'Brightside', body: 'Marta shared Plan.pdf', tag: 'one', url: '/portal/brightside/tasks' }
    await worker.push(message)
    const { url, ...words } = message
    expect((await worker.shown(1))[0]).to.deep.include({ ...words, data: { url } })
    expect(await page.evaluate(async () => (await caches.keys()).length)).to.equal(0)

    await page.getByRole('button', { name: /^Hide the content/ }).click()
    await page.getByRole('button', { name: /^Show the content/ }).waitFor()
    await page.getByRole('button', { name: /^Turn off/ }).click()
    await page.getByRole('button', { name: 'Turn on for this device' }).waitFor()
    expect(await stage.scene.owner('portal.client_push_devices')).to.have.length(0)
  })

  it('say what to do where the browser refuses, or cannot show any', async () => {
    const page = await stage.visit('owner', { viewport: desk })
    await page.addInitScript(() => Object.defineProperty(Notification, 'permission', { get: () => 'denied' }))
    await page.goto(settings())
    await page.getByText('Your browser blocks notifications of this portal.').waitFor()
    expect(await page.getByRole('button', { name: 'Turn on for this device' }).isVisible()).to.equal(false)

    expect(stage.complaints()).to.deep.equal([])
  })

  it('tell people with an iPhone or iPad to add the portal to their home screen first', async () => {
    const first = 'Add this portal to your home screen first: Share, then Add to Home Screen.'
    const turnOn = { name: 'Turn on for this device' }
    for (const options of [iphone, ipad]) {
      const apple = await stage.visit('owner', options)
      // Safari has these in apps on the home screen only.
      await apple.addInitScript(() => {
        for (const it of ['PushManager', 'Notification']) Reflect.deleteProperty(globalThis, it)
        Object.defineProperty(navigator, 'maxTouchPoints', { get: () => 5 })
      })
      await apple.goto(settings())
      await apple.getByText(first).waitFor()
      expect(await apple.getByRole('button', turnOn).isVisible()).to.equal(false)
      await apple.context().close()
    }

    const added = await stage.visit('owner', iphone)
    await added.addInitScript(() => Object.defineProperty(navigator, 'standalone', { get: () => true }))
    await added.addInitScript(fakeSubscription)
    await added.goto(settings())
    await added.getByRole('button', turnOn).waitFor()
    expect(await added.getByText(first).isVisible()).to.equal(false)

    const old = await stage.visit('owner', iphone)
    await old.addInitScript(() => {
      Object.defineProperty(navigator, 'standalone', { get: () => true })
      Reflect.deleteProperty(globalThis, 'PushManager')
    })
    await old.goto(settings())
    await old.getByText('This browser can’t show push notifications.').waitFor()
    expect(stage.complaints()).to.deep.equal([])
  })
})

const iphone = { userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1' }
const ipad = { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15' }

describe('a click on a push notification, in a real service worker', function () {
  const stage = stageForEach(this)

  const home = () => stage.homeOf('owner')

  /** A page, and the service worker that the portal registers on it; only pages that load later are controlled by it. */
  async function begin() {
    const page = await stage.visit('owner', { viewport: desk })
    await page.goto(`${home()}/notifications/settings`)
    const registered = page.context().waitForEvent('serviceworker')
    await page.evaluate(register)
    const worker = await registered
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
    return { page, worker }
  }

  it('goes to its page in the tab that is open, and closes it', async () => {
    const { page, worker } = await begin()
    await page.goto(`${home()}/invoices`)
    const done = await click(worker, `${home()}/tasks?client=1`)
    await page.waitForURL('**/tasks?client=1')
    expect(done).to.deep.equal({ closed: true, focused: [`${home()}/invoices`], opened: [], error: '' })

    const same = await click(worker, '/portal/brightside/documents')
    await page.waitForURL('**/documents')
    expect(same.focused).to.have.length(1)
    expect(page.context().pages()).to.have.length(1)
    expect(stage.complaints()).to.deep.equal([])
  })

  it('takes the tab that shows its page already, of several', async () => {
    const { page, worker } = await begin()
    await page.goto(`${home()}/invoices`)
    const other = await page.context().newPage()
    await other.goto(`${home()}/tasks`)
    await (await page.context().newPage()).goto(`${home()}/documents`)
    expect((await click(worker, `${home()}/tasks`)).focused).to.deep.equal([`${home()}/tasks`])
    expect(page.url()).to.equal(`${home()}/invoices`)
  })

  it('goes there in tabs that were open before notifications were turned on', async () => {
    const { page, worker } = await begin()
    const done = await click(worker, `${home()}/tasks`)
    await page.waitForURL('**/tasks')
    expect(done).to.deep.include({ focused: [`${home()}/notifications/settings`], opened: [], error: '' })
  })

  it('opens its page where no tab of the portal is open, or none that it can lead', async () => {
    const { page, worker } = await begin()
    await page.goto('about:blank')
    const opened = [`${home()}/tasks`]
    expect(await click(worker, opened[0])).to.deep.equal({ closed: true, focused: [], opened, error: '' })

    // A page that was reloaded past the worker is not controlled by it.
    await page.goto(`${home()}/invoices`)
    const session = await page.context().newCDPSession(page)
    await Promise.all([page.waitForEvent('load'), session.send('Page.reload', { ignoreCache: true })])
    expect(await page.evaluate(() => navigator.serviceWorker.controller)).to.equal(null)
    expect(await click(worker, opened[0])).to.deep.equal({ closed: true, focused: [], opened, error: '' })
    expect(page.url()).to.equal(`${home()}/invoices`)
  })

  it('leads no tab away in which something was typed', async () => {
    const { page, worker } = await begin()
    await page.goto(`${home()}/messages/new`)
    const text = page.locator('textarea').first()
    await text.fill('Not sent yet')
    const opened = [`${home()}/tasks`]
    expect(await click(worker, opened[0])).to.deep.equal({ closed: true, focused: [], opened, error: '' })
    expect((await click(worker, page.url())).focused).to.deep.equal([page.url()])
    expect(await text.inputValue()).to.equal('Not sent yet')

    const other = await page.context().newPage()
    await other.goto(`${home()}/invoices`)
    expect((await click(worker, opened[0])).focused).to.deep.equal([`${home()}/invoices`])
    await other.waitForURL('**/tasks')
    expect(await text.inputValue()).to.equal('Not sent yet')
  })

  it('leads to no other place than the portal of this workspace', async () => {
    const { page, worker } = await begin()
    await page.goto('about:blank')
    for (const url of [
      ...['https://elsewhere.example/', '//elsewhere.example/portal/brightside/', 'javascript:alert(1)', 'http://['],
      ...['/portal/harbor/invoices', '/portal/brightside/../harbor', '/portal/brightside/%2e%2e/harbor', '/login'],
      ...['/portal/brightside-2/', '', undefined, null, 42, {}],
    ])
      expect((await click(worker, url)).opened, String(url)).to.deep.equal([`${home()}/`])
  })

  it('works in browsers that lack URL.parse, such as Safari on iOS 17', async () => {
    const { page, worker } = await begin()
    await page.goto('about:blank')
    await worker.evaluate(() => Reflect.deleteProperty(URL, 'parse'))
    expect((await click(worker, `${home()}/tasks`)).opened).to.deep.equal([`${home()}/tasks`])
  })

  it('leads to the notifications after a message that said nothing, or nothing readable', async () => {
    const page = await stage.visit('owner', { viewport: desk, locale: 'es-ES' })
    await page.goto(`${home()}/notifications/settings`)
    const registered = page.context().waitForEvent('serviceworker')
    await page.evaluate(register)
    const worker = await registered
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
    const it = await workerOf(page)
    const broken = ['', 'not JSON', 'null', '[]', '"text"', '{}', '{"title":7}']
    for (const data of broken) await it.push(data)
    const shown = await it.shown(broken.length)
    for (const [at, one] of shown.entries())
      expect(one, broken[at]).to.include({ title: 'Brightside Agency', body: 'Tiene una notificación nueva.' })
    await page.goto('about:blank')
    expect((await click(worker, shown[0]!.data.url)).opened).to.deep.equal([`${home()}/notifications`])
  })
})

/** As push.js does when somebody turns them on. */
async function register() {
  const { worker, scope } = document.querySelector<HTMLElement>('script[data-worker]')!.dataset
  const { trustedTypes } = globalThis as unknown as { trustedTypes: any }
  const policy = trustedTypes.createPolicy('worker', { createScriptURL: (it: string) => it })
  await navigator.serviceWorker.register(policy.createScriptURL(worker!), { scope: scope! })
}

/**
 * Clicks on a notification. A headless Chromium shows none and takes no clicks, so the event, the notification, `focus` and
 * `openWindow` are stand-ins; the worker, its windows and where they go are real. As in Chromium, a click allows one of
 * `focus` and `openWindow`, once.
 */
const click = (worker: Worker, url: unknown) =>
  worker.evaluate(async (url: unknown) => {
    const { clients, WindowClient } = globalThis as unknown as { clients: object; WindowClient: { prototype: object } }
    const done = { closed: false, focused: [] as string[], opened: [] as string[], error: '' }
    let isAllowed = true
    const use = () => {
      if (!isAllowed) throw new DOMException('Not allowed', 'InvalidAccessError')
      isAllowed = false
    }
    Object.assign(WindowClient.prototype, {
      async focus(this: { url: string }) {
        use()
        done.focused.push(this.url)
        return this
      },
    })
    Object.assign(clients, {
      async openWindow(address: string) {
        use()
        done.opened.push(address)
        return null
      },
    })
    const event = new Event('notificationclick')
    const waiting: Promise<unknown>[] = []
    const close = () => {
      done.closed = true
    }
    Object.assign(event, {
      notification: { data: { url }, close },
      waitUntil: (it: Promise<unknown>) => waiting.push(it),
    })
    dispatchEvent(event)
    await Promise.all(waiting).catch(error => {
      done.error = String(error)
    })
    return done
  }, url)

/** Answers as a browser with a push service does, to somebody who allows notifications: a headless Chromium has neither. */
function fakeSubscription() {
  Object.defineProperty(Notification, 'permission', { get: () => sessionStorage.getItem('asked') ?? 'default' })
  Notification.requestPermission = async () => {
    sessionStorage.setItem('asked', 'granted')
    return 'granted'
  }
  const keys = { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) }
  const subscription = {
    endpoint: 'https://push.example/1',
    toJSON: () => ({ endpoint: 'https://push.example/1', keys }),
    unsubscribe: async () => sessionStorage.removeItem('subscribed'),
  }
  Object.assign(PushManager.prototype, {
    async subscribe({ applicationServerKey }: { applicationServerKey: string }) {
      if (applicationServerKey.length !== 87) throw new Error('not a key')
      sessionStorage.setItem('subscribed', '1')
      return subscription
    },
    getSubscription: async () => (sessionStorage.getItem('subscribed') ? subscription : null),
  })
}

/** Delivers messages to the service worker of a page, as its push service would (Chrome DevTools Protocol). */
async function workerOf(page: Page) {
  const [worker] = page.context().serviceWorkers()
  // A headless Chromium shows no notifications: what the worker would show is kept instead.
  await worker!.evaluate(() => {
    const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration }
    const shown: object[] = []
    registration.showNotification = async (title, options) => void shown.push({ title, ...options })
    Object.assign(globalThis, { shown })
  })
  const session = await page.context().newCDPSession(page)
  const registered = new Promise<string>(resolve => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [one] = registrations
      if (one) resolve(one.registrationId)
    })
  })
  await session.send('ServiceWorker.enable')
  const registrationId = await registered
  return {
    push: (data: object | string) =>
      session.send('ServiceWorker.deliverPushMessage', {
        ...{
          origin: new URL(page.url()).origin,
          registrationId,
          data: typeof data === 'string' ? data : JSON.stringify(data),
        },
      }),
    /** So many of them, as soon as they are there. */
    shown: (count: number) =>
      until(async () => {
        const all = await worker!.evaluate(() => (globalThis as unknown as { shown: Shown[] }).shown)
        return all.length === count ? all : undefined
      }, 10),
  }
}

interface Shown extends NotificationOptions {
  title: string
  data: { url: string }
}
