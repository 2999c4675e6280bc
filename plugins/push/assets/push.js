// Turns push notifications on for this browser, and tells the server that it is still used.
{
  const { worker, scope, at } = document.currentScript.dataset
  const card = document.getElementById('push')
  const can = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window
  const send = (path, form) => fetch(at + path, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })

  const registered = async () =>
    (await navigator.serviceWorker.getRegistrations()).find(it => new URL(it.scope).pathname === scope)
  const subscribed = async () => (await registered())?.pushManager.getSubscription()

  /** Once for each session: who signed out, or turned it off elsewhere, is not told here any more. */
  async function renew() {
    if (sessionStorage.getItem('portico.push') === at) return
    const subscription = await subscribed()
    if (!subscription) return
    const { status } = await send('/renewal', { endpoint: subscription.endpoint })
    if (status === 404) await subscription.unsubscribe()
    else if (status === 204) sessionStorage.setItem('portico.push', at)
  }

  // A form may begin another session.
  addEventListener('submit', () => sessionStorage.removeItem('portico.push'))

  // A click on a notification leads no tab away in which somebody has typed or chosen something.
  const isChanged = it =>
    /checkbox|radio/.test(it.type) ? it.checked !== it.defaultChecked : it.value !== it.defaultValue
  const holdsChanges = () => [...document.querySelectorAll('form :is(input, textarea)')].some(isChanged)
  navigator.serviceWorker?.addEventListener('message', ({ data, ports: [port] }) => {
    if (data === 'idle?') port.postMessage(holdsChanges() ? 'changed' : 'idle')
  })

  function say(what) {
    for (const it of card.querySelectorAll('[data-says]')) it.hidden = it.dataset.says !== what
    card.querySelector('[data-on]').hidden = what !== 'off'
  }

  /** Safari on iPhone and iPad gives notifications to apps on the home screen only. An iPad says that it is a Mac. */
  function needsHomeScreen() {
    const isApple =
      /iPhone|iPad/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1)
    return isApple && !navigator.standalone && card.querySelector('[data-says=apple]')
  }

  function state() {
    if (needsHomeScreen()) return say('apple')
    if (!can) return say('unable')
    if (Notification.permission === 'denied') return say('denied')
    say(card.dataset.here ? '' : 'off')
  }

  async function turnOn() {
    if ((await Notification.requestPermission()) !== 'granted') return state()
    const policy = window.trustedTypes?.createPolicy('worker', { createScriptURL: it => it })
    await navigator.serviceWorker.register(policy?.createScriptURL(worker) ?? worker, { scope })
    const registration = await registered()
    await active(registration)
    const old = await registration.pushManager.getSubscription()
    await old?.unsubscribe()
    const applicationServerKey = card.dataset.key
    const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey })
    const { endpoint, keys } = subscription.toJSON()
    await send('/devices', { endpoint, ...keys })
    location.reload()
  }

  const active = registration =>
    registration.active ??
    new Promise(resolve => {
      const it = registration.installing ?? registration.waiting
      it.addEventListener('statechange', () => it.state === 'activated' && resolve())
    })

  if (can && Notification.permission === 'granted') renew().catch(() => undefined)
  if (card) {
    state()
    const button = card.querySelector('[data-on]')
    button.addEventListener('click', async () => {
      button.classList.add('htmx-request')
      await turnOn().catch(() => say('failed'))
      button.classList.remove('htmx-request')
    })
    // What is turned off here is off in the browser, too.
    card.querySelector('[data-off-here]')?.addEventListener('click', () => {
      subscribed().then(it => it?.unsubscribe())
    })
  }
}
