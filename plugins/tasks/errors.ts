import { Conflict } from '../../src/http/errors.ts'

/** 409: somebody has completed it in the meantime. Whoever asks for the same finds what they wanted. */
export class AlreadyDone extends Conflict {
  code = 'already-done'
  message = 'This task is already done.'
}

/** 409: it was completed too long ago. */
export class UndoExpired extends Conflict {
  code = 'undo-expired'
  message = 'This can’t be undone any more.'
  advice = 'A task can be reopened for 30 minutes. Ask about it below if it isn’t done after all.'
}

/** 409: the task went on after it was completed. */
export class ChangedSince extends Conflict {
  code = 'changed-since'
  message = 'This can’t be undone: the task has changed since.'
  advice = 'Here is the current version. Ask about it below if it isn’t done after all.'
}

/** 409: the CRM does not let clients do this, or nothing can be done with a task in this state. */
export class NotOffered extends Conflict {
  code = 'not-offered'
  message = 'This task can’t be changed here.'
}
