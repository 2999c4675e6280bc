import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { isPagePattern } from '../pages.ts'
import { didYouMean } from './edit-distance.ts'
import { type CrmMap, sumRules } from './map.ts'
import type { Mapped } from './section.ts'
import { todosIn } from './todo.ts'

const name = z.string('must be a name').min(1, 'must be a name')
const formed = z.strictObject({
  column: name,
  json: name.optional(),
  html: z.boolean().optional(),
  prefix: z.string().optional(),
})
const text: z.ZodType = z.lazy(() =>
  z.union(
    [
      name,
      z.array(text).min(1),
      z.strictObject({ first: z.array(text).min(1) }),
      z.strictObject({ value: z.string() }),
      formed,
    ],
    'must be a column, a path, a list of them, { first }, { value } or { column, … }',
  ),
)
const values = z.record(
  name,
  z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]), 'must be a list of values').min(1),
)
const rows = {
  table: name.optional(),
  query: name.optional(),
  reads: z.record(name, z.array(name)).optional(),
  id: name.optional(),
  only: values.optional(),
  except: values.optional(),
  deleted: z.union([name, z.strictObject({ column: name, when: z.boolean() })]).optional(),
}
const owned = { ...rows, client: name, workspace: name.optional() }
const amounts = { currency: text, inCents: z.boolean().optional() }

const status = (words: [string, ...string[]]) =>
  z.strictObject({
    column: name,
    words: z.record(z.string(), z.enum(words, `must be one of ${words.join(', ')}`)),
    draft: z.array(z.string()).optional(),
  })

const lines = z.strictObject({
  ...rows,
  of: name,
  order: z.union([name, z.array(name).min(1)]),
  title: text,
  details: text.optional(),
  group: text.optional(),
  headings: values.optional(),
  ...{ quantity: name.optional(), unit: text.optional(), price: name.optional(), discount: name.optional() },
  ...{ tax: name.optional(), total: name, optional: name.optional(), chosen: name.optional() },
})

const host = z.strictObject({
  host: z.string().regex(/^[a-z0-9.:[\]-]+$/, 'must be a host in small letters, with its port where it has one'),
  inside: z.boolean().optional(),
})
/** The three places where a row may have its file. */
const files = <Shape extends z.ZodRawShape>(row: Shape) =>
  [
    z.strictObject({ ...row, under: z.string().refine(isAbsolute, 'must be the whole path of a folder'), path: text }),
    z.strictObject({
      ...row,
      at: text,
      hosts: z.array(host).min(1, 'must name a host'),
      headers: z.record(z.string(), z.string()).optional(),
    }),
    z.strictObject({ ...row, bytes: name }),
  ] as const
const file = z.union(
  [
    ...files({ ...rows, of: name.optional() }),
    z.strictObject({ read: z.custom<unknown>(it => typeof it === 'function') }),
  ],
  'must be { under, path }, { at, hosts }, { bytes } or { read }, with the whole path of a folder and hosts in small letters',
)
const attachments = z.union(
  files({ ...rows, of: name, name: text, type: text.optional(), size: name.optional() }),
  'must have `of`, `name`, and { under, path }, { at, hosts } or { bytes }, with the whole path of a folder and hosts in small letters',
)

const shared = {
  ...owned,
  ...{ name: text, folder: text.optional(), type: text.optional(), size: name, sharedOn: name },
  ...{ by: text.optional(), expiresOn: name.optional(), changedOn: name.optional() },
}
const [inFolder, ...others] = files(shared)
const documents = z.union(
  [inFolder.extend({ text: text.optional() }), ...others],
  'must have `client`, `name`, `size`, `sharedOn`, and { under, path }, { at, hosts } or { bytes }, with the whole path of a folder and hosts in small letters',
)

const taskValue = z.union(
  [
    z.enum(['state', 'time', 'date', 'name']),
    z.strictObject({ value: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
  ],
  'must be state, time, date, name or { value }',
)
const taskValues = z.record(name, taskValue).optional()
const tasks = z.strictObject({
  ...owned,
  changedOn: name.optional(),
  ...{ title: text, text: text.optional(), project: text.optional(), askedBy: text.optional() },
  ...{ dueOn: name.optional(), doneOn: name.optional(), repeats: text.optional() },
  status: status(['open', 'doing', 'done']),
  person: z.strictObject({ email: text, name: text }).optional(),
  items: z.strictObject({ ...rows, of: name, order: name, title: text, done: name }).optional(),
  changes: z
    .strictObject({ done: taskValues, undone: taskValues, moved: taskValues, off: z.boolean().optional() })
    .optional(),
})

const paper = {
  ...owned,
  ...amounts,
  ...{
    number: text,
    title: text.optional(),
    sentOn: name,
    changedOn: name.optional(),
    net: name.optional(),
    total: name,
  },
  ...{ discount: name.optional(), contact: text.optional(), lines: lines.optional() },
  file: file.optional(),
  exceptions: z.partialRecord(z.enum(sumRules), z.string().min(1, 'must say why')).optional(),
}

const said = z.union(
  [
    z.enum([
      'time',
      'date',
      'name',
      'email',
      'contact',
      'reason',
      'order number',
      'wished on',
      'note',
      'net',
      'tax',
      'total',
    ]),
    z.strictObject({ value: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
  ],
  'must be time, date, name, email, contact, reason, order number, wished on, note, net, tax, total or { value }',
)
const call = z.strictObject({
  method: z.enum(['POST', 'PUT', 'PATCH']).optional(),
  url: z.string().regex(/^(https?:\/\/|\{env \w+\})/, 'must be an address'),
  headers: z.record(name, z.string()).optional(),
  body: z.unknown().optional(),
  ...{ key: name.optional(), conflicts: z.array(z.int()).optional() },
  ...{ numericIds: z.boolean().optional(), numericAmounts: z.boolean().optional() },
  escape: z.literal('html').optional(),
  check: z
    .string()
    .regex(/^(https?:\/\/|\{env \w+\})/, 'must be an address')
    .optional(),
})
const answer = z.union(
  [
    z.strictObject({ set: z.record(name, said) }),
    z.strictObject({ call: z.union([call, z.array(call).min(1)]) }),
    z.strictObject({ run: z.custom<() => Promise<unknown>>(it => typeof it === 'function') }),
  ],
  'must be { set }, { call } or { run }',
)

const contactChange = z.union(
  [
    z.strictObject({
      set: z.strictObject({ name: name.optional(), email: name.optional(), phone: name.optional() }),
    }),
    z.strictObject({ call: z.union([call, z.array(call).min(1)]) }),
    z.strictObject({ run: z.custom<() => Promise<unknown>>(it => typeof it === 'function') }),
  ],
  'must be { set } with columns for name, email or phone, { call } or { run }',
)

const record = z.strictObject({
  ...{ off: z.boolean().optional(), key: name },
  methods: z
    .strictObject({ card: name, 'direct debit': name, ideal: name, 'bank transfer': name, other: name })
    .optional(),
  call: z.union([call, z.array(call).min(1)], 'must be a call, or a list of them'),
  share: z.custom<unknown>(it => typeof it === 'function', 'must be a function').optional(),
})

const offers = z.strictObject({
  responses: z
    .strictObject({
      off: z.boolean().optional(),
      accepted: answer,
      declined: answer.optional(),
      selection: z.boolean().optional(),
      parts: z.boolean().optional(),
    })
    .optional(),
  ...paper,
  status: status(['open', 'accepted', 'declined', 'withdrawn', 'expired']),
  ...{ validUntil: name.optional(), version: name.optional(), intro: text.optional(), terms: text.optional() },
  attachments: attachments.optional(),
  ...{
    owner: text.optional(),
    ownerEmail: text.optional(),
    respondedOn: name.optional(),
    respondedBy: text.optional(),
    responseNote: text.optional(),
    downPayment: z
      .union(
        [
          z.strictObject({ percent: name, only: values.optional() }),
          z.strictObject({ fraction: name, only: values.optional() }),
          z.strictObject({ amount: name, only: values.optional() }),
        ],
        'must be { percent }, { fraction } or { amount }',
      )
      .optional(),
  },
})

const account = z.strictObject({
  ...{ holder: text, bank: text.optional(), iban: text.optional() },
  ...{ number: text.optional(), code: text.optional(), bic: text.optional() },
})

const workspaces = z.strictObject({
  ...rows,
  slug: z.union([name, z.strictObject({ madeOf: name })]),
  ...{ name: text, letterhead: z.array(text).optional(), colour: text.optional(), timeZone: text.optional() },
  ...{ logo: name.optional(), account: account.optional() },
})

const oneWorkspace = z.strictObject({
  only: z.strictObject({
    ...{ id: name, slug: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be small letters, digits and -'), name },
    ...{ letterhead: z.array(z.string()).optional(), colour: z.string().optional(), timeZone: z.string().optional() },
    account: account.optional(),
  }),
})

const Shape = z.strictObject({
  timestamps: z.string().refine(isZone, 'must be a time zone, as Europe/Madrid').optional(),
  workspaces: z.unknown(),
  clients: z.strictObject({
    ...rows,
    ...{ workspace: name.optional(), name: text, address: z.array(text).optional() },
    manager: z.strictObject({ name: text, email: text }).optional(),
  }),
  contacts: z.strictObject({
    ...rows,
    ...{ client: name, name: text, email: name, language: text.optional(), phone: text.optional() },
    change: contactChange.optional(),
  }),
  proposals: offers.optional(),
  quotations: offers.optional(),
  invoices: z
    .strictObject({
      ...paper,
      status: status(['open', 'paid', 'cancelled']).optional(),
      dueOn: name.optional(),
      balance: z.union([name, z.strictObject({ less: z.array(name).min(1) })]).optional(),
      ...{
        orderNumber: text.optional(),
        remarks: text.optional(),
        remindedOn: name.optional(),
        reference: text.optional(),
        closedOn: name.optional(),
        cumulative: values.optional(),
      },
      credit: z.strictObject({ ...owned, ...amounts, amount: name }).optional(),
      creditNotes: z
        .strictObject({ ...rows, invoice: name, number: text, on: name, reason: text.optional(), total: name })
        .optional(),
    })
    .optional(),
  payments: z
    .strictObject({
      ...owned,
      ...amounts,
      ...{ on: name, amount: name, reference: text.optional(), payer: text.optional() },
      method: z
        .strictObject({
          column: name,
          words: z.record(
            z.string(),
            z.enum(['bank transfer', 'card', 'direct debit', 'ideal', 'cash', 'cheque', 'other']),
          ),
        })
        .optional(),
      invoice: z.union([name, z.strictObject({ ...rows, payment: name, invoice: name, amount: name })]).optional(),
      record: record.optional(),
    })
    .optional(),
  documents: documents.optional(),
  tasks: tasks.optional(),
  identity: z.strictObject({ ...rows, workspace: name.optional(), email: name, password: name }).optional(),
  staff: z
    .strictObject({ ...rows, workspace: name.optional(), name: text, email: name, password: name, admin: name })
    .optional(),
  pages: z
    .record(
      name,
      z
        .string()
        .refine(
          isPagePattern,
          'must be a path, or an address with https; {id}, {workspace} and {env NAME} are filled in',
        ),
    )
    .optional(),
})

/** What is wrong with a map before any database is looked at, a sentence each: `invoices.totl: no such entry; …`. */
export function shapeProblems(map: unknown, plugins: Mapped[] = []): string[] {
  const it = map as { workspaces?: { only?: { id?: unknown } } } | undefined
  const one = typeof it?.workspaces?.only?.id === 'string'
  const parts = plugins.flatMap(({ name, mapping }) => (mapping ? [[name, mapping.shape.optional()]] : []))
  const whole = Shape.extend({ workspaces: one ? oneWorkspace : workspaces, ...Object.fromEntries(parts) })
  const result = whole.safeParse(map ?? {})
  const todos = todosIn(map)
  const undecided = todos.map(({ path, question }) => `${path.join('.')}: still a todo: ${question}`)
  const issues = result.success ? [] : result.error.issues.filter(it => !concerns(it, todos)).flatMap(told)
  return [...undecided, ...issues, ...sources(map as Record<string, unknown>)]
}

/** Whether an issue is only that something is still to be decided: at its place, or in a union around it. */
function concerns(issue: z.core.$ZodIssue, todos: { path: string[] }[]): boolean {
  const at = issue.path.map(String)
  const begins = (long: string[], short: string[]) => short.every((step, n) => long[n] === step)
  return todos.some(({ path }) => begins(at, path) || (issue.code === 'invalid_union' && begins(path, at)))
}

function told(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.map(String)
  const path = (more: string[] = []) => [...at, ...more].join('.') || 'the map'
  if (issue.code !== 'unrecognized_keys') {
    const missing = issue.code === 'invalid_type' && issue.message.includes('undefined')
    return [`${path()}: ${missing ? 'is missing' : issue.message}`]
  }
  return issue.keys.map(key => `${path([key])}: no such entry${didYouMean(key, entriesAt(at))}`)
}

/** The entries that there may be at a place, for a near match. */
function entriesAt(path: string[]): string[] {
  let shape: any = Shape.extend({ workspaces })
  for (const step of path) {
    while (shape?.def?.innerType) shape = shape.def.innerType
    shape = shape?.def?.shape?.[step]
  }
  while (shape?.def?.innerType) shape = shape.def.innerType
  return Object.keys(shape?.def?.shape ?? {})
}

/** Where rows come from is either a table or a query that says what it reads. */
function sources(map: Record<string, any> | undefined): string[] {
  const places = [
    'workspaces',
    'clients',
    'contacts',
    'proposals',
    'quotations',
    'invoices',
    'payments',
    'documents',
    'tasks',
    'identity',
    'staff',
  ]
  const its = places.flatMap((place): [string, any][] => [
    [place, map?.[place]],
    [`${place}.lines`, map?.[place]?.lines],
    [`${place}.attachments`, map?.[place]?.attachments],
    [`${place}.creditNotes`, map?.[place]?.creditNotes],
    [`${place}.credit`, map?.[place]?.credit],
    [`${place}.items`, map?.[place]?.items],
  ])
  return its.flatMap(([place, it]) => {
    if (typeof it !== 'object' || it === null || (place === 'workspaces' && typeof it.only?.id === 'string')) return []
    const file = it.file
    if (file && Boolean(file.of) !== Boolean(file.table || file.query))
      return [`${place}.file: a table of its own needs \`of\`, the column that leads to the document`]
    if ((it.change?.set || it.changes) && !it.table)
      return [`${place}.${it.changes ? 'changes' : 'change'}: columns can be set of a table only`]
    if (Boolean(it.table) === Boolean(it.query)) return [`${place}: name a table, or a query`]
    return it.query && !it.reads ? [`${place}: say in reads which tables and columns the query reads`] : []
  })
}

function isZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

/** Returns the map, or throws a TypeError that lists all its problems. */
export function shaped(map: CrmMap, plugins: Mapped[] = []): CrmMap {
  const problems = shapeProblems(map, plugins)
  if (problems.length) throw new TypeError(`crm.map: ${problems.join('\ncrm.map: ')}`)
  return map
}
