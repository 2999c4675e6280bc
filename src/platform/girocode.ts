import type { Money } from './money.ts'

/** What is to be transferred, and to whom. */
interface Transfer {
  balance: Money
  account: { holder: string; iban: string | null; bic: string | null; reference: string } | null
}

/**
 * What a banking app reads to fill in a SEPA transfer (EPC069-12, version 002): only of euros, to an IBAN that is one.
 * Undefined where there is nothing to scan.
 */
export function giroCode({ balance, account }: Transfer): string | undefined {
  const iban = account?.iban?.replaceAll(' ', '')
  if (!account || !iban || balance.currency !== 'EUR' || !isIban(iban)) return undefined
  const amount = /^0*(\d{1,9})(?:\.(\d{1,2})0*)?$/.exec(balance.amount)
  if (!amount || !Number(balance.amount)) return undefined
  const bic = account.bic?.replaceAll(' ', '') ?? ''
  const [holder, reference] = [oneLine(account.holder, 70), oneLine(account.reference, 140)]
  const euros = `EUR${amount[1]}.${(amount[2] ?? '').padEnd(2, '0')}`
  return ['BCD', '002', '1', 'SCT', bic, holder, iban, euros, '', '', reference].join('\n')
}

/** ISO 13616: letters are numbers from ten on, the first four characters stand last, and 97 leaves one. */
export function isIban(iban: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false
  const digits = (iban.slice(4) + iban.slice(0, 4)).replace(/[A-Z]/g, it => String(it.charCodeAt(0) - 55))
  return BigInt(digits) % 97n === 1n
}

const oneLine = (text: string, most: number) => [...text.replace(/\s+/g, ' ').trim()].slice(0, most).join('')
