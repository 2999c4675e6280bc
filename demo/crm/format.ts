const dates = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })

export const formats = {
  money(amount: string, currency: string): string {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' })
    return format.format(amount as Intl.StringNumericLiteral)
  },
  number(amount: string): string {
    return amount.includes('.') ? amount.replace(/0+$/, '').replace(/\.$/, '') : amount
  },
  price(amount: string): string {
    return amount.replace(/(\.\d\d)(\d*?)0*$/, '$1$2')
  },
  date(day: string | null): string {
    return day ? dates.format(new Date(`${day}T00:00:00Z`)) : '–'
  },
  time(moment: Date, timeZone: string): string {
    return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(moment)
  },
}
