// What the chosen documents come to. The server decides; without this the sum is on the next page.
const form = document.getElementById('pay-form')
const total = form?.querySelector('[data-total]')
if (total) {
  const { currency, locale, fee } = total.dataset
  const money = new Intl.NumberFormat(locale, { style: 'currency', currency, useGrouping: 'always' })
  const places = money.resolvedOptions().maximumFractionDigits
  const sign = new Intl.NumberFormat(locale).formatToParts(1.5).find(it => it.type === 'decimal')?.value ?? '.'
  const typed = text => {
    const plain = text.replace(/[^\d.,]/g, '')
    const at = plain.lastIndexOf(sign)
    const whole = (at < 0 ? plain : plain.slice(0, at)).replace(/\D/g, '')
    return Number(`${whole || 0}.${at < 0 ? 0 : plain.slice(at + 1) || 0}`)
  }
  const words = form.querySelector('[data-fee-words]')
  const show = () => {
    let sum = 0
    for (const it of form.querySelectorAll('input[name=document]:checked')) {
      const part = form.elements[`part.${it.value}`]?.value.trim()
      sum += Math.round((part ? typed(part) : Number(it.dataset.left)) * 10 ** places)
    }
    const online = form.querySelector('#by-online')?.checked
    const extra = online ? Math.round((sum * Number(fee)) / 100) : 0
    total.hidden = false
    total.textContent = money.format((sum + extra) / 10 ** places)
    words.hidden = extra === 0
    words.textContent = words.dataset.feeWords.replace('{amount}', money.format(extra / 10 ** places))
  }
  form.addEventListener('input', show)
  show()
}
