import { z } from 'zod'
import type { Section } from '../../src/plugin/plugin.ts'
import { sentencesOf } from '../../src/plugin/sentences.ts'
import { factsFor, testEvent } from './events.ts'

const actors = ['client', 'staff', 'system', 'nobody', 'link'] as const

const Amount = z.looseObject({ amount: z.string(), currency: z.string() })
/** What of a record is sent. */
export const Value = z.union([z.string(), z.number(), z.boolean(), z.null(), Amount])

/** What is sent of an event. `fields` are what its sentence names. */
const shapeOf = (event: string, fields: string[]) =>
  z.strictObject({
    type: z.literal(event),
    timestamp: z.iso.datetime().describe('When it happened, in UTC.'),
    data: z.strictObject({
      id: z.string().describe('The id of its entry in the activity log.'),
      event: z.literal(event),
      workspace: z.strictObject({ id: z.string(), slug: z.string() }),
      client: z
        .strictObject({ id: z.string() })
        .nullable()
        .describe('The client that it is about, if it is about one.'),
      actor: z.strictObject({ kind: z.enum(actors), id: z.string().nullable(), name: z.string().nullable() }),
      subject: z
        .object(Object.fromEntries(['id', ...fields].map(it => [it, Value.optional()])))
        .catchall(Value)
        .describe('The record that it is about, as its sentence in the activity names it.'),
      at: z.iso.datetime(),
    }),
  })

/** What is posted to an endpoint. */
export type Payload = z.infer<ReturnType<typeof shapeOf>>

/** JSON Schemas (2020-12) of everything that may be sent, by event. */
export function jsonSchemas(plugins: Section[]) {
  const sentences: Record<string, string> = { ...sentencesOf(plugins), [testEvent]: '' }
  const schemas = Object.entries(sentences).map(([event, sentence]) => {
    const { $schema: _, ...schema } = z.toJSONSchema(shapeOf(event, Object.keys(factsFor(sentence))))
    return [event, schema] as const
  })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Webhooks',
    oneOf: schemas.map(([event]) => ({ $ref: `#/$defs/${event}` })),
    $defs: Object.fromEntries(schemas),
  }
}
