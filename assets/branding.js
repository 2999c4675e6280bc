// Branding: what is chosen shows in the preview at once, and how well it reads is measured on what the browser draws.
const swatch = document.getElementById('swatch')
const [typed, stages] = [document.getElementById('colour'), document.querySelectorAll('.stage')]
const point = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map(it => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * x + 0.7152 * y + 0.0722 * z
}
const show = colour => {
  for (const it of stages) it.style.setProperty('--brand-colour', colour)
  point.fillStyle = getComputedStyle(stages[0].querySelector('.btn-primary')).backgroundColor
  point.fillRect(0, 0, 1, 1)
  const [drawn, chosen] = [
    light(point.getImageData(0, 0, 1, 1).data),
    light(colour.match(/\w\w/g).map(it => Number.parseInt(it, 16))),
  ]
  const ratio = Math.floor((1.05 / (drawn + 0.05)) * 10) / 10
  document.getElementById('ratio').textContent = ratio.toLocaleString(document.documentElement.lang)
  const kept = Math.abs(chosen - drawn) < 0.02
  document.getElementById('kept').hidden = !kept
  document.getElementById('darker').hidden = kept
}
swatch.addEventListener('input', () => {
  typed.value = swatch.value
  show(swatch.value)
})
typed.addEventListener('input', () => {
  if (!/^#[0-9a-f]{6}$/i.test(typed.value)) return
  swatch.value = typed.value.toLowerCase()
  show(swatch.value)
})
document.getElementById('logo').addEventListener('change', ({ target: { files } }) => {
  const reader = new FileReader()
  reader.addEventListener('load', () => {
    for (const it of document.querySelectorAll('.stage .brand > :first-child')) {
      const logo = Object.assign(new Image(), { className: 'logo', height: 40, alt: '', src: reader.result })
      it.replaceWith(logo)
    }
  })
  if (files[0]) reader.readAsDataURL(files[0])
})
