import { once } from 'node:events'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { until } from '../../test/until.ts'
import { type Flags, flagName, flagsFrom, flagsFromEnvironment } from './flags.ts'

const state = (flags: Flags) => [flags.enabledAnywhere(), flags.enabled('brightside'), flags.enabled('harbor')]

describe('the flag', () => {
  it('comes from the environment: true, false or slugs', async () => {
    const from = async (value: string) => state(await flagsFromEnvironment({ CUSTOMER_PORTAL_ENABLED: value }))

    expect(await from('true')).to.deep.equal([true, true, true])
    expect(await from('false')).to.deep.equal([false, false, false])
    expect(await from('')).to.deep.equal([false, false, false])
    expect(await from('brightside, ledgerline')).to.deep.equal([true, true, false])
    expect(await from('yes')).to.deep.equal([true, false, false])
  })

  it('is off where nothing says anything', async () => {
    expect(state(await flagsFrom({}))).to.deep.equal([false, false, false])
    expect(state(await flagsFrom({ file: '/no/such/flags.json' }))).to.deep.equal([false, false, false])
  })

  it('comes from a file, which is read again when it changes', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'flags-')), 'flags.json')
    const warned: Error[] = []
    const flags = await flagsFrom({ file, warn: error => warned.push(error) })
    const becomes = (wanted: boolean[]) => until(() => String(state(flags)) === String(wanted))
    const write = async (text: string) => {
      await writeFile(file, text)
      await utimes(file, new Date(), new Date(Date.now() + Math.random() * 1e6))
    }
    await write(JSON.stringify({ [flagName]: true }))
    await becomes([true, true, true])
    await write(JSON.stringify({ [flagName]: ['harbor'] }))
    await becomes([true, false, true])
    await write('{ half a fi')
    await until(() => state(flags) && warned.length)
    expect(state(flags), 'the last known state holds').to.deep.equal([true, false, true])
    await write(JSON.stringify({ [flagName]: 'true' }))
    await becomes([false, false, false])
    await write(JSON.stringify({ [flagName]: true }))
    await becomes([true, true, true])
    await rm(file)
    await becomes([false, false, false])
  })

  describe('from an Unleash server', () => {
    let server: Server
    let answer: object | undefined
    let url: string

    beforeEach(async () => {
      server = createServer((_req, res) =>
        answer ? res.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer)) : res.destroy(),
      )
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`
    })
    afterEach(() => {
      server.closeAllConnections()
      server.close()
    })

    const feature = (enabled: boolean, strategies: object[]) => ({
      version: 2,
      features: [{ name: flagName, type: 'release', enabled, strategies }],
    })
    const only = (slug: string) => ({
      name: 'default',
      parameters: {},
      constraints: [{ contextName: 'workspace', operator: 'IN', values: [slug] }],
    })

    it('is evaluated with the slug, and keeps the last state when the server is away', async () => {
      answer = feature(true, [only('harbor')])
      const warned: Error[] = []
      const flags = await flagsFrom({ unleashUrl: url, warn: error => warned.push(error) })
      await until(() => flags.enabledAnywhere())

      expect(state(flags)).to.deep.equal([true, false, true])
      server.closeAllConnections()
      server.close()
      await until(() => warned.length)
      expect(state(flags)).to.deep.equal([true, false, true])
      flags.close?.()
    }).timeout(10_000)

    it('that rolls out gradually says the same of a workspace at each request', async () => {
      const gradual = {
        name: 'flexibleRollout',
        parameters: { rollout: '50', stickiness: 'default', groupId: flagName },
      }
      answer = feature(true, [{ ...gradual, constraints: [] }])
      const flags = await flagsFrom({ unleashUrl: `${url}gradual/` })
      await until(() => flags.enabledAnywhere())
      for (const slug of ['harbor', 'brightside', 'ledgerline', 'revive']) {
        const answers = Array.from({ length: 50 }, () => flags.enabled(slug))
        expect(new Set(answers), slug).to.have.property('size', 1)
      }
      flags.close?.()
    }).timeout(10_000)

    it('may name the slug as a user id', async () => {
      answer = feature(true, [{ name: 'userWithId', parameters: { userIds: 'harbor' }, constraints: [] }])
      const flags = await flagsFrom({ unleashUrl: `${url}users/` })
      await until(() => flags.enabled('harbor'))
      expect(flags.enabled('brightside')).to.equal(false)
      flags.close?.()
    }).timeout(10_000)

    it('is off with no known state, without throwing', async () => {
      answer = undefined
      const warned: Error[] = []
      const flags = await flagsFrom({ unleashUrl: `${url}${Date.now()}/`, warn: error => warned.push(error) })
      await until(() => warned.length > 0)

      expect(state(flags)).to.deep.equal([false, false, false])
      flags.close?.()
    }).timeout(10_000)
  })
})
