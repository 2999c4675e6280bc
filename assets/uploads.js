// Uploads that show their progress, and go on after a lost connection or a closed tab. Without this the form sends files.
const form = document.querySelector('form[data-uploads]')
if (form && window.tus) {
  const { uploads: endpoint, limit } = form.dataset
  const input = form.querySelector('input[type=file]')
  const drop = form.querySelector('[data-drop]')
  const list = form.querySelector('[data-list]')
  const row = form.querySelector('template[data-row]')
  const said = form.querySelector('[data-said]')
  const words = JSON.parse(form.querySelector('[data-words]').textContent)
  const locale = document.documentElement.lang
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

  const summary = () => {
    const of = state => [...all].filter(it => it.state === state).length
    const sent = of('sent')
    const refused = of('failed')
    said.textContent = fill(refused ? words.someRefused : words.sentSoFar, { sent, all: all.size, refused })
    for (const it of form.querySelectorAll('[data-when]')) it.hidden = (it.dataset.when === 'some') !== all.size > 0
  }

  /** As the browser offers files to choose; what was dropped or pasted it does not look at. The server decides. */
  const isAccepted = ({ name, type }) =>
    !input.accept ||
    input.accept
      .split(',')
      .some(it => (it.endsWith('/*') ? type.startsWith(it.slice(0, -1)) : name.toLowerCase().endsWith(it)))

  /** One file with its row: what it says, its progress, and what can be done. */
  const add = file => {
    const shown = row.content.cloneNode(true).firstElementChild
    const part = name => shown.querySelector(`[data-${name}]`)
    const item = { state: 'waiting' }
    part('name').textContent = file.name
    for (const it of shown.querySelectorAll('[aria-label]'))
      it.setAttribute('aria-label', fill(it.getAttribute('aria-label'), { name: file.name }))
    all.add(item)
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
      summary()
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
      onSuccess: () => show('sent', fill(words.sent, { size: size(file.size) }), 'text-success'),
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
      summary()
    })
    if (file.size > Number(limit) || !file.size) {
      item.final = true
      return show('failed', file.size ? fill(words.tooLarge, { size: size(Number(limit)) }) : words.empty, 'late')
    }
    if (!isAccepted(file)) {
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

  const take = files => [...files].forEach(add)
  input.required = false
  input.addEventListener('change', () => {
    take(input.files)
    input.value = ''
  })
  form.querySelector('[data-camera]')?.addEventListener('change', event => {
    take(event.target.files)
    event.target.value = ''
  })
  for (const name of ['dragover', 'dragleave', 'drop'])
    drop.addEventListener(name, event => {
      event.preventDefault()
      drop.classList.toggle('hot', name === 'dragover')
      if (name === 'drop') take(event.dataTransfer.files)
    })
  document.addEventListener('paste', event => {
    if (event.clipboardData?.files.length) take(event.clipboardData.files)
  })
  addEventListener('beforeunload', event => {
    if (busy() || queue.length) event.preventDefault()
  })
  summary()
}
