import { type ChildProcess, fork } from 'node:child_process'
import { extname, join } from 'node:path'
import { pino } from 'pino'
import { Problem } from '../http/errors.ts'

export interface Job {
  files: string[]
  document: object
  logo?: { type: string; bytes: Buffer }
}

/** `missing`: characters that no font has. */
export type Answer = { bytes: Buffer; missing?: string } | { error: string }

/** Too many documents are waiting to be made. */
class Busy extends Problem {
  status = 503
  code = 'busy'
  message = 'We’re busy making documents right now.'
  advice = 'Try again in a minute.'
}

/** One person has several on the way already. */
class OneByOne extends Problem {
  status = 429
  code = 'too-many-documents'
  message = 'Several of your documents are still being created.'
  advice = 'Wait for them to finish, then try again.'
}

/** A document that is very long, or a machine that has much else to do. */
class Slow extends Problem {
  status = 503
  code = 'slow'
  message = 'This document took too long to create.'
  advice = 'Choose a shorter period, or try again in a minute.'
}

/**
 * Processes at most, and one more for what is signed; documents that may wait, and of one person; how long one may take;
 * when an idle process goes. Times in milliseconds.
 */
const limits = { processes: 2, waiting: 50, each: 5, patience: 20_000, idle: 60_000 }

/** For whom a document is made. */
export interface Turn {
  /** Of one person one document is made at a time, and few may wait. Empty: for the portal itself. */
  by: string
  /** What is signed goes before what is only printed. */
  first?: boolean
}

interface Task extends Job {
  turn: Turn
  resolve(bytes: Buffer): void
  reject(error: Error): void
}

interface Worker {
  child: ChildProcess
  task: Task | undefined
  timer: NodeJS.Timeout | undefined
}

const workers = new Set<Worker>()
const waiting: Task[] = []
/** When each person had their last turn, counted, while anybody waits. */
const turns = new Map<string, number>()
let turn = 0
const log = pino()

/** Gives the work to a process that is free; the first ones start when there is something to do. */
export function compile(job: Job, turn: Turn): Promise<Buffer> {
  const own = turn.by && waiting.filter(it => it.turn.by === turn.by).length
  if (own && own >= limits.each) return Promise.reject(new OneByOne())
  if (!turn.first && waiting.length >= limits.waiting) return Promise.reject(new Busy())
  return new Promise((resolve, reject) => {
    waiting.push({ ...job, turn, resolve, reject })
    next()
  })
}

/** Lets the processes go; the next document starts one again. */
export function endPdf() {
  for (const it of workers) retire(it, new Error('The PDF processes were ended.'))
}

/** For tests. */
export const pdfProcesses = () => [...workers].map(it => it.child.pid)

function next() {
  const task = nextTask()
  const free = task && freeWorker()
  if (!free) return
  waiting.splice(waiting.indexOf(task), 1)
  if (task.turn.by) turns.set(task.turn.by, ++turn)
  if (!waiting.length) turns.clear()
  clearTimeout(free.timer)
  free.task = task
  free.timer = setTimeout(() => {
    log.error(`a PDF was not done after ${limits.patience / 1000} seconds`)
    retire(free, new Slow())
  }, limits.patience)
  free.child.send({ files: task.files, document: task.document, logo: task.logo })
  next()
}

/** Documents to be signed first; then one per person, the longest waiting first. */
function nextTask(): Task | undefined {
  const signed = waiting.find(it => it.turn.first)
  if (signed) return signed
  const busy = [...workers].flatMap(it => it.task ?? [])
  if (busy.length >= limits.processes) return undefined
  const free = waiting.filter(({ turn }) => !turn.by || !busy.some(it => it.turn.by === turn.by))
  const lastTurn = ({ turn }: Task) => turns.get(turn.by) ?? 0
  return free.reduce<Task | undefined>(
    (first, it) => (first && lastTurn(first) <= lastTurn(it) ? first : it),
    undefined,
  )
}

function freeWorker(): Worker | undefined {
  const idle = [...workers].find(it => !it.task)
  return idle ?? (workers.size <= limits.processes ? start() : undefined)
}

/** Without our environment, which holds secrets, and without our flags. */
function start(): Worker {
  const child = fork(join(import.meta.dirname, `worker${extname(import.meta.filename)}`), {
    serialization: 'advanced',
    env: {},
    execArgv: [],
  })
  const worker: Worker = { child, task: undefined, timer: undefined }
  child.on('message', (answer: Answer) => done(worker, answer))
  child.on('error', error => retire(worker, error))
  child.on('exit', (code, signal) => retire(worker, new Error(`The PDF process ended: ${signal ?? code}.`)))
  child.unref()
  child.channel?.unref()
  workers.add(worker)
  return worker
}

function done(worker: Worker, answer: Answer) {
  const { task } = worker
  worker.task = undefined
  clearTimeout(worker.timer)
  worker.timer = setTimeout(() => retire(worker, new Error('idle')), limits.idle).unref()
  if ('error' in answer) task?.reject(new Error(answer.error))
  else {
    if (answer.missing) log.warn({ characters: answer.missing }, 'no font has these characters of a PDF')
    task?.resolve(Buffer.from(answer.bytes))
  }
  next()
}

/** Its document fails; those that wait go to another process. */
function retire(worker: Worker, error: Error) {
  if (!workers.delete(worker)) return
  clearTimeout(worker.timer)
  worker.child.kill('SIGKILL')
  worker.task?.reject(error)
  next()
}
