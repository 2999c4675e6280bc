import { expect } from 'chai'
import { map } from '../../demo/adapter/map.ts'
import { portalUrl } from '../../demo/portal-database.ts'
import { fresh, password, urlOf } from '../../test/database.ts'
import { adapterOf } from '../index.ts'
import { type Config, pool } from './config.ts'
import { invited } from './invite.ts'

describe('portico invite', () => {
  const email = 'jo@acmebakery.example'
  let config: Config
  before(async () => {
    const { name } = await fresh()
    const url = portalUrl(urlOf(name), password)
    config = {
      map,
      ownerUrl: urlOf(name),
      url,
      crm: database => adapterOf(map, database),
      address: 'https://x.example',
    }
  })
  const said = (options: Parameters<typeof invited>[1]) =>
    invited(config, { email, ...options }).catch(it => it.message)

  it('names the workspaces there are, where there is none of that name', async () => {
    expect(await said({ workspace: 'nowhere', client: '1' }))
      .to.include('The CRM has no workspace "nowhere". There are: ')
      .and.include('brightside')
      .and.include('harbor')
  })

  it('names clients to choose from, where none is said or there is none of that id', async () => {
    expect(await said({ workspace: 'brightside' }))
      .to.include('Say --client with the client’s id. Some are: ')
      .and.include('1 (Acme Bakery)')
    expect(await said({ workspace: 'brightside', client: '999999' }))
      .to.include('Workspace "brightside" has no client 999999. Some are: ')
      .and.not.include('Thornbury')
    expect(await said({ workspace: 'brightside', client: 'Halloran' })).to.match(/Some are: \d+ \(Halloran & Sons\)\.$/)
  })

  it('says in one sentence that another kind of database cannot be used', () => {
    for (const scheme of ['mysql', 'mariadb', 'sqlserver'])
      expect(() => pool(`${scheme}://crm@localhost/crm`)).to.throw(
        `${scheme}:// is no PostgreSQL. Portico’s own tables`,
      )
  })
})
