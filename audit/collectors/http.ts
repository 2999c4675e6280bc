import { type Facts, noFacts, type Route } from '../model.ts'

const places = [
  'client',
  'clients',
  'customer',
  'client-portal',
  'customer-portal',
  'portal',
  'guest',
  'my',
  'public',
  'public/proposal/0',
  'public/quotation/0',
  'public/quote/0',
  'public/invoice/0',
]

/** Requests the usual addresses of portals, and `named` ones, from a running server, by HEAD and GET only. */
export async function readServer(
  url: string,
  named: string[],
  progress: (text: string) => void = () => {},
): Promise<Facts> {
  const facts: Facts = { ...noFacts(), looked: { database: false, source: false, http: true } }
  const base = url.replace(/\/+$/, '')
  const unknownPage = await look(`${base}/there-is-no-such-page-9f3a1c`)
  if (!unknownPage) {
    facts.notes.push('The server does not answer: nothing was looked at from outside.')
    facts.looked.http = false
    return facts
  }
  if (unknownPage.status < 300)
    facts.notes.push('The server answers every address with a page: from outside it cannot be told which are there.')
  for (const path of new Set([...places.map(it => `/${it}`), ...named].slice(0, 60))) {
    progress(`server: ${path}`)
    const seen = await look(`${base}${path}`)
    if (seen && isThere(seen, unknownPage)) facts.routes.push(routeOf(path, seen))
  }
  return facts
}

interface Seen {
  status: number
  to: string
  size: number
}

async function look(address: string): Promise<Seen | undefined> {
  const ask = (method: string) =>
    fetch(address, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
      headers: { accept: 'text/html', 'user-agent': 'portico-audit' },
    })
  try {
    let answer = await ask('HEAD')
    if (answer.status === 405 || answer.status === 501) answer = await ask('GET')
    else if (answer.status === 200) {
      await answer.body?.cancel()
      answer = await ask('GET')
    }
    const size = answer.status === 200 ? (await answer.text()).length : 0
    const location = answer.headers.get('location')
    return { status: answer.status, to: location ? new URL(location, address).pathname : '', size }
  } catch {
    return undefined
  }
}

/** Whether there is a page or a sign-in: an address that does not exist is answered in another way. */
function isThere(seen: Seen, unknownPage: Seen): boolean {
  if (seen.status === 404 || seen.status === 410 || seen.status >= 500) return false
  const alike =
    seen.status === unknownPage.status && seen.to === unknownPage.to && Math.abs(seen.size - unknownPage.size) < 200
  return !alike
}

function routeOf(path: string, { status, to }: Seen): Route {
  const area = path.split('/')[1]!
  const ownSignIn = to.split('/').includes(area)
  const signIn = to ? `sign-in at ${to}` : `sign-in (${status})`
  const guard = ownSignIn ? `${area} ${signIn}` : signIn
  const guarded = status === 401 || status === 403 || /(login|log-in|sign-?in|auth|session)/i.test(to)
  return {
    method: 'GET',
    path,
    guards: guarded ? [guard] : [],
    handler: `answers ${status}`,
    body: '',
    at: `GET ${path}`,
  }
}
