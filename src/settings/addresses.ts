import { z } from 'zod'

const invalid = 'One of these is not a valid e-mail address.'

/** A text field of e-mail addresses, one a line or separated by commas: each once, in small letters, at most twenty. */
export const addresses = z
  .string()
  .default('')
  .transform(it => [...new Set(it.toLowerCase().split(separators).filter(Boolean))])
  .pipe(z.array(z.email(invalid).max(254, invalid)).max(20, 'Enter at most 20 addresses.'))

const separators = /[\s,;]+/
