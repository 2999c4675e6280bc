import { z } from 'zod'
import type { RequestContext } from '../http/context.ts'
import type { Money } from '../platform/money.ts'

/** Where to transfer what is left, as banks ask for it. */
export const PayeeAccount = z.object({
  holder: z.string(),
  bank: z.string().nullable(),
  iban: z.string().nullable(),
  /** Where there is no IBAN; `code` is the bank's own in its country: sort code, routing number, BSB. */
  number: z.string().nullable(),
  code: z.string().nullable(),
  bic: z.string().nullable(),
  /** What to state, so that the payment is found: as a rule the invoice's number. */
  reference: z.string(),
})
export type PayeeAccount = z.infer<typeof PayeeAccount>

/** An account without what to state. */
export type PayeeDetails = Omit<PayeeAccount, 'reference'>

/** The account that a workspace has set, in place of the one that the CRM names, which keeps its reference. */
export const payeeOf = (set: PayeeDetails | null | undefined, named: PayeeAccount | null, reference: string) => {
  if (!set) return named
  const { holder, bank, iban, number, code, bic } = set
  return { holder, bank, iban, number, code, bic, reference: named?.reference ?? reference }
}

/** What a bank asks for: label, text, and what is copied where that is worth it. */
export const transferDetails = (
  { t, money }: Pick<RequestContext, 't' | 'money'>,
  amount: Money,
  it: PayeeAccount,
): [label: string, value: string, plain?: string][] =>
  [
    [t('To'), it.holder],
    [t('Bank'), it.bank],
    [t('IBAN'), it.iban, it.iban?.replaceAll(' ', '')],
    [t('Account number'), it.number, it.number?.replaceAll(' ', '')],
    [t('Bank code'), it.code],
    [t('BIC'), it.bic],
    [t('Amount'), money(amount), amount.amount],
    [t('Reference'), it.reference, it.reference],
  ].filter((row): row is [string, string, string?] => Boolean(row[1]))

/** Days during which new details are called new. */
const newFor = 30

/** What a reader is told of an account that the workspace has set, by when it began to hold. */
export function payeeNote({ t, day, now }: Pick<RequestContext, 't' | 'day' | 'now'>, since: Date | string): string {
  const begun = new Date(since)
  const facts = { day: day(begun.toISOString().slice(0, 10)) }
  return now.getTime() - begun.getTime() < newFor * 86_400_000
    ? t('These bank details are new since {day}. If you are unsure, call us before you pay.', facts)
    : t(
        'These bank details have not changed since {day}. If you are ever told otherwise by mail, call us first.',
        facts,
      )
}

/** What a QR code of a transfer says to those who cannot see it. */
export const transferScan = (
  { t, money }: Pick<RequestContext, 't' | 'money'>,
  amount: Money,
  { holder, reference }: PayeeAccount,
): string =>
  t('QR code for your banking app: {amount} to {holder}, reference {reference}', {
    ...{ amount: money(amount), holder, reference },
  })
