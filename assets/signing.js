// A signature is kept as drawn in a field of 1,000 by 300; one that is higher for its width lies in the middle of it.
// Without this it is typed.
const canvas = document.getElementById('pad')
const form = canvas.form ?? canvas.closest('form')
const hidden = form.elements.strokes
const pad = new SignaturePad(canvas, { minWidth: 1, maxWidth: 2.6, minDistance: 3 })

const tab = document.querySelector('[data-drawing]')
if (tab) {
  tab.hidden = false
}

const scale = () => canvas.offsetHeight / 300
const margin = () => (1000 - canvas.offsetWidth / scale()) / 2
const whole = (it, most) => Math.max(0, Math.min(most, Math.round(it)))
const strokes = () =>
  pad
    .toData()
    .filter(({ points }) => points.length)
    .flatMap(({ points }) => inside(points.map(({ x, y }) => [x, y])))
    .map(its => its.map(([x, y]) => [whole(margin() + x / scale(), 1000), whole(y / scale(), 300)]))

/** What of a stroke is seen: it ends where it leaves the field, and another one begins where it comes back. */
function inside([first, ...rest]) {
  const seen = rest.length || !across(first, first) ? [] : [[first]]
  let from = first
  for (const to of rest) {
    const part = across(from, to)
    if (part && part[0] === from && seen.length) seen.at(-1).push(part[1])
    else if (part) seen.push(part)
    from = to
  }
  return seen
}

/** The part of a line that lies in the field (Liang and Barsky); its own ends where they do. */
function across(from, to) {
  let [begin, end] = [0, 1]
  for (const [at, most] of [canvas.offsetWidth, canvas.offsetHeight].entries()) {
    const way = to[at] - from[at]
    if (!way && (from[at] < 0 || from[at] > most)) return
    if (!way) continue
    const [near, far] = [-from[at] / way, (most - from[at]) / way].sort((a, b) => a - b)
    begin = Math.max(begin, near)
    end = Math.min(end, far)
  }
  const point = share => from.map((it, at) => it + share * (to[at] - it))
  return begin > end ? undefined : [begin ? point(begin) : from, end < 1 ? point(end) : to]
}

/** As sharp as the screen, and with what was drawn before: the field may have another size by now. */
function fit() {
  if (!canvas.offsetWidth) return
  const kept = hidden.value ? JSON.parse(hidden.value) : []
  const reach = Math.max(1, ...kept.flat().map(([x]) => Math.abs(x - 500)))
  const size = scale() * Math.min(1, (500 - margin()) / reach)
  const place = ([x, y]) => ({
    x: canvas.offsetWidth / 2 + (x - 500) * size,
    y: canvas.offsetHeight / 2 + (y - 150) * size,
  })
  const ratio = Math.max(devicePixelRatio, 1)
  canvas.width = canvas.offsetWidth * ratio
  canvas.height = canvas.offsetHeight * ratio
  canvas.getContext('2d').scale(ratio, ratio)
  pad.penColor = getComputedStyle(canvas).color
  pad.clear()
  const options = { penColor: pad.penColor, minWidth: pad.minWidth, maxWidth: pad.maxWidth }
  pad.fromData(
    kept.map(points => ({
      ...options,
      points: points.map(it => ({ ...place(it), time: 0, pressure: 0.5 })),
    })),
  )
}

// The drawing stays in this tab until it is sent, also where the session ended meanwhile; for this person alone.
const place = `drawing ${location.pathname} ${canvas.dataset.person}`
function keep(drawing) {
  hidden.value = drawing
  try {
    if (drawing) sessionStorage.setItem(place, drawing)
    else sessionStorage.removeItem(place)
  } catch {
    // A browser that keeps nothing.
  }
}
try {
  hidden.value ||= sessionStorage.getItem(place) ?? ''
} catch {
  // As above.
}

pad.addEventListener('endStroke', () => {
  keep(JSON.stringify(strokes()))
  document.getElementById('strokes-error')?.remove()
  document.getElementById('signature').classList.remove('wrong')
})
document.querySelector('[data-clear]').addEventListener('click', () => {
  keep('')
  pad.clear()
})
new ResizeObserver(fit).observe(canvas)
