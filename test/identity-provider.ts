import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type Request } from 'express'
import passport from 'passport'

/** Who signs in at an identity provider. */
interface Who {
  email: string
  emailVerified?: boolean
}

/** A small identity provider on this machine: whoever comes is `who`, and goes back with a code. */
export async function identityProvider(who: Who) {
  const app = express()
  const codes = new Map<string, Who>()
  const provider = { who, address: '', down: false, close: () => server.closeAllConnections() ?? server.close() }
  app.get('/authorize', (req, res) => {
    const code = randomBytes(8).toString('hex')
    codes.set(code, provider.who)
    const back = new URL(String(req.query.redirect_uri))
    back.search = String(new URLSearchParams({ code, state: String(req.query.state) }))
    res.redirect(303, back.href)
  })
  app.get('/users/:code', (req, res) => {
    if (provider.down) return void res.sendStatus(503)
    res.json(codes.get(req.params.code) ?? {})
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  provider.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return provider
}

export type Provider = Awaited<ReturnType<typeof identityProvider>>

interface Asked {
  callbackURL: string
}

/**
 * As strategies of OAuth are: it keeps its state in the session, redirects, and asks what the code is worth. One that is
 * `careless` does not look whether the state is the one that it sent.
 */
export class Redirecting extends passport.Strategy {
  readonly provider: Provider
  readonly careless: boolean

  constructor(provider: Provider, { careless = false } = {}) {
    super()
    this.provider = provider
    this.careless = careless
  }

  override async authenticate(req: Request, { callbackURL }: Asked) {
    const session = req.session as unknown as Record<string, string>
    const { code, state, error } = { ...req.query, ...req.body }
    if (error) return this.fail({ message: `the provider says: ${error}` })
    if (!code) {
      session.sso = randomBytes(16).toString('hex')
      const asked = new URLSearchParams({ redirect_uri: callbackURL, state: session.sso })
      return this.redirect(`${this.provider.address}/authorize?${asked}`)
    }
    if (!this.careless && state !== session.sso) return this.fail('the state is another one')
    const answer = await fetch(`${this.provider.address}/users/${code}`)
    if (!answer.ok) throw new Error(`the provider answers ${answer.status}`)
    this.success((await answer.json()) as object)
  }
}

/** As passport-custom is: a function of the request decides. */
export class Custom extends passport.Strategy {
  readonly decide: (req: Request) => object | undefined

  constructor(decide: Custom['decide']) {
    super()
    this.decide = decide
  }

  override authenticate(req: Request) {
    const user = this.decide(req)
    if (user) this.success(user)
    else this.fail('nobody')
  }
}
