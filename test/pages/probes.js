// What the browser tests ask a page from the inside. It is read into every page before its own scripts.
globalThis.probes = (() => {
  const shownName = it =>
    [it?.getAttribute('aria-label'), it?.labels?.[0]?.textContent, it?.textContent, it?.tagName]
      .find(text => text?.trim())
      ?.trim() ?? ''

  const describe = it =>
    `${it.tagName.toLowerCase()}.${it.className?.baseVal ?? it.className} "${shownName(it).slice(0, 40)}"`

  const isSeen = it => it.checkVisibility({ visibilityProperty: true }) && it.getClientRects().length > 0

  const isWider = it => it.scrollWidth > it.clientWidth

  /** What makes the page wider than the screen. */
  function sticksOut() {
    if (document.documentElement.scrollWidth <= innerWidth) return []
    return [...document.querySelectorAll('body *')]
      .filter(it => {
        const { left, right } = it.getBoundingClientRect()
        return right > innerWidth + 1 || left < -1
      })
      .map(describe)
  }

  /** Text that runs out of the card it belongs to. */
  function spills() {
    const cards = [
      ...document.querySelectorAll('.card, .paper, .bar, .sure > form, .rows tbody tr, .btn, .badge'),
    ].filter(isSeen)
    const words = [...document.querySelectorAll('.chart text')].filter(isSeen).filter(it => {
      const [inner, outer] = [it.getBoundingClientRect(), it.closest('.card').getBoundingClientRect()]
      return inner.left < outer.left || inner.right > outer.right
    })
    // Under the thumb no label is cut, but in the locale that is longer than any language.
    const tabs = [...document.querySelectorAll('.side nav > ul > li > a > span:first-of-type')]
    const cut = document.documentElement.lang === 'en-XA' ? [] : tabs.filter(isSeen).filter(isWider)
    return [...cards.filter(it => it.scrollWidth > it.clientWidth + 2), ...cut, ...words].map(describe)
  }

  /** Links in running text may be smaller (WCAG 2.5.8), and a row is touched anywhere. */
  function tooSmall() {
    const targets = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]
    return targets
      .filter(it => isSeen(it) && !it.matches('.skip, .go, .text-reset, p a'))
      .filter(it => {
        // A box within its label is pressed anywhere on that.
        const { width, height } = (it.matches('label > input') ? it.parentElement : it).getBoundingClientRect()
        const least = it.matches('.btn:not(.btn-sm), .form-control, .form-select')
          ? 44
          : it.matches('.chips a')
            ? 36
            : 24
        return height < least - 0.5 || width < Math.min(least, 36) - 0.5
      })
      .map(describe)
  }

  /** What the bar under the thumb still lies on when the page is scrolled to its end. */
  function covered() {
    const bar = document.querySelector('.side nav')
    if (!bar || !isSeen(bar) || getComputedStyle(bar).position !== 'fixed') return []
    scrollTo(0, document.documentElement.scrollHeight)
    const { top } = bar.getBoundingClientRect()
    return [...document.querySelectorAll('main :is(a[href], button, input, select, textarea, summary)')]
      .filter(it => isSeen(it) && it.getBoundingClientRect().bottom > top + 0.5)
      .map(describe)
  }

  /** How far the sidebar has left the screen when the page is scrolled to its end, on a desk. */
  function leaving() {
    const side = document.querySelector('.shell > .side')
    if (!side || getComputedStyle(side).position !== 'sticky') return 0
    scrollTo(0, document.documentElement.scrollHeight)
    // A part of a pixel is rounding.
    return Math.max(0, Math.floor(-side.getBoundingClientRect().top))
  }

  /** What is wrong with how the focus shows, or an empty text. */
  function focusTrouble() {
    const it = document.activeElement
    if (!it || it === document.body) return 'is nowhere'
    // The focus is in the page that the frame shows.
    if (it.tagName === 'IFRAME') return ''
    const around = ['tr', '.sort', '.files > li', '.choice'].map(one => it.closest(one))
    const ring = [it, ...around].filter(Boolean).find(one => {
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2
    })
    if (!ring) return `does not show on ${describe(it)}`
    const { left, top, width, height } = it.getBoundingClientRect()
    const hit = document.elementFromPoint(left + width / 2, top + height / 2)
    return hit && (it.contains(hit) || hit.contains(it)) ? '' : `is covered on ${describe(it)}`
  }

  /** Controls, headings of columns and labels whose own words came through no translation, in the locale that shows it. */
  function untranslated() {
    const said =
      '.side nav span, th[scope=col], dt:not([translate=no]), label:not([translate=no]), .btn, .more summary, .badge, .chips a:not([translate=no]), legend, caption, .card-head h2'
    const attributes = ['aria-label', 'placeholder', 'title']
    // Dates are written by the browser's own rules, which this locale takes from English.
    const dates =
      /\b(AM|PM|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|June|July|August|September|October|November|December|Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/g
    const marked = text =>
      !/[a-z]{2}/i.test(text.replace(/CSV|PDF|CRM|IBAN|BIC|Brightside Agency/g, '').replace(dates, '')) ||
      /[åéîôûýçñšž]/i.test(text)
    const texts = [...document.querySelectorAll(said)].filter(isSeen).map(it => it.textContent.trim())
    const spoken = attributes.flatMap(name =>
      [...document.querySelectorAll(`[${name}]`)].map(it => it.getAttribute(name)),
    )
    return [...new Set([...texts, ...spoken])].filter(it => !marked(it))
  }

  /** How much has moved since the page began to load, by the browser's own measure (CLS). */
  const moved = () =>
    new Promise(resolve => {
      let sum = 0
      new PerformanceObserver(list => {
        for (const it of list.getEntries()) sum += it.value
      }).observe({ type: 'layout-shift', buffered: true })
      setTimeout(() => resolve(sum), 150)
    })

  const focusName = () => shownName(document.activeElement)
  /** What Tab has not reached yet: one radio button stands for its group, and a closed fold for what is in it. */
  let unreached = new Set()
  function beginTabbing() {
    const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')
    unreached = new Set(
      [...all]
        .filter(it => it.tabIndex >= 0 && !it.disabled && it.type !== 'hidden' && isSeen(it))
        .filter(it => it.type !== 'radio' || it === radioOf(it)),
    )
    return unreached.size
  }
  const radioOf = ({ form, name }) => {
    const all = [...document.querySelectorAll('[type=radio]')].filter(it => it.form === form && it.name === name)
    return all.find(it => it.checked) ?? all[0]
  }
  /** Names what is left; what the page took away meanwhile is not. */
  function tabbed() {
    unreached.delete(document.activeElement)
    return [...unreached].filter(it => it.isConnected).map(describe)
  }
  return {
    ...{ beginTabbing, covered, focusName, focusTrouble, leaving, moved, spills, sticksOut, tabbed, tooSmall },
    untranslated,
  }
})()
