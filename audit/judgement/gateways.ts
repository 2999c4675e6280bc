import type { Facts, Mention } from '../model.ts'
import { anyPart } from '../patterns.ts'

/** Gateways by which clients pay invoices, without those by which the vendor charges for the CRM. */
export function gatewaysOf({ mentions, packages }: Facts): { at: string; name: string }[] {
  const paid = mentions.filter(it => it.kind === 'gateway' && !vendors(it))
  const code = Map.groupBy(paid, it => it.at.split(':')[0]!)
  return [...code]
    .map(([, [first]]) => ({ at: first!.at, name: first!.text }))
    .concat(paid.length ? packages.filter(it => gateway.test(it.name)).map(it => ({ at: it.at, name: it.name })) : [])
}

const vendors = ({ at }: Mention) =>
  /(saas|subscri|plan|licen[cs]e|tenant[-_]?(billing|plan)|upgrade|pricing|billing)/i.test(at.split(':')[0]!) &&
  !/(invoice|payment|quote|client|customer)/i.test(at.split(':')[0]!)

/** What packages of gateways are called. */
export const gateway = anyPart(
  'stripe paypal braintree mollie razorpay omnipay square authorizenet gocardless adyen paystack klarna checkout-sdk',
  'payum cashfree mercadopago activemerchant flutterwave',
)
