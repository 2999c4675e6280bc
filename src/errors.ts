/** What a visitor may be told: a stable code, and a sentence that goes through `t`. */
export class Problem extends Error {
  status = 500
  code = 'unexpected'
  message = 'Something went wrong on our side.'
  /** What to do about it. */
  advice = 'Please try again in a minute. If it stays like this, tell us and name this number.'
}

export class Unreadable extends Problem {
  status = 400
  code = 'unreadable'
  message = 'This request could not be read.'
  advice = 'Please go back and try once more.'
}

/** A body larger than any form or request of ours. */
export class TooLarge extends Problem {
  status = 413
  code = 'too-large'
  message = 'This is too large to be read.'
  advice = 'Please shorten what you typed, and send it again.'
}

export class SignedOut extends Problem {
  status = 401
  code = 'signed-out'
  message = 'Please sign in.'
  advice = 'You were signed out, for instance because you were away for long.'
}

/** A token that lets nobody in: RFC 6750 has its own word for it. */
export class BadToken extends SignedOut {
  code = 'invalid-token'
  message = 'This token is not good, or not any more.'
  advice = 'Get a new one with the proofs of the person.'
}

/** Two requests with one refresh token at once. */
export class Refreshed extends Problem {
  status = 409
  code = 'refreshed'
  message = 'This token was used a moment ago.'
  advice = 'Go on with what the other request was answered.'
}

export class Forbidden extends Problem {
  status = 403
  code = 'forbidden'
  message = 'You are not allowed to do this.'
  advice = 'Your role does not include it. An admin of your company can change that.'
}

export class ProofNeeded extends Forbidden {
  code = 'proof-needed'
  message = 'Please confirm that it is you.'
  advice = 'This needs a fresh proof of who you are.'
}

/** A form that another site sent. */
export class CrossSite extends Forbidden {
  code = 'cross-site'
  message = 'This form came from another site.'
  advice = 'Open the page here and send it again.'
}

/** Also for what is somebody else's. */
export class NotFound extends Problem {
  status = 404
  code = 'not-found'
  message = 'There is nothing here.'
  advice = 'The address may be mistyped, or what was here is not shared with you any more.'
}

export class Conflict extends Problem {
  status = 409
  code = 'conflict'
  message = 'This has changed meanwhile.'
  advice = 'Below is how it is now.'
}

/** A link that was good once. */
export class Gone extends Problem {
  status = 410
  code = 'gone'
  message = 'This link is no longer good.'
  advice = 'It was used already, or its time is over. Ask for a new one.'
}

/** Sentences by field, and what was typed, so that nobody has to type it again. */
export class Invalid extends Problem {
  status = 422
  code = 'invalid'
  message = 'Please look at the marked fields.'
  advice = 'Nothing was saved yet, and what you typed is still here.'
  errors: Record<string, string[] | undefined>
  typed: unknown

  constructor(errors: Invalid['errors'], typed: unknown) {
    super()
    this.errors = errors
    this.typed = typed
  }
}

/** `seconds` is how long to wait. */
export class TooOften extends Problem {
  status = 429
  code = 'too-often'
  message = 'That was tried too often.'
  advice = 'Wait a little before you try again.'
  seconds: number
  /** Of what there was too much. */
  limit: string
  /** Whether a way out is on its way by mail, to whoever has the account. */
  mailed = false
  /** Without what is secret. */
  typed: object = {}

  constructor(seconds: number, limit: string) {
    super()
    this.seconds = seconds
    this.limit = limit
  }
}

/** Of a period or a list with more in it than a port tells at once. */
export class TooMany extends Problem {
  status = 422
  code = 'too-many'
  message = 'This is more than we can put together at once.'
  advice = 'Choose a shorter period.'
}

/** For a while. */
export class Unavailable extends Problem {
  status = 503
  code = 'unavailable'
  message = 'We cannot answer right now.'
  advice = 'Nothing is lost. Please try again in a minute.'
}

/** The database or the CRM cannot be reached; it heals by itself. */
export class CrmUnavailable extends Unavailable {
  message = 'We cannot reach our books right now.'
}
