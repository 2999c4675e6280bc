import { expect } from 'chai'
import { adapterOf, NotFound } from '../../src/index.ts'
import { sections } from '../../src/plugin/discover.ts'
import type { RecordNews } from '../../src/plugin/subjects.ts'
import { type Copy, copyOf, customerOf, mapFor, workspacesOf } from './database.ts'
import { inTurns } from './in-turns.ts'
import { folder, type Snapshot, snapshots } from './snapshots.ts'
import type { TrueDocument } from './truth.ts'

describe('What clients of a real CRM are told', function () {
  this.timeout(300_000)
  if (!snapshots.length) it(`is not here: ${folder} has no snapshots`, () => undefined)
  for (const it of snapshots) describe(it.title, () => tellsWhatItSays(it))
})

function tellsWhatItSays(snapshot: Snapshot) {
  let copy: Copy
  before(async () => {
    copy = await copyOf(snapshot)
  })
  after(() => copy?.close())

  it('is new where the CRM says that it is open, and nothing of drafts and of others', async () => {
    const { asOf, documents } = snapshot.truth()
    const newsOf = await asking(snapshot, copy, asOf)
    const wrong = (await inTurns(documents, async it => judged(it, await newsOf(it)))).flat()
    expect(wrong.slice(0, 20).join('\n')).to.equal('')
    expect(documents.length).to.be.above(40)

    const clients = [...new Set(documents.filter(it => it.workspace === documents[0]!.workspace).map(it => it.client))]
    const foreign = await inTurns(documents.slice(0, 300), async it => {
      const other = clients.find(client => client !== it.client)
      return other && it.workspace === documents[0]!.workspace ? newsOf({ ...it, client: other }) : []
    })
    expect(foreign.flat()).to.be.empty
  })
}

/** What is new about a document for its client, however old it is. */
async function asking({ map }: Snapshot, { database, owner }: Copy, today: string) {
  const workspaces = new Map<string, ReturnType<typeof adapterIn>>()
  const adapterIn = async (id: string) => {
    const its = mapFor(map, id)
    return { crm: adapterOf(its, database), workspace: (await workspacesOf(its, owner)).get(id) }
  }
  return async ({ workspace: id, client, section, id: document }: TrueDocument): Promise<RecordNews[]> => {
    if (!workspaces.has(id)) workspaces.set(id, adapterIn(id))
    const { crm, workspace } = await workspaces.get(id)!
    const changed = sections.find(it => it.name === section)?.subject?.changed
    if (!workspace || !changed) return []
    const ports = crm.connect(customerOf(workspace, client, today))
    if (!(section in ports)) return []
    return changed.news(ports, document, '1900-01-01').catch(error => {
      if (error instanceof NotFound) return []
      throw error
    })
  }
}

/** Sentences about what differs from what the CRM itself says. */
function judged(truth: TrueDocument, news: RecordNews[]): string[] {
  const { section, id, crmStatus, shown, status = [], number, total } = truth
  const of = `${section}/${id} (${crmStatus})`
  const [first] = news
  if (shown === 'no') return news.length ? [`${of} is told of, and clients do not see it`] : []
  if (news.length > 1) return [`${of} is told of twice`]
  const isOpen = status.length > 0 && status.every(it => it === 'open' || it === 'overdue')
  if (!first) return shown === 'yes' && isOpen ? [`${of} is told to nobody`] : []
  if (shown === 'either') return []
  const word = first.kind.split('.')[1]!
  const expected = word === 'sent' ? ['open', 'overdue'] : [word]
  const said = first.facts.total as { amount: string } | undefined
  return [
    ...(status.length && !status.some(it => expected.includes(it))
      ? [`${of} is told of as ${word}, not ${status}`]
      : []),
    ...(number && first.facts.number !== number ? [`${of} is called ${first.facts.number}, not ${number}`] : []),
    ...(total && said && Number(said.amount) !== Number(total) ? [`${of} comes to ${said.amount}, not ${total}`] : []),
  ]
}
