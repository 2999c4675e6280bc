import { randomUUID } from 'node:crypto'
import { until } from './until.ts'
import type { Scene, Visitor } from './visit.ts'

export const inbox = '/settings/client-portal/inbox'

type File = [name: string, content: Buffer | string]

/** Sends a form with files, or without. */
function send(request: any, fields: Record<string, string>, files: File[] = []) {
  if (!files.length) return request.type('form').send(fields)
  for (const [name, value] of Object.entries(fields)) request.field(name, value)
  for (const [name, content] of files) request.attach('files', Buffer.from(content), { filename: name })
  return request
}

const home = (who: Visitor) => `/portal/${who.person!.workspace}/messages`

/** Begins a conversation as a client does; gives its id. */
export async function begin(who: Visitor, text: string, more: Record<string, string> = {}, files: File[] = []) {
  const fields = { id: randomUUID(), title: 'Gift box', text, ...more }
  const { status, headers } = await send(who.agent.post(home(who)), fields, files)
  if (status !== 303) throw new Error(`not sent: ${status}`)
  return headers.location.match(/messages\/([0-9a-f-]{36})/)[1] as string
}

/** Writes in a conversation as a client does. */
export const write = (who: Visitor, thread: string, text: string, id: string = randomUUID(), files: File[] = []) =>
  send(who.agent.post(`${home(who)}/${thread}/messages`), { id, text }, files)

/** Answers as staff do. */
export const answer = (
  who: Visitor,
  thread: string,
  text: string,
  more: Record<string, string> = {},
  files: File[] = [],
) => send(who.agent.post(`${inbox}/${thread}/messages`), { id: randomUUID(), text, ...more }, files)

/** A conversation as this visitor has it. */
export const conversation = async (who: Visitor, thread: string) =>
  (await who.api(`/messages/${thread}`)).body.conversation

/** Jobs of this name that wait. */
const waitingJobs = ({ owner }: Scene, job: string) =>
  owner('portal_jobs.job').where({ name: 'plugins', state: 'created' }).whereRaw(`data ->> 'job' = ?`, [job])

/** Lets the time go by after which people are told of what they have not read, and waits until they are. */
export async function tellNow(scene: Scene, job = 'messages.tell', minutes = 2) {
  await scene.pass(minutes)
  await until(async () => (await waitingJobs(scene, job)).length > 0)
  await until(async () => {
    await waitingJobs(scene, job).update({ start_after: new Date(0) })
    return (await waitingJobs(scene, job)).length === 0
  }, 30)
}
