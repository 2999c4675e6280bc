type Type = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'

interface Details {
  code?: string
  param?: string
  decline_code?: string
  [more: string]: unknown
}

/** An error as Stripe's API answers it. */
export class ApiError extends Error {
  readonly status: number
  readonly type: Type
  readonly details: Details
  /** Found before the endpoint began: Stripe does not keep such an answer for its idempotency key. */
  readonly early: boolean

  constructor(message: string, options: { status?: number; type?: Type; early?: boolean } & Details = {}) {
    const { status = 400, type = 'invalid_request_error', early = false, ...details } = options
    super(message)
    this.status = status
    this.type = type
    this.early = early
    this.details = details
  }

  body(): object {
    const { code } = this.details
    const doc_url = code && `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`
    return { error: { ...this.details, doc_url, message: this.message, type: this.type } }
  }
}

export const missing = (param: string) =>
  new ApiError(`Missing required param: ${param}.`, { code: 'parameter_missing', param, early: true })

export const unknownParam = (param: string) =>
  new ApiError(`Received unknown parameter: ${param}`, { code: 'parameter_unknown', param, early: true })

export const invalid = (message: string, param: string, code?: string) =>
  new ApiError(message, { param, code, early: true })

/** The object of the address is not there: 404. An object named by a parameter: 400, by `status`. */
export const noSuch = (what: string, id: string, param = 'id', status = 404) =>
  new ApiError(`No such ${what}: '${id}'`, { status, code: 'resource_missing', param })
