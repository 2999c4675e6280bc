import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { root } from '../../src/platform/root.ts'
import { type Route, routesOf } from '../routes.ts'
import { leave, open, type Role, type Scene, type Visitor } from '../visit.ts'
import { inTurn } from './turns.ts'
import { unlimited } from './unlimited.ts'

type Place = Route & { settings: boolean }

/** Every name that a form or address of ours has, and some that none has. */
const names = [
  ...new Set([
    ...globSync('{views,plugins}/**/*.ejs', { cwd: root })
      .flatMap(it => [...readFileSync(join(root, it), 'utf8').matchAll(/(?:name="|[?&])([a-z][\w.-]*)(?:"|=)/g)])
      .map(([, name]) => name!),
    ...[
      'next',
      'search',
      'status',
      'after',
      'sort',
      'size',
      'before',
      'event',
      'options',
      'period',
      '__proto__',
      'constructor',
    ],
  ]),
]

/** Requests that no browser and no person sends: whatever comes, nothing of ours fails at it. */
describe('an odd request', () => {
  let scene: Scene
  let places: Place[]
  let proposal: string
  const failed: string[] = []
  let turn = 0

  before(async () => {
    scene = await open({ mail: 'kept' })
    await unlimited(scene)
    places = [
      ...routesOf(scene.portal.clients).map(it => ({ ...it, settings: false })),
      ...routesOf(scene.portal.settings).map(it => ({ ...it, settings: true })),
    ]
    proposal = String((await scene.owner('proposals').where({ ref_no: 'P-2026-031', client_id: 1 }).first('id')).id)
  })

  beforeEach(() => failed.splice(0))
  after(leave)

  const addressOf = ({ path, settings }: Place, id = proposal) =>
    (settings ? '/settings/client-portal' : '/portal') +
    path.replace(':workspace', 'brightside').replaceAll(/:\w+/g, () => id)

  async function ask(visitor: Visitor, { method }: Place, address: string, body?: { type: string; text: string }) {
    const request = visitor.agent[method](address).redirects(0)
    const { status } = await (body ? request.set('Content-Type', body.type).send(body.text) : request)
    if (status >= 500 && status !== 503)
      failed.push(`${status} ${method} ${address.slice(0, 120)} ${body?.text.slice(0, 60) ?? ''}`)
  }

  const whose: [Role | undefined, boolean][] = [
    ['owner', false],
    [undefined, false],
    ['admin', true],
  ]

  it('in the address, or in what is asked for, fails nowhere', async () => {
    const values = ['%00', '%ff', "'", '..%2f..%5c', '9'.repeat(40), '-0', '%2500']
    const queries = [
      ...values.map(value => names.map(it => `${it}=${value}`)),
      names.map(it => `${it}=1&${it}=2`),
      names.map(it => `${it}[toString]=1&${it}[a]=2`),
    ].map(it => it.join('&'))
    for (const [role, settings] of whose) {
      const visitor = await scene.visit(role)
      for (const place of places.filter(it => it.settings === settings && it.method === 'get')) {
        turn++
        for (const query of inTurn(queries, turn)) await ask(visitor, place, `${addressOf(place)}?${query}`)
        if (place.path.includes(':'))
          for (const value of inTurn([...values, 'a'.repeat(3_000)], turn))
            await ask(visitor, place, addressOf(place, value))
      }
    }
    expect(failed).to.deep.equal([])
  })

  it('in a form or in JSON fails nowhere', async () => {
    const odd = [
      null,
      1e308,
      true,
      [],
      [['a']],
      { toString: 1 },
      '',
      '\0',
      '\ud800',
      '\u202e',
      '9'.repeat(40),
      'x'.repeat(2_000),
    ]
    const json = odd.map(it => JSON.stringify(Object.fromEntries(names.map(name => [name, it]))))
    const bodies = [
      ...[...json, 'null', '[]', '"a"', '{', '[{"a":'.repeat(10_000)].map(text => ({ type: 'application/json', text })),
      ...['%00', '%ff', "'", '%ed%a0%80'].map(it => ({
        type: 'application/x-www-form-urlencoded',
        text: names.map(name => `${name}=${it}&${name}=2`).join('&'),
      })),
      { type: 'application/json; charset=utf-7', text: '{}' },
      {
        type: 'multipart/form-data; boundary=a',
        text: '--a\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n',
      },
      { type: 'text/plain', text: 'a' },
    ]
    for (const [role, settings] of whose)
      for (const place of places.filter(it => it.settings === settings && it.method !== 'get')) {
        if (role && place.path.endsWith('/sign-out')) continue
        const visitor = await scene.visit(role)
        turn++
        for (const body of inTurn(bodies, turn)) await ask(visitor, place, addressOf(place), body)
      }
    expect(failed).to.deep.equal([])
  })
})
