// Nothing here is needed: every page and form works without it.

// A list that htmx has changed is told to who does not see it; what "Show more" adds is where the reader goes on.
document.addEventListener('htmx:before:swap', ({ detail: { ctx } }) => {
  if (ctx.sourceElement.rel === 'next') ctx.goOnAt = document.querySelectorAll('#rows > tr').length
})
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  if ('goOnAt' in ctx) return document.querySelectorAll('#rows > tr')[ctx.goOnAt]?.querySelector('a').focus()
  const [said, list] = [document.getElementById('said'), document.querySelector('[data-said]')]
  if (said && list) said.textContent = list.dataset.said
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
