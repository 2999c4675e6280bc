// Uploads that show their progress, and go on after a lost connection or a closed tab. Without this the forms send files.
const row = document.querySelector('template[data-upload-row]')
if (row && window.tus) {
  const words = JSON.parse(document.querySelector('[data-upload-words]').textContent)
  const locale = document.documentElement.lang
  /** All files of this page, of whichever form. */
  const all = new Set()

  const unit = (value, name) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, maximumFractionDigits: 1 }).format(value)
  const size = bytes =>
    bytes < 1e6
      ? unit(Math.ceil(bytes / 1e3), 'kilobyte')
      : bytes < 1e9
        ? unit(bytes / 1e6, 'megabyte')
        : unit(bytes / 1e9, 'gigabyte')
  const fill = (sentence, facts) => sentence.replace(/\{(\w+)\}/g, (_, name) => facts[name] ?? '')

  const summary = form => {
    const its = [...all].filter(it => it.form === form)
    const of = state => its.filter(it => it.state === state).length
    const sent = of('sent')
    const refused = of('failed')
    const said = form.querySelector('[data-said]')
    if (said) said.textContent = fill(refused ? words.someRefused : words.sentSoFar, { sent, all: its.length, refused })
    for (const it of form.querySelectorAll('[data-when]')) it.hidden = (it.dataset.when === 'some') !== its.length > 0
  }

  /** As the browser offers files to choose; what was dropped or pasted it does not look at. The server decides. */
  const isAccepted = ({ accept }, { name, type }) =>
    !accept ||
    accept
      .split(',')
      .some(it => (it.endsWith('/*') ? type.startsWith(it.slice(0, -1)) : name.toLowerCase().endsWith(it)))

  /** A page that shows what has arrived is shown again when all has, unless there is something to read or to do. */
  const refresh = () => {
    const sent = [...all].filter(it => it.state === 'sent').length
    if (!document.querySelector('[data-live]') || !sent || sent < all.size) return
    for (const it of document.querySelectorAll('form[data-uploads] [data-list]')) it.replaceChildren()
    all.clear()
    document.dispatchEvent(new Event('portico:changed'))
  }

  /** One file with its row: what it says, its progress, and what can be done. */
  const add = (form, file) => {
    const { uploads: endpoint, limit } = form.dataset
    const shown = row.content.cloneNode(true).firstElementChild
    const part = name => shown.querySelector(`[data-${name}]`)
    const item = { state: 'waiting', form }
    part('name').textContent = file.name
    for (const it of shown.querySelectorAll('[aria-label]'))
      it.setAttribute('aria-label', fill(it.getAttribute('aria-label'), { name: file.name }))
    all.add(item)
    const list = form.querySelector('[data-list]')
    list.append(shown)
    list.closest('[hidden]')?.removeAttribute('hidden')

    const show = (state, sentence, tone = 'soft') => {
      item.state = state
      part('about').textContent = sentence
      part('about').className = `d-block small ${tone}`
      part('meter').hidden = !['sending', 'paused'].includes(state)
      part('pause').hidden = state !== 'sending'
      part('resume').hidden = !['paused', 'failed'].includes(state) || item.final
      part('remove').hidden = state === 'sent'
      summary(form)
    }
    const upload = new window.tus.Upload(file, {
      endpoint,
      chunkSize: 2_000_000,
      retryDelays: [0, 1_000, 3_000, 5_000, 10_000],
      removeFingerprintOnSuccess: true,
      metadata: { filename: file.name, folder: form.elements.folder?.value ?? '' },
      onShouldRetry: error => {
        const status = error.originalResponse?.getStatus() ?? 0
        return status === 0 || status === 409 || status === 423 || (status >= 500 && status !== 507)
      },
      onProgress: (done, total) => {
        part('progress').value = total ? done / total : 0
        show('sending', fill(words.sending, { done: size(done), total: size(total) }))
      },
      onSuccess: () => {
        show('sent', fill(words.sent, { size: size(file.size) }), 'text-success')
        refresh()
      },
      onError: error => {
        const response = error.originalResponse
        const status = response?.getStatus() ?? 0
        if (status === 401) return location.reload()
        item.final = status >= 400 && status < 500 && status !== 423
        const said = item.final || status === 507
        show('failed', (said && response.getBody()?.trim()) || words.lost, 'late')
      },
    })
    const start = () =>
      upload.findPreviousUploads().then(earlier => {
        if (earlier.length) upload.resumeFromPreviousUpload(earlier[0])
        show('sending', words.starting)
        upload.start()
      })
    part('pause').addEventListener('click', () => upload.abort().then(() => show('paused', words.paused)))
    part('resume').addEventListener('click', start)
    part('remove').addEventListener('click', () => {
      upload.abort(true).catch(() => undefined)
      all.delete(item)
      shown.remove()
      summary(form)
      refresh()
    })
    if (file.size > Number(limit) || !file.size) {
      item.final = true
      return show('failed', file.size ? fill(words.tooLarge, { size: size(Number(limit)) }) : words.empty, 'late')
    }
    if (!isAccepted(form.querySelector('input[type=file][name]'), file)) {
      item.final = true
      return show('failed', words.kind, 'late')
    }
    show('waiting', words.waiting)
    queue.push(start)
    next()
  }

  /** Two at once: more would only make each slower. */
  const queue = []
  const busy = () => [...all].filter(it => it.state === 'sending').length
  const next = () => {
    while (queue.length && busy() < 2) queue.shift()()
  }
  setInterval(next, 500)

  const take = (form, files) => {
    for (const it of files) add(form, it)
  }
  const formOf = element => element?.closest?.('form[data-uploads]')
  const forms = () => document.querySelectorAll('form[data-uploads]')
  for (const form of forms()) {
    for (const it of form.querySelectorAll('input[type=file]')) it.required = false
    summary(form)
  }
  document.addEventListener('change', ({ target }) => {
    const form = target.matches('input[type=file]') && formOf(target)
    if (!form) return
    take(form, [...target.files])
    target.value = ''
  })
  for (const name of ['dragover', 'dragleave', 'drop'])
    document.addEventListener(name, event => {
      const drop = event.target.closest?.('[data-drop]')
      if (!formOf(drop)) return
      event.preventDefault()
      drop.classList.toggle('hot', name === 'dragover')
      if (name === 'drop') take(formOf(drop), event.dataTransfer.files)
    })
  document.addEventListener('paste', event => {
    const form = formOf(document.activeElement) ?? (forms().length === 1 ? forms()[0] : undefined)
    if (form && event.clipboardData?.files.length) take(form, event.clipboardData.files)
  })
  addEventListener('beforeunload', event => {
    if (busy() || queue.length) event.preventDefault()
  })
}
