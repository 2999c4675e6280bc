import { mkdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type {
  Account,
  Answered,
  BankEvent,
  Charge,
  Checkout,
  Customer,
  Delivery,
  Dispute,
  Endpoint,
  Intent,
  Mandate,
  Method,
  Refund,
  Session,
  Setup,
  Task,
  Transaction,
} from './objects.ts'

type ById<T> = Record<string, T>

/** All that the bank knows. Each table is in the order of creation. */
export interface State {
  account: string
  created: number
  /** Webhooks wait until they are released. */
  held: boolean
  sessions: ById<Session>
  checkouts: ById<Checkout>
  intents: ById<Intent>
  setups: ById<Setup>
  charges: ById<Charge>
  refunds: ById<Refund>
  disputes: ById<Dispute>
  methods: ById<Method>
  accounts: ById<Account>
  mandates: ById<Mandate>
  customers: ById<Customer>
  transactions: ById<Transaction>
  endpoints: ById<Endpoint>
  events: ById<BankEvent>
  deliveries: Delivery[]
  tasks: Task[]
  answered: ById<Answered>
}

export interface Store {
  state: State
  /** Says that the state has changed. It is written soon, or before `saved` resolves. */
  changed(): void
  /** Resolves when everything so far is on disk. */
  saved(): Promise<void>
}

/** Keeps the state in a file, or in memory without one. The file is replaced at once: a crash leaves the old one. */
export function openStore(file: string | undefined, empty: () => State): Store {
  const state = (file && readState(file)) || empty()
  let dirty = false
  let writing: Promise<void> | undefined

  async function write(path: string): Promise<void> {
    dirty = false
    try {
      await replaceFile(path, JSON.stringify(state))
    } catch (error) {
      dirty = true
      throw error
    } finally {
      writing = undefined
    }
  }

  async function saved(): Promise<void> {
    while (file && (dirty || writing)) {
      writing ??= write(file)
      await writing
    }
  }

  return {
    state,
    saved,
    changed() {
      if (!file || dirty) return
      dirty = true
      setImmediate(() => saved().catch(error => console.error('the demo bank could not save', error)))
    },
  }
}

function readState(file: string): State | undefined {
  mkdirSync(dirname(file), { recursive: true })
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`
  const handle = await open(next, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(next, path)
}
