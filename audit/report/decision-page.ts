import type { Decision } from '../decisions.ts'
import type { Doubt } from '../doubts.ts'
import { type QuestionId, questionnaire, topicOf } from '../questionnaire.ts'
import type { Recorded } from '../recorded.ts'
import type { AuditJson, Conclusion } from '../result.ts'
import { effort } from './effort.ts'
import { code, withStatus } from './text.ts'

const mostPlaces = 5

/** The half page that somebody decides by. */
export function decisionPage(audit: Conclusion): string[] {
  const { json, looked, support, notes } = audit
  return [
    '## Decision',
    '',
    `**${verdict(json, looked)}** ${support.sentence}`,
    '',
    ...unread(notes),
    ...whatYouHave(json),
    ...whatIsAdded(audit),
    ...whatToLookAt(audit),
    ...effort(audit),
  ]
}

/** One sentence on the whole; it says no more than the answers do. */
function verdict({ answers }: AuditJson, looked: Conclusion['looked']): string {
  const { A1, B3 } = answers
  const undecided = Object.values(answers).every(it => it.status === 'not-examined' || it.status === 'partial')
  if (undecided || A1.status === 'not-examined')
    return looked.source
      ? 'Not decided: too little of the source could be read. Open the places below before anything is built.'
      : 'Not decided: what was given is not enough to tell. Run the audit again with the source.'
  if (A1.status === 'implemented' && B3.status === 'implemented') return 'This CRM has a client portal of its own.'
  if (A1.status !== 'missing' || withoutSignIn.some(it => isThere(answers[it].status)))
    return 'This CRM has parts of a client portal.'
  if (withoutSignIn.some(it => answers[it].status === 'not-examined'))
    return 'No client portal was found in what could be read; other answers are not examined.'
  return 'This CRM has no client portal.'
}

/** Where one of these is there, clients see something, with or without signing in. */
const withoutSignIn: QuestionId[] = ['B1', 'B2', 'B3', 'B4', 'B5', 'C1', 'C2', 'C3', 'C4']

const isThere = (status: string) => status === 'implemented' || status === 'partial'

/** The first few; the rest are in the appendix. */
function unread(notes: string[]): string[] {
  const all = [...new Set(notes)]
  const more = all.length > 4 ? [`- and ${all.length - 4} more, in the appendix`] : []
  const list = [...all.slice(0, 4).map(it => `- ${it}`), ...more]
  return list.length ? ['What could not be looked at, or needs a word:', '', ...list, ''] : []
}

function whatYouHave({ answers, data, recorded = [] }: AuditJson): string[] {
  const counts = (['implemented', 'partial', 'missing', 'not-examined'] as const).map(it => withStatus(answers, it))
  const [implemented, partial, missing, unexamined] = counts as [QuestionId[], QuestionId[], QuestionId[], QuestionId[]]
  const documents = (['proposals', 'quotations', 'invoices', 'payments'] as const)
    .filter(it => data[it].table !== null)
    .map(it => `${it} (${code(data[it].table!)})`)
  return [
    '### What you have',
    '',
    '| implemented | partial | missing | not examined |',
    '|---|---|---|---|',
    `| ${counts.map(it => it.length).join(' | ')} |`,
    '',
    `- **For clients:** ${topics(implemented) || 'nothing'}`,
    ...(topics(partial) ? [`- **Half of it:** ${topics(partial)}`] : []),
    ...(topics(unexamined)
      ? [`- **Not examined:** ${unexamined.length > 20 ? 'nearly all' : topics(unexamined)}`]
      : []),
    ...(missing.length < 10 && topics(missing) ? [`- **Missing:** ${topics(missing)}`] : []),
    ...answeredBy(recorded),
    `- **For staff:** ${documents.join(', ') || 'no table of proposals, quotations, invoices or payments was found'}`,
    '',
  ]
}

/** Who answered what, in the audit's place. */
function answeredBy(recorded: Recorded[]): string[] {
  const byPerson = Map.groupBy(recorded, it => `${it.by}, ${it.on}`)
  const said = [...byPerson].map(([who, its]) => `${its.map(it => it.about).join(', ')} (${who})`)
  return said.length ? [`- **Answered by people:** ${said.join('; ')}`] : []
}

/** What clients notice; storage, tokens and addresses are in the tables below. */
const topics = (ids: QuestionId[]) =>
  ids
    .filter(it => /^([BCF]|A1|A4)/.test(it))
    .map(name)
    .join(', ')

function whatIsAdded({ json: { answers }, parts, support }: Conclusion): string[] {
  const of = (decision: Decision) => questionnaire.map(it => it.id).filter(it => answers[it].decision === decision)
  const adds = (ids: QuestionId[]) => [...new Set(ids.flatMap(it => parts[it]))].join('; ')
  const [build, complete] = [of('build'), of('complete')]
  const rest = complete.filter(it => parts[it].some(part => !build.some(id => parts[id].includes(part))))
  const title = support.portal === 'no' ? 'What Portico would add on PostgreSQL' : 'What Portico would add'
  const [look, none] = [of('look').filter(it => parts[it].length), of('none')]
  return [
    `### ${title}`,
    '',
    `- **New:** ${adds(build) || 'nothing'}`,
    ...(rest.length ? [`- **Beside what you have:** ${adds(rest)}`] : []),
    ...(look.length ? [`- **If it turns out to be missing:** ${adds(look)}`] : []),
    ...(topics(none) ? [`- **Not in this version, or nothing to show:** ${topics(none)}`] : []),
    '',
  ]
}

type Look = Pick<Doubt, 'about' | 'question' | 'found' | 'places'>

/** One place to look at, for all doubts that have the same reason. */
function toLookAt(doubts: Look[]): string {
  const [{ found, places }] = doubts as [Look]
  const ids = questionnaire.map(it => it.id).filter(id => doubts.some(it => it.about === id))
  const asked =
    ids.length > 1 && ids.length === doubts.length
      ? `What do clients have of these: ${ids.map(name).join(', ')}?`
      : doubts.map(it => it.question).join(' ')
  return `**${asked}** So far ${found}${places.length ? ` Open ${places.map(code).join(', ')}.` : ''}`
}

const name = (id: QuestionId) => `${topicOf(id)} (${id})`

/** Without the source the answers about code are one doubt. */
const sourceIsMissing: Look = {
  about: 'source',
  question: 'What may clients see and do today?',
  found: 'not examined: only the source tells. Give it (`--source`), or say what you know (`--ask`).',
  places: [],
}

function whatToLookAt({ doubts: all, looked }: Conclusion): string[] {
  const doubts = looked.source ? all : [sourceIsMissing, ...all.filter(it => !/^[A-F]\d$/.test(it.about))]
  const alike = [...Map.groupBy(doubts, it => `${it.found} ${it.places}`).values()]
  const shown = alike.slice(0, mostPlaces)
  const first = shown.map((its, n) => `${n + 1}. ${toLookAt(its)}`)
  const more = doubts.length - shown.flat().length
  const rest =
    more > 0
      ? ['', `${more} more ${more === 1 ? 'answer is' : 'answers are'} below; \`--ask\` goes through the first eight.`]
      : []
  const none = ['Nothing that would change a decision. Check the data map line by line all the same.']
  return ['### Look at this before you believe it', '', ...(first.length ? [...first, ...rest] : none), '']
}
