// Messages are sent, read and drafted without a reload. Without this, forms and reloads do the same.
let form = document.querySelector('form[data-compose]')
const starting = document.querySelector('form[data-draft]')
/** Milliseconds: after the last key until a draft is kept, and between two signs of typing. */
const pause = { draft: 800, typing: 3_000, typed: 5_000 }

const identity = () => {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return [...bytes].map((it, at) => ([4, 6, 8, 10].includes(at) ? '-' : '') + it.toString(16).padStart(2, '0')).join('')
}

/** As a fragment: the server answers with nothing where it is stored, and with 401 where nobody is signed in. */
const send = (address, body, more = {}) =>
  fetch(address, { method: 'POST', body, headers: { 'HX-Request-Type': 'partial' }, ...more })

const fields = (of, ...names) => {
  const all = new FormData(of)
  const some = new URLSearchParams()
  for (const [name, value] of all) if (typeof value === 'string' && !names.includes(name)) some.append(name, value)
  return some
}

/** Keeps what is being written, a moment after the last key; for whichever device one goes on with. */
function keepDraft(current, address) {
  let timer
  let kept = fields(current(), 'id').toString()
  const keep = () => {
    clearTimeout(timer)
    const now = fields(current(), 'id')
    if (now.toString() === kept) return
    kept = now.toString()
    send(address, now, { keepalive: true }).catch(() => {
      kept = undefined
    })
  }
  document.addEventListener('input', ({ target }) => {
    if (target.form !== current()) return
    clearTimeout(timer)
    timer = setTimeout(keep, pause.draft)
  })
  addEventListener('pagehide', keep)
  return {
    forget() {
      clearTimeout(timer)
      kept = fields(current(), 'id').toString()
    },
  }
}

if (starting?.dataset.draft && !('quiet' in starting.dataset)) {
  const draft = keepDraft(() => starting, starting.dataset.draft)
  starting.addEventListener('submit', () => draft.forget())
}

if (form) {
  const { base, by, failed, again, sending } = form.dataset
  const quiet = 'quiet' in form.dataset
  let text
  let files
  let note
  /** A refreshed page may have another form in the place of this one. */
  function find() {
    form = document.querySelector('form[data-compose]') ?? form
    text = form.querySelector('textarea')
    files = form.querySelector('input[type="file"]')
    note = document.getElementById('note')
  }
  find()
  document.addEventListener('htmx:after:swap', find)
  const draft = quiet ? undefined : keepDraft(() => form, `${base}/draft`)
  /** Messages that are on their way, or did not get through, in their order. */
  const outgoing = []
  /** Those that are stored, until the page has them from the server. */
  let arrived = []
  const key = `portico.outgoing.${by}.${base}`

  const talk = () => document.getElementById('talk')
  const refresh = () => document.dispatchEvent(new Event('portico:changed'))

  const grow = () => {
    if (CSS.supports('field-sizing', 'content')) return
    text.style.height = 'auto'
    text.style.height = `${Math.min(text.scrollHeight + 2, 160)}px`
  }
  document.addEventListener('input', ({ target }) => target === text && grow())

  /** Files cannot be kept over a reload; texts are, in this tab. */
  function keepOutgoing() {
    const texts = outgoing
      .filter(it => it.text && !it.files.length)
      .map(({ id, text, note, typed }) => ({ id, text, note, typed }))
    if (texts.length) sessionStorage.setItem(key, JSON.stringify(texts))
    else sessionStorage.removeItem(key)
  }

  function show() {
    for (const it of document.querySelectorAll('[data-outgoing]')) it.remove()
    arrived = arrived.filter(it => !document.getElementById(`m-${it.id}`))
    for (const it of [...arrived, ...outgoing]) {
      const row = document.createElement('li')
      row.dataset.outgoing = it.id
      row.className = `mine ${it.failed ? 'failed' : it.stored ? '' : 'sending'}${it.note ? ' internal' : ''}`
      const said = document.createElement('div')
      said.className = 'said'
      const words = document.createElement('p')
      words.className = 'as-typed'
      words.textContent = [it.text, ...it.files.map(({ name }) => name)].filter(Boolean).join('\n')
      said.append(words)
      const state = document.createElement('small')
      state.className = it.failed ? 'late' : 'soft'
      state.textContent = it.failed ? `${failed} ` : it.stored ? '' : sending
      if (it.failed) {
        const button = document.createElement('button')
        button.type = 'button'
        button.className = 'btn btn-sm btn-ghost'
        button.textContent = again
        button.addEventListener('click', () => {
          sendAgain()
        })
        state.append(button)
      }
      row.append(said, state)
      talk()?.append(row)
    }
  }

  /** All of them, since what was written later waits for what was written before. */
  function sendAgain() {
    for (const it of outgoing) it.failed = false
    show()
    flush()
  }

  let underWay = false
  /** One after the other, so that they arrive in their order; each has an id, so that it is stored once. */
  async function flush() {
    if (underWay) return
    underWay = true
    for (let it = outgoing[0]; it && !it.failed; it = outgoing[0]) {
      const body = new FormData()
      for (const [name, value] of it.hidden) body.append(name, value)
      body.set('id', it.id)
      body.set('text', it.text)
      if (it.note) body.set('note', 'on')
      for (const one of it.files) body.append('files', one)
      const encoded = files ? body : new URLSearchParams(body)
      const answer = await send(form.action, encoded).catch(() => undefined)
      if (answer?.status === 204) {
        outgoing.shift()
        it.stored = true
        arrived.push(it)
        if (!outgoing.length) refresh()
      } else if (answer?.status === 401 || answer?.redirected) {
        // Nobody is signed in any more: what was typed is in the field again after that.
        return signInAgain()
      } else if (answer && answer.status < 500) {
        // The server has something to say: the form itself is sent, and the page that comes back says it.
        outgoing.shift()
        keepOutgoing()
        return submitItself(it)
      } else for (const one of outgoing) one.failed = true
      keepOutgoing()
      show()
    }
    underWay = false
  }

  function signInAgain() {
    for (const it of outgoing) Object.assign(it, { typed: true, files: [] })
    keepOutgoing()
    location.reload()
  }

  /** Into the field, after what is in it. */
  function typeAgain({ id, text: words, note: isNote }) {
    if (!text.value) form.elements.namedItem('id').value = id
    if (text.value.includes(words)) return
    text.value = [text.value, words].filter(Boolean).join('\n\n')
    if (note) note.checked = isNote
    text.dispatchEvent(new Event('input', { bubbles: true }))
  }

  function submitItself(it) {
    form.elements.namedItem('id').value = it.id
    text.value = it.text
    if (note) note.checked = it.note
    if (files && it.files.length) {
      const all = new DataTransfer()
      for (const one of it.files) all.items.add(one)
      files.files = all.files
    }
    draft?.forget()
    form.submit()
  }

  document.addEventListener(
    'submit',
    event => {
      if (event.target !== form) return
      const chosen = files ? [...files.files] : []
      if (!text.value.trim() && !chosen.length) {
        event.preventDefault()
        return text.focus()
      }
      if (!form.checkValidity()) return
      event.preventDefault()
      event.stopImmediatePropagation()
      const id = form.elements.namedItem('id')
      const names = ['id', 'text', 'files', 'note']
      const hidden = [...new FormData(form)].filter(([name]) => !names.includes(name))
      outgoing.push({
        id: id.value,
        text: text.value,
        files: chosen,
        note: Boolean(note?.checked),
        hidden,
        failed: false,
      })
      id.value = identity()
      text.value = ''
      text.defaultValue = ''
      if (files) files.value = ''
      showFiles()
      text.classList.remove('is-invalid')
      document.getElementById('say-error')?.remove()
      grow()
      draft?.forget()
      keepOutgoing()
      sendAgain()
      document.querySelector('.thread > .scroll')?.scrollTo({ top: 0 })
      text.focus()
    },
    true,
  )
  document.addEventListener('keydown', event => {
    if (event.target !== text || event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })

  // What did not get through before a reload is still there, and is tried again when there is a line.
  try {
    const hidden = [...new FormData(form)].filter(([name]) => name.startsWith('_') || name.startsWith('kept.'))
    for (const it of JSON.parse(sessionStorage.getItem(key) ?? '[]'))
      if (it.typed) typeAgain(it)
      else outgoing.push({ ...it, files: [], hidden, failed: true })
    keepOutgoing()
    if (outgoing.length) show()
  } catch {
    sessionStorage.removeItem(key)
  }
  addEventListener('online', sendAgain)

  /** Which files are chosen, below the field. */
  function showFiles() {
    const at = document.getElementById('attached')
    if (at) at.textContent = files ? [...files.files].map(it => it.name).join(', ') : ''
  }
  document.addEventListener('input', ({ target }) => target === files && showFiles())

  // Others see that somebody is writing, unless it is a note.
  let typedAt = 0
  document.addEventListener('input', ({ target }) => {
    if (target !== text || quiet || !text.value || note?.checked || Date.now() - typedAt < pause.typing) return
    typedAt = Date.now()
    send(`${base}/typing`, fields(form, 'id', 'text')).catch(() => undefined)
  })
  let typing
  document.addEventListener('portico:signal', ({ detail }) => {
    const at = document.getElementById('typing')
    if (!at || !location.pathname.endsWith(`/${detail.of.split('/').at(-1)}`)) return
    at.lastElementChild.textContent = at.dataset.typing.replace('{name}', detail.name.split(/\s+/)[0])
    at.hidden = false
    clearTimeout(typing)
    typing = setTimeout(() => {
      at.hidden = true
    }, pause.typed)
  })

  // What is on the screen has been read.
  let read = 0
  function markRead() {
    const { seq, read: before } = talk()?.dataset ?? {}
    if (quiet || document.hidden || !document.hasFocus() || Number(seq) <= Math.max(Number(before), read)) return
    read = Number(seq)
    const body = fields(form, 'id', 'text')
    body.set('seq', seq)
    send(`${base}/read`, body)
      .then(() => document.dispatchEvent(new Event('portico:waiting')))
      .catch(() => {
        read = 0
      })
  }
  markRead()
  addEventListener('focus', markRead)
  document.addEventListener('visibilitychange', markRead)
  let newest = talk()?.dataset.seq
  document.addEventListener('htmx:after:swap', () => {
    show()
    const { seq } = talk()?.dataset ?? {}
    if (seq !== newest) document.getElementById('typing')?.setAttribute('hidden', '')
    newest = seq
    markRead()
  })

  // A quick reply is put where the cursor is.
  document.addEventListener('click', event => {
    const link = event.target.closest?.('[data-reply]')
    if (!link) return
    event.preventDefault()
    link.closest('details').open = false
    text.focus()
    text.setRangeText(link.dataset.reply, text.selectionStart, text.selectionEnd, 'end')
    text.dispatchEvent(new Event('input', { bubbles: true }))
  })
}
