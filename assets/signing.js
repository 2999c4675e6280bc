// A signature is drawn in a field of 1,000 by 300; without this it is typed.
const canvas = document.getElementById('pad')
const form = canvas.form ?? canvas.closest('form')
const hidden = form.elements.strokes
const pad = new SignaturePad(canvas, { minWidth: 1, maxWidth: 2.6, minDistance: 3 })

const tab = document.querySelector('[data-drawing]')
if (tab) {
  const fresh = tab.hidden && !form.querySelector('.is-invalid')
  tab.hidden = false
  if (fresh) tab.querySelector('input').checked = true
}

const scale = () => canvas.offsetWidth / 1000
const whole = (it, most) => Math.max(0, Math.min(most, Math.round(it / scale())))
const strokes = () =>
  pad
    .toData()
    .map(({ points }) => points.map(({ x, y }) => [whole(x, 1000), whole(y, 300)]))
    .filter(it => it.length)

/** As sharp as the screen, and with what was drawn before: the field may have another size by now. */
function fit() {
  if (!canvas.offsetWidth) return
  const kept = hidden.value ? JSON.parse(hidden.value) : []
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
      points: points.map(([x, y]) => ({ x: x * scale(), y: y * scale(), time: 0, pressure: 0.5 })),
    })),
  )
}

pad.addEventListener('endStroke', () => {
  hidden.value = JSON.stringify(strokes())
})
document.querySelector('[data-clear]').addEventListener('click', () => {
  hidden.value = ''
  pad.clear()
})
new ResizeObserver(fit).observe(canvas)
