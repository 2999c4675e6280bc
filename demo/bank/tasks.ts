import { cardBehaviour } from './cards.ts'
import { capture } from './charges.ts'
import { fail, settle } from './checkout.ts'
import type { Core } from './core.ts'
import { openDispute } from './disputes.ts'
import { ApiError } from './errors.ts'
import { find } from './intents.ts'
import type { Task } from './objects.ts'
import { failRefund, settleRefund } from './refunds.ts'
import { expireSession } from './sessions.ts'

/** Does what is due on its own. `tick` does it now; a timer does it otherwise. */
export function createTasks(core: Core): { tick(): void; close(): void } {
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function tick(): void {
    const { state } = core
    for (;;) {
      const due = state.tasks.filter(({ at }) => at <= core.now()).toSorted((a, b) => a.at - b.at)
      if (!due.length) break
      state.tasks = state.tasks.filter(task => !due.includes(task))
      core.store.changed()
      for (const task of due) perform(core, task)
    }
    plan()
  }

  function plan(): void {
    clearTimeout(timer)
    if (closed || !core.state.tasks.length) return
    const next = Math.min(...core.state.tasks.map(({ at }) => at))
    timer = setTimeout(tick, Math.min(Math.max(0, next - core.now()), hour))
    timer.unref()
  }

  core.planned = plan
  plan()
  return {
    tick,
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
const hour = 3600 * 1000

const actions: Record<Task['kind'], (core: Core, id: string) => unknown> = {
  settle,
  fail,
  capture,
  dispute: disputeCharge,
  expire: expireSession,
  refund: settleRefund,
  'refund-fail': failRefund,
}

/** What somebody has done by hand in the meantime is not done again. */
function perform(core: Core, { kind, id }: Task): void {
  try {
    actions[kind](core, id)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

function disputeCharge(core: Core, id: string): void {
  const charge = find(core.state.charges, id)
  if (!charge) return
  const number = core.state.accounts[charge.payment_method ?? '']?.behaviour ?? ''
  openDispute(core, charge, charge.id.startsWith('ch') ? cardBehaviour(number).dispute : 'debit_not_authorized')
}
