import type { Call, CrmMap, RespondableMap, ResponseMap } from '../../mapping/map.ts'
import type { Check } from '../checks.ts'

/**
 * The CRM's API that takes clients' responses, payments, and what people change of their own data: it answers and takes
 * the key. Nothing is ever sent to it but a GET.
 */
export async function checkApi(map: CrmMap): Promise<Check> {
  const calls = callsOf(map)
  const notes = notesOfRecord(map)
  if (!calls.length) return { label: 'no API of the CRM is named', problems: [], ...(notes.length && { notes }) }
  const problems: string[] = []
  for (const [entry, call] of calls) {
    const unset = environmentOf(call).filter(it => !process.env[it])
    if (unset.length) {
      problems.push(...unset.map(it => `${entry}: {env ${it}} is not set: set it here, and where the portal runs`))
      continue
    }
    const { problem, note } = await probe(call)
    if (problem) problems.push(`${entry}: ${problem}`)
    if (note) notes.push(`${entry}: ${note}`)
  }
  return { label: 'the CRM’s API answers and takes the key', problems: once(problems), notes: once(notes) }
}

const once = (its: string[]) => [...new Set(its)]

/** Each call, with the entry of the map that has it. */
function callsOf(map: CrmMap): [entry: string, call: Call][] {
  const sections = Object.entries(map) as [string, Partial<RespondableMap> | undefined][]
  const responses = sections.flatMap(([section, it]) => {
    if (!it?.responses || it.responses.off) return []
    const its: ResponseMap[] = [it.responses.accepted, it.responses.declined].filter(one => one !== undefined)
    return its.flatMap(one => calls(`${section}.responses`, one))
  })
  const record = map.payments?.record
  return [
    ...responses,
    ...(record?.off ? [] : calls('payments.record', record)),
    ...calls('contacts.change', map.contacts.change),
  ]
}

/** That the map knows how the CRM records payments, and is told not to. */
function notesOfRecord({ payments }: CrmMap): string[] {
  const { record } = payments ?? {}
  if (!record?.off) return []
  const unset = once([record.call].flat().flatMap(environmentOf)).filter(it => !process.env[it])
  const how = unset.length ? `: set ${unset.map(it => `{env ${it}}`).join(', ')}, or` : ', so'
  return [`payments.record is off${how} staff enter payments in the CRM themselves`]
}

const calls = (entry: string, it: object | undefined): [string, Call][] =>
  it && 'call' in it ? [it.call as Call | Call[]].flat().map(call => [entry, call]) : []

const environment = /\{env (\w+)\}/g

/** Names of the environment that a call uses. */
const environmentOf = (call: Call): string[] =>
  once([...JSON.stringify(call).matchAll(environment)].map(([, name]) => name!))

const filled = (text: string) => text.replace(environment, (_, name) => process.env[name] ?? '')

/** GET, with the headers of the call, of an address that takes no action: the key is wrong where that says so. */
async function probe(call: Call): Promise<{ problem?: string; note?: string }> {
  const address = filled(call.check ?? beginningOf(call.url))
  if (!URL.canParse(address)) return { problem: `${address} is no address: correct \`url\`` }
  const { origin, href } = new URL(address)
  const headers = Object.entries(call.headers ?? {}).map(([name, value]) => [name, filled(value)] as const)
  const given = headers.filter(([, value]) => !value.includes('{'))
  try {
    const answer = await fetch(href, {
      headers: Object.fromEntries(given),
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
    })
    await answer.body?.cancel()
    return judged(answer.status, href, call.check !== undefined)
  } catch (error: any) {
    const code = error.name === 'TimeoutError' ? 'for 5 seconds' : (error.cause?.code ?? error.message)
    return { problem: `${origin} does not answer (${code}): start it, or correct the address` }
  }
}

function judged(status: number, address: string, named: boolean): { problem?: string; note?: string } {
  const said = `${status} to GET ${address}`
  if ([401, 403, 407].includes(status)) return { problem: `the CRM refuses the key (${said}): correct it` }
  if (status >= 500) return { problem: `the CRM’s API fails (${said})` }
  if (status < 300) return {}
  if (named) return { problem: `the CRM’s API answers ${said}: correct \`check\`` }
  return { note: `the CRM answers ${said}, which does not say whether it takes the key: name an address in \`check\`` }
}

/** What stands before the first gap, or before the last word: never the call's own address. */
function beginningOf(url: string): string {
  const gap = url.search(/\{(?!env )/)
  const bare = gap < 0 ? url.replace(/[?#].*$/, '').replace(/\/+$/, '') : url.slice(0, gap)
  const at = bare.lastIndexOf('/')
  // `https://crm.example` and `{env CRM}` have no words to leave out.
  return /^(https?:\/\/|\{env \w+\})[^/]*$/.test(bare) ? bare : bare.slice(0, at + 1)
}
