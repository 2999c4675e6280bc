import { z } from 'zod'
import type { Invalid } from '../http/errors.ts'
import type { Signature } from './evidence.ts'
import { fitsName } from './signer-name.ts'
import { strokesIn } from './strokes.ts'

const name = z
  .string()
  .trim()
  .max(200, 'This is too long.')
  .transform(it => it.toWellFormed())

/** The form fields of a signature. */
export const signatureFields = {
  how: z.enum(['drawn', 'typed', 'ticked']).optional().catch(undefined),
  strokes: z.string().catch(''),
  typed: name.catch(''),
  /** The typed name once more, where it is not the name of the account and the signer says so. */
  confirmed: name.optional().catch(undefined),
}

const Fields = z.object(signatureFields)

/** The signature in a form, or what is wrong with it, by field. `name` is the signer's name in their account. */
export function signatureIn(
  { how, strokes, typed, confirmed }: z.infer<typeof Fields>,
  methods: readonly Signature['method'][],
  name: string,
): { signature?: Signature; wrong: Invalid['errors'] } {
  const method = how ?? (methods.length === 1 ? methods[0] : undefined)
  if (method && !methods.includes(method)) return { wrong: { selection: ['Choose one of the signature methods.'] } }
  if (method === 'ticked') return { signature: { method }, wrong: {} }
  if (method === 'typed') return typedSignature(typed, confirmed, name)
  const drawn = method === 'drawn' ? strokesIn(strokes) : undefined
  if (drawn) return { signature: { method: 'drawn', strokes: drawn }, wrong: {} }
  return { wrong: { strokes: ['Draw your signature, or type your name.'] } }
}

function typedSignature(typed: string, confirmed: string | undefined, name: string): ReturnType<typeof signatureIn> {
  if (!typed) return { wrong: { typed: ['Enter your full name.'] } }
  if (fitsName(typed, name)) return { signature: { method: 'typed', text: typed, name: 'account' }, wrong: {} }
  if (confirmed === typed) return { signature: { method: 'typed', text: typed, name: 'confirmed' }, wrong: {} }
  return { wrong: { typed: ['This is not the name of this account. Correct it, or confirm it below.'] } }
}
