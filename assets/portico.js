// Nothing here is needed: every page and form works without it.

// A list that htmx has changed is told to who does not see it; what "Show more" adds is where the reader goes on.
document.addEventListener('htmx:before:swap', ({ detail: { ctx } }) => {
  if (ctx.sourceElement.rel === 'next') ctx.goOnAt = document.querySelectorAll('#rows > *').length
})
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  if ('goOnAt' in ctx) {
    const rows = document.querySelectorAll('#rows > *')
    remember(rows.length)
    return rows[ctx.goOnAt]?.querySelector('a').focus()
  }
  const [said, list] = [document.getElementById('said'), document.querySelector('[data-said]')]
  if (said && list) said.textContent = list.dataset.said
})

// The page has its scripts already, and the policy lets htmx add none.
document.addEventListener('htmx:after:request', ({ detail: { ctx } }) => {
  ctx.text = ctx.text?.replace(/<script\b[^>]*\ssrc=[^>]*><\/script>/gi, '')
})

/** Going back shows as many rows again, as far as a page holds them. */
function remember(size) {
  const address = new URL(location.href)
  address.searchParams.set('size', String(Math.min(Math.ceil(size / 20) * 20, 100)))
  history.replaceState(history.state, '', address)
}

// What is awaited says so, and what did not get through can be tried again.
const strip = document.getElementById('connection')
let failed
function tell(state) {
  if (!strip) return
  strip.hidden = !state
  strip.dataset.state = state ?? ''
}
document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
  ctx.target?.setAttribute?.('aria-busy', 'true')
})
document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
  ctx.target?.removeAttribute?.('aria-busy')
})
document.addEventListener('htmx:after:request', () => tell(navigator.onLine ? undefined : 'offline'))
document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
  if (ctx?.response || ctx?.sourceElement?.hidden) return
  failed = ctx?.sourceElement
  tell(navigator.onLine ? 'failed' : 'offline')
})
addEventListener('offline', () => tell('offline'))
addEventListener('online', () => tell())
document.querySelector('[data-retry]')?.addEventListener('click', () => {
  if (!failed?.isConnected) return location.reload()
  if (failed.matches('form')) failed.requestSubmit()
  else failed.click()
})

// A form that is on its way says so on its button, and is not sent twice. A file to download leaves the page as it is.
document.addEventListener('submit', ({ target, submitter, defaultPrevented }) => {
  const method = submitter?.getAttribute('formmethod') ?? target.getAttribute('method')
  if (defaultPrevented || !submitter || method !== 'post') return
  submitter.classList.add('htmx-request')
  setTimeout(() => submitter.classList.remove('htmx-request'), 15_000)
})
addEventListener('pageshow', () => {
  for (const it of document.querySelectorAll('button.htmx-request')) it.classList.remove('htmx-request')
})

// An error goes away once its field is changed.
document.addEventListener('input', ({ target }) => {
  if (!target.matches?.('.is-invalid')) return
  target.classList.remove('is-invalid')
  target.removeAttribute('aria-invalid')
  target.closest('.card.wrong')?.classList.remove('wrong')
  for (const id of (target.getAttribute('aria-describedby') ?? '').split(' '))
    if (id.endsWith('-error')) document.getElementById(id)?.remove()
})

// A form that came back leads to what is missing first.
document.querySelector('[aria-invalid="true"], .card.wrong canvas')?.focus()

// A typed signature is shown as it will look.
for (const input of document.querySelectorAll('[data-preview]'))
  input.addEventListener('input', () => {
    document.getElementById(input.dataset.preview).textContent = input.value
  })

// What is copied is told; where the browser keeps the clipboard to itself, the text is selected instead.
document.addEventListener('click', async ({ target }) => {
  const button = target.closest?.('[data-copy]')
  if (!button) return
  const copied = await navigator.clipboard?.writeText(button.dataset.copy).then(
    () => true,
    () => false,
  )
  if (!copied) return getSelection().selectAllChildren(button.previousElementSibling)
  document.getElementById('copied').textContent = `${button.dataset.done} ${button.dataset.copy}`
  button.classList.add('done')
  setTimeout(() => button.classList.remove('done'), 2000)
})

// Files can be dropped and pasted into a form that takes some, and what is too much is said before it is sent.
const attaching = target => target.closest?.('form')?.querySelector('[data-attach] input')
const add = (input, more) => {
  const all = new DataTransfer()
  for (const it of [...input.files, ...more]) all.items.add(it)
  input.files = all.files
  input.dispatchEvent(new Event('input', { bubbles: true }))
}
document.addEventListener('paste', event => {
  const { files, types } = event.clipboardData
  const input = attaching(event.target)
  // What is copied from an office program is text, and a picture of it.
  if (!input || !files.length || types.includes('text/plain')) return
  event.preventDefault()
  add(input, files)
})
for (const kind of ['dragover', 'drop'])
  document.addEventListener(kind, event => {
    const input = attaching(event.target)
    if (!input || event.target === input || !event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    if (kind === 'drop') add(input, event.dataTransfer.files)
  })
document.addEventListener('input', ({ target }) => {
  const { most, limit, unfit } = target.closest?.('[data-attach]')?.dataset ?? {}
  if (!most) return
  const isTooMuch = target.files.length > most || [...target.files].some(it => it.size > limit)
  target.setCustomValidity(isTooMuch ? unfit : '')
  if (isTooMuch) target.reportValidity()
})

// A password can be looked at, and caps lock is said before it is typed in vain.
for (const button of document.querySelectorAll('[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal)
  button.addEventListener('click', () => {
    const shown = input.type === 'password'
    input.type = shown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(shown))
    input.focus()
  })
  input.addEventListener('keyup', event => {
    button.parentElement.querySelector('[data-caps]').hidden = !event.getModifierState?.('CapsLock')
  })
  input.form?.addEventListener('submit', () => {
    input.type = 'password'
  })
}

// A code that is pasted or filled in whole needs no button.
const digits = document.querySelector('input.digits')
digits?.addEventListener('input', () => {
  if (/^\D*(\d\D*){6}$/.test(digits.value)) digits.form.requestSubmit()
})

// How much waits in each section: at once what was counted last, then what is so. It is not counted again within a
// minute, unless a form was sent or the page says that it has changed.
const counted = document.querySelector('[data-waiting]')
if (counted) {
  const { waiting } = counted.dataset
  const show = counts => {
    for (const it of document.querySelectorAll('[data-count]')) {
      const count = counts[it.dataset.count]
      it.hidden = !count
      it.firstElementChild.textContent = count > 99 ? '99+' : count
    }
  }
  const last = JSON.parse(sessionStorage.getItem(waiting)) ?? { at: 0, counts: {} }
  show(last.counts)
  addEventListener('submit', () => sessionStorage.removeItem(waiting))
  const count = headers =>
    fetch(waiting, { headers })
      .then(it => (it.ok ? it.json() : last.counts))
      .then(counts => {
        show(counts)
        sessionStorage.setItem(waiting, JSON.stringify({ at: Date.now(), counts }))
      })
      .catch(() => undefined)
  if (Date.now() - last.at > 60_000) count()
  document.addEventListener('portico:waiting', () => count())
  // The server says that something else waits now: several changes are counted together.
  let timer
  document.addEventListener('portico:counts', () => {
    clearTimeout(timer)
    timer = setTimeout(count, 300 + Math.random() * 700, { 'X-Portico-Refresh': '1' })
  })
  follow(counted.dataset.heard)
}

/** Listens for changes of the counts while the page is visible, unless it listens already to what it shows. */
function follow(address) {
  if (!address || !window.EventSource || document.querySelector('[data-live]')) return
  let source
  let timer
  const rest = () => {
    clearTimeout(timer)
    source?.close()
    source = undefined
  }
  const listen = () => {
    if (source || document.hidden) return
    const changed = () => document.dispatchEvent(new Event('portico:counts'))
    source = Object.assign(new EventSource(address), { onmessage: changed, onopen: changed })
    source.onerror = ({ target }) => {
      if (target.readyState !== EventSource.CLOSED || target !== source) return
      rest()
      timer = setTimeout(listen, 60_000 * (1 + Math.random()))
    }
  }
  const soon = () => {
    clearTimeout(timer)
    if (!source) timer = setTimeout(listen, 5_000)
  }
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(rest, 60_000)
    else soon()
  })
  addEventListener('pagehide', rest)
  addEventListener('pageshow', soon)
}
