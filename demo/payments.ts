import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import type { Express } from 'express'
import { type Bank, createBank } from './bank/bank.ts'

/** What the bank knows its customers by. */
export const key = 'sk_test_demo_bank_of_portico'

interface Options {
  port: number
  data: string
  secret: string
  /** Slugs of the companies that take payments by it. */
  workspaces: string[]
}

/** A bank that speaks Stripe's API, so that every state of a payment can be seen without an account at Stripe. */
export function openBank({ port, data, secret, workspaces }: Options): Bank & { mount(app: Express): void } {
  process.env.PORTAL_STRIPE_ADDRESS ??= `http://127.0.0.1:${port}`
  const bank = createBank({
    key,
    address: `http://localhost:${port}`,
    store: join(data, 'bank.json'),
    webhooks: workspaces.map(it => ({
      url: `http://127.0.0.1:${port}/portal/-/webhooks/pay?workspace=${it}`,
      secret: webhookSecret(secret),
    })),
  })
  return {
    ...bank,
    mount(app) {
      app.use(bank.api)
      app.use('/-/bank', bank.pages)
    },
  }
}

/** Signs what the bank tells. */
export const webhookSecret = (secret: string) =>
  `whsec_${createHmac('sha256', secret).update('demo bank').digest('hex')}`
