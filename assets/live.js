// What others changed is shown without a reload: the server says that something did, and the page asks for its region
// again. What was typed, chosen or opened stays. Without this, a reload shows it.
const holder = document.querySelector('[data-live]')
if (holder && window.EventSource && window.htmx) {
  const { live: address, region } = holder.dataset
  const [own, counts] = [holder.dataset.own, holder.dataset.counts].map(it => it.split(' ').filter(Boolean))
  /** Milliseconds: between two requests at least, until a hidden page stops listening, until a refused one asks again. */
  const pause = { fetch: 1_000, hidden: 60_000, first: 3_000, most: 300_000 }
  let source
  let opened = false
  let retry = pause.first
  let retrying
  let hiding
  let due
  let last = 0
  let underWay = 0
  let sentAt = -Infinity
  let swapping = false

  const spread = time => time * (0.5 + Math.random())

  function listen() {
    clearTimeout(retrying)
    if (source || document.hidden) return
    source = new EventSource(address)
    source.onmessage = ({ data }) => {
      if (own.includes(data)) want(0)
      if (counts.includes(data)) document.dispatchEvent(new Event('portico:counts'))
    }
    source.addEventListener('typing', ({ data }) =>
      document.dispatchEvent(new CustomEvent('portico:signal', { detail: JSON.parse(data) })),
    )
    source.onopen = () => {
      retry = pause.first
      // Whatever happened while nobody listened.
      if (opened) want(spread(1_000))
      document.dispatchEvent(new Event('portico:counts'))
      opened = true
    }
    source.onerror = ({ target }) => {
      if (target.readyState !== EventSource.CLOSED || target !== source) return
      rest()
      retrying = setTimeout(listen, spread(retry))
      retry = Math.min(retry * 2, pause.most)
    }
  }

  function rest() {
    clearTimeout(retrying)
    source?.close()
    source = undefined
  }

  function want(after) {
    if (!due) due = setTimeout(refresh, Math.max(after, last + pause.fetch - Date.now(), 0))
  }

  function refresh() {
    due = undefined
    const target = document.querySelector(region)
    // A list of which more was shown than one answer has would lose its end.
    if (!target || target.querySelectorAll('#rows > *').length > 100) return
    if (underWay || Date.now() - sentAt < 15_000) return want(pause.fetch)
    last = Date.now()
    htmx.ajax('GET', location.pathname + location.search, {
      source: holder,
      target,
      select: region,
      swap: 'outerMorph ignoreTitle:true',
      headers: { 'X-Portico-Refresh': '1' },
    })
  }

  /** Whether somebody entered something, so that it is not as the page came. */
  function isEdited(field) {
    if (field instanceof HTMLSelectElement) {
      const options = [...field.options]
      const chosen = options.some(it => it.defaultSelected)
        ? options.filter(it => it.defaultSelected)
        : options.slice(0, 1)
      return options.some(it => it.selected !== chosen.includes(it))
    }
    if (field.type === 'file') return field.files.length > 0
    if (field.type === 'checkbox' || field.type === 'radio') return field.checked !== field.defaultChecked
    return field.value !== field.defaultValue
  }

  const isField = it => it.matches('input, textarea, select')
  const isUploading = it => it.matches('form[data-uploads]') && it.querySelector('[data-list]')?.children.length > 0
  /** What a form that somebody fills in is about: its version stays too, or a change by others would be overwritten. */
  const isOfEdited = it =>
    it.type === 'hidden' && [...(it.form?.elements ?? [])].some(one => isField(one) && isEdited(one))
  /** As it is, whatever the server says. */
  const isKept = it => (isField(it) && (isEdited(it) || isOfEdited(it))) || it.matches('canvas') || isUploading(it)

  /** Whether all that somebody is at work on has its place in the new region, by its id. */
  function hasPlace(fresh) {
    const target = document.querySelector(region)
    const inUse = [...target.querySelectorAll('input, textarea, select')].filter(
      it => it.type !== 'hidden' && (it === document.activeElement || isEdited(it)),
    )
    const uploads = [...target.querySelectorAll('form[data-uploads]')].filter(isUploading)
    return [...inUse, ...uploads].every(
      it => it.id && fresh.querySelector(`[id="${CSS.escape(it.id)}"]`)?.tagName === it.tagName,
    )
  }

  /** What waits for staff, in the menu, which is no part of the region. */
  function showWaiting(counts) {
    if (!counts) return
    for (const [name, count] of Object.entries(JSON.parse(counts)))
      for (const it of document.querySelectorAll(`nav [data-count="${CSS.escape(name)}"]`)) {
        it.hidden = !count
        it.firstElementChild.textContent = count > 99 ? '99+' : count
      }
  }

  htmx.registerExtension('portico-live', {
    htmx_before_morph_node: (_elt, { oldNode }) => !(swapping && oldNode instanceof Element && isKept(oldNode)),
    htmx_before_morph_attr: (elt, { attrName }) => !(swapping && attrName === 'open' && elt.matches('details, dialog')),
  })

  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== holder) underWay++
  })
  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== holder) underWay = Math.max(0, underWay - 1)
  })
  document.addEventListener('submit', ({ target, submitter }) => {
    const method = submitter?.getAttribute('formmethod') ?? target.getAttribute('method')
    if (method === 'post') sentAt = Date.now()
  })
  document.addEventListener('htmx:after:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== holder) return
    showWaiting(ctx.response?.headers.get('X-Portico-Waiting'))
  })
  document.addEventListener('htmx:before:swap', event => {
    const { ctx, tasks } = event.detail
    if (ctx.sourceElement !== holder) return
    const fresh = tasks.find(it => it.type === 'main')?.fragment
    // Somebody signed out, or this is not there any more: what is shown stays.
    if (ctx.response.status !== 200 || fresh?.childElementCount !== 1) return event.preventDefault()
    const fits = hasPlace(fresh)
    holder.hidden = fits
    if (!fits) return event.preventDefault()
    swapping = true
  })
  document.addEventListener('htmx:finally:swap', ({ detail: { ctx } }) => {
    if (ctx.sourceElement === holder) swapping = false
  })

  // Something of this page itself knows that there is more to show.
  document.addEventListener('portico:changed', () => want(0))

  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding)
    if (document.hidden) hiding = setTimeout(rest, pause.hidden)
    else listen()
  })
  addEventListener('pagehide', rest)
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) sentAt = -Infinity
    listen()
  })
  listen()
}
