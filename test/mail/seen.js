/** What is seen of a mail: its texts with their colours, alternatives of pictures, how far it is wider than the screen. */
;(() => {
  const groundOf = it => {
    const ground = it ? getComputedStyle(it).backgroundColor : 'rgb(255, 255, 255)'
    return ground === 'rgba(0, 0, 0, 0)' ? groundOf(it.parentElement) : ground
  }
  const ownWords = it =>
    [...it.childNodes]
      .map(({ nodeType, data }) => (nodeType === 3 ? data : ''))
      .join(' ')
      .trim()
  const texts = [...document.querySelectorAll('body *')]
    .filter(it => it.checkVisibility() && (ownWords(it) || it.alt))
    .map(it => ({ text: it.alt || ownWords(it), colour: getComputedStyle(it).color, ground: groundOf(it) }))
  const alts = [...document.querySelectorAll('img')].map(it => it.getAttribute('alt'))
  return { texts, wide: document.documentElement.scrollWidth - innerWidth, alts }
})()
