// Shows notifications, and opens their page. It keeps nothing, and answers no request of a page.
// The server writes above what it shows for a message that cannot be read: { title, sentences }.

// Pages that were open before can be led to another page, too.
addEventListener('activate', event => event.waitUntil(clients.claim()))

addEventListener('push', event => {
  const { title, body, tag, url, lang, dir } = messageIn(event.data) ?? unreadable()
  const options = { body, tag, lang, dir, renotify: true, data: { url } }
  event.waitUntil(registration.showNotification(title, options))
})

function messageIn(data) {
  try {
    const message = data.json()
    return typeof message.title === 'string' && message.title ? message : undefined
  } catch {
    return undefined
  }
}

/** A browser that shows nothing after a message may take the permission away. */
function unreadable() {
  const { title, sentences } = generic
  const lang = navigator.language.slice(0, 2) in sentences ? navigator.language.slice(0, 2) : 'en'
  return { title, body: sentences[lang], tag: 'unreadable', url: `${registration.scope}notifications`, lang }
}

addEventListener('notificationclick', event => {
  event.notification.close()
  event.waitUntil(open(event.notification.data?.url))
})

/**
 * A page of this portal, in a tab that shows it already or another one of the portal. A click allows to focus or to open
 * once, and only pages that this worker controls can be led elsewhere: others are left as they are.
 */
async function open(address) {
  const page = pageOf(address)
  const tabs = await clients.matchAll({ type: 'window' })
  const same = tabs.find(it => it.url === page)
  const tab = await idleOf(same ? [same] : tabs)
  if (!tab) return same ? same.focus() : clients.openWindow(page)
  await tab.focus()
  return tab.navigate(page)
}

/** The first of these tabs in which nothing waits to be sent. One that does not answer may hold something. */
async function idleOf(tabs) {
  const answers = await Promise.all(tabs.map(isIdle))
  return tabs.find((_, at) => answers[at])
}

const isIdle = tab =>
  new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => resolve(data === 'idle')
    setTimeout(resolve, 1_000, false)
    tab.postMessage('idle?', [port2])
  })

/** Its address, or where the portal begins for what lies elsewhere. Safari before 18 has no URL.parse. */
function pageOf(address) {
  try {
    const { href } = new URL(typeof address === 'string' ? address : '', registration.scope)
    return href.startsWith(registration.scope) ? href : registration.scope
  } catch {
    return registration.scope
  }
}

// A browser that changes its own address at the push service says so.
addEventListener('pushsubscriptionchange', event => {
  if (!event.oldSubscription) return
  const again = async () => {
    const { applicationServerKey, userVisibleOnly } = event.oldSubscription.options
    const subscription =
      event.newSubscription ??
      (await registration.pushManager.subscribe({ applicationServerKey, userVisibleOnly: userVisibleOnly ?? true }))
    const { endpoint, keys } = subscription.toJSON()
    const body = new URLSearchParams({ endpoint, ...keys, replaces: event.oldSubscription.endpoint })
    await fetch(`${registration.scope}push/devices`, { method: 'POST', body, redirect: 'manual' })
  }
  event.waitUntil(again())
})
