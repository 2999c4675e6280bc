// A chosen photo is made small before it is sent: a camera's are larger than the portal takes, and slow to load.

const largest = 512

/** The middle of the picture, as a square of at most 512 points, which has neither place nor camera in it. */
async function smaller(file) {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const side = Math.min(picture.width, picture.height)
  const size = Math.min(side, largest)
  const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size })
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2]
  const context = canvas.getContext('2d')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, size, size)
  context.drawImage(picture, left, top, side, side, 0, 0, size, size)
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/jpeg', 0.85))
  return blob && new File([blob], 'photo.jpg', { type: 'image/jpeg' })
}

for (const form of document.querySelectorAll('form[data-photo]')) {
  const input = form.querySelector('[type=file]')
  input.addEventListener('change', async () => {
    const [file] = input.files
    const made = file && (await smaller(file).catch(() => undefined))
    if (!made || input.files[0] !== file) return
    const files = new DataTransfer()
    files.items.add(made)
    input.files = files.files
  })
}
