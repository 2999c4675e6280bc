import { isDiskFull, StoreFull, StoreUnavailable } from '../platform/files.ts'

/** An error that clients may see: a status, a stable code, and a translated sentence. */
export class Problem extends Error {
  status = 500
  code = 'unexpected'
  message = 'Something went wrong on our end.'
  /** What the reader can do about it. */
  advice = 'Try again in a minute. If it keeps happening, contact us and mention the number below.'
}

export class Unreadable extends Problem {
  status = 400
  code = 'unreadable'
  message = 'This request could not be read.'
  advice = 'Go back and try again.'
}

/** 413: a body larger than any of our forms or requests. */
export class TooLarge extends Problem {
  status = 413
  code = 'too-large'
  message = 'This is too long.'
  advice = 'Shorten it and try again.'
}

export class SignInRequired extends Problem {
  status = 401
  code = 'signed-out'
  message = 'Please sign in.'
  advice = 'You were signed out, perhaps because you were away for a while.'
}

/** A token that is not valid; RFC 6750 has an error code of its own for it. */
export class InvalidToken extends SignInRequired {
  code = 'invalid-token'
  message = 'This token is invalid or has expired.'
  advice = 'Sign the person in again to get a new one.'
}

/** Two requests with one refresh token at the same time. */
export class Refreshed extends Problem {
  status = 409
  code = 'refreshed'
  message = 'This token was used a moment ago.'
  advice = 'Use the response to the other request.'
}

/** 403: this person may not do this. */
export class Forbidden extends Problem {
  status = 403
  code = 'forbidden'
  message = 'You don’t have permission to do this.'
  advice = 'Your role doesn’t allow it. An admin at your company can change that.'
}

export class VerificationRequired extends Forbidden {
  code = 'verification-required'
  message = 'Confirm that it’s you.'
  advice = 'Confirm that it’s you to continue.'
}

/** A form that another site sent. */
export class CrossSite extends Forbidden {
  code = 'cross-site'
  message = 'This form came from another site.'
  advice = 'Open the page here and try again.'
}

/** 404: there is no such record, or it belongs to somebody else. */
export class NotFound extends Problem {
  status = 404
  code = 'not-found'
  message = 'Page not found'
  advice = 'The address may be mistyped, or this is no longer shared with you.'
}

/** 409: the record changed, or somebody else was first. */
export class Conflict extends Problem {
  status = 409
  code = 'conflict'
  message = 'This has changed in the meantime.'
  advice = 'Here is the current version.'
}

/** 410: a link that is used, revoked or expired. */
export class Gone extends Problem {
  status = 410
  code = 'gone'
  message = 'This link has expired'
  advice = 'It was already used, or it is too old. Request a new one.'
  /** The page that gives a new one. */
  next: { path: string; label: string } | undefined

  constructor(next?: { path: string; label: string }) {
    super()
    this.next = next
  }
}

/** 422: messages by field, and the input, so that nobody has to enter it again. */
export class Invalid extends Problem {
  status = 422
  code = 'invalid'
  message = 'Check the highlighted fields.'
  advice = 'Nothing was saved yet. What you entered is still here.'
  errors: Record<string, string[] | undefined>
  typed: unknown

  constructor(errors: Invalid['errors'], typed: unknown) {
    super()
    this.errors = errors
    this.typed = typed
  }
}

/** 429: too many attempts. `seconds` is how long to wait. */
export class RateLimited extends Problem {
  status = 429
  code = 'rate-limited'
  message = 'Too many attempts.'
  advice = 'Wait a moment before you try again.'
  seconds: number
  /** The limit that was exceeded. */
  limit: string
  /** Whether the account's owner is mailed a link that unlocks it. */
  mailContext = false
  /** The input, without secrets. */
  typed: object = {}

  constructor(seconds: number, limit: string) {
    super()
    this.seconds = seconds
    this.limit = limit
  }
}

/** 422: a period or list with more entries than can be returned at once. */
export class TooMany extends Problem {
  status = 422
  code = 'too-many'
  message = 'This period has too many transactions to show.'
  advice = 'Choose a shorter period.'
}

/** 503: temporarily unavailable. */
export class Unavailable extends Problem {
  status = 503
  code = 'unavailable'
  message = 'We cannot answer right now.'
  advice = 'Nothing is lost. Try again in a minute.'
}

/** 503: the CRM or its database cannot be reached. The page retries by itself. */
export class CrmUnavailable extends Unavailable {
  message = 'This information is temporarily unavailable.'
}

/** 503: the file store cannot be reached, or fails. */
class FilesUnavailable extends Unavailable {
  code = 'files-unavailable'
  message = 'Files are temporarily unavailable.'
  advice = 'Try again in a few minutes. Files that you were sending were not saved.'
}

/** 507: the file store is full. */
export class StorageFull extends Problem {
  status = 507
  code = 'storage-full'
  message = 'There is no space left to store files.'
  advice = 'Nothing was saved. Contact us, so that we can make space, and send it again later.'
}

/** A file store's error as a problem; undefined for any other. */
export function ofStore(error: unknown): Problem | undefined {
  // The library that takes uploads hands on what the disk says.
  if (error instanceof StoreFull || isDiskFull(error)) return Object.assign(new StorageFull(), { cause: error })
  if (error instanceof StoreUnavailable) return Object.assign(new FilesUnavailable(), { cause: error })
  return undefined
}
