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
