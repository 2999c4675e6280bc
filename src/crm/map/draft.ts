import type { Catalogue, Kind } from '../catalogue.ts'
import { comment, type Found, type Guess, guess, key, line, type Place, placeIn, quoted, tableLike } from './guess.ts'

/**
 * A first `crm.map.ts` out of what an audit found, for a developer to check: each line says how sure it is and what
 * else was considered. `catalogue` is of the audit's tables.
 */
export async function draft(data: Record<string, Place>, catalogue: Catalogue, valuesOf: ValuesOf): Promise<string> {
  const thing = (name: string) => placeIn(data[name], catalogue)
  const tenants = thing('tenants')
  const clients = thing('clients')
  const invoiced = thing('invoices')
  const around: Around = {
    tenants: Boolean(tenants),
    staff: thing('staff_users'),
    contacts: thing('contacts'),
    credits: tableLike(catalogue, /credit_?(note|memo)s?$/),
    valuesOf,
  }
  const parts = [
    ['workspaces', tenants ? workspaces(tenants) : oneWorkspace],
    ['clients', clients && clientsOf(clients, Boolean(tenants))],
    ['contacts', contacts(around.contacts, clients)],
    ['proposals', await offers(thing('proposals'), thing('proposal_lines'), around)],
    ['quotations', await offers(thing('quotations'), thing('quotation_lines'), around)],
    ['invoices', await invoices(invoiced, thing('invoice_lines'), around)],
    ['payments', await payments(thing('payments'), invoiced, around)],
    ['identity', passwords(around.contacts)],
    ['staff', staff(around.staff)],
  ] as const
  const text = parts.flatMap(([name, lines]) =>
    lines ? [`  ${name}: {`, ...lines.map(it => `    ${it}`), '  },'] : [],
  )
  return [
    `import { defineMap } from 'portico'`,
    '',
    '// A draft: check every line, those below 80 % first. Then ask `portico doctor --map` about it.',
    'export default defineMap({',
    ...text,
    '})',
    '',
  ].join('\n')
}

/** Values of a column that has few. */
type ValuesOf = (table: string, column: string) => Promise<string[]>

/** What the drafts of documents look up beside their own table. */
interface Around {
  tenants: boolean
  staff: Found | undefined
  contacts: Found | undefined
  credits: Found | undefined
  valuesOf: ValuesOf
}

const dates: Kind[] = ['date', 'timestamp', 'timestamptz']
const numbers: Kind[] = ['integer', 'number']

const base = (it: Found): string[] => {
  const id = guess(it, 'id', [/^id$/, /^(row)?id$/, /_id$/])
  const deleted = guess(it, undefined, [
    /^deleted(_at|_on)?$/,
    /^(archived|is_archived|is_deleted|trashed)(_at)?$/,
    /^left(_on|_at)?$/,
  ])
  const active = guess(it, undefined, [/^(is_)?active$/, /^enabled$/], ['boolean'])
  return [
    `table: ${quoted(String(it.place.table))},`,
    ...(id && id.column !== 'id' ? line('id', id) : []),
    ...(deleted
      ? line('deleted', deleted)
      : active
        ? [`deleted: { column: ${quoted(active.column)}, when: false },${comment(active)}`]
        : []),
  ]
}

const oneWorkspace = [
  `only: { id: '1', slug: 'TODO', name: 'TODO', timeZone: 'UTC' }, // the audit found no table of workspaces`,
]

function workspaces(it: Found): string[] {
  const vat = guess(it, undefined, [/^(vat|tax)_?(no|number|id)?$/], ['text'])
  const slug = guess(it, undefined, [/^(slug|subdomain|handle|short_?name|code)$/], ['text'])
  const name = guess(it, 'name', [/^(legal_)?name$/, /name$/])
  return [
    ...base(it),
    ...(slug ? line('slug', slug) : [`slug: { madeOf: ${quoted(name?.column ?? 'TODO')} }, // 60 %`]),
    ...line('name', name, true),
    ...address(
      'letterhead',
      it,
      guess(it, undefined, [/^legal_name$/, /^name$/]),
      vat ? [`{ column: ${quoted(vat.column)}, prefix: 'VAT ' }`] : [],
    ),
    ...line('colour', guess(it, undefined, [/^(brand_|primary_)?colou?r$/], ['text'])),
    ...line('timeZone', guess(it, undefined, [/^(time_?zone|tz)$/], ['text'])),
    ...line('logo', guess(it, undefined, [/^logo(_svg|_png|_web)?$/], ['text', 'bytes'])),
    ...account(it),
  ]
}

/** Where clients transfer to, where there is an account to name. */
function account(it: Found): string[] {
  const found = {
    holder: guess(it, undefined, [/^(account_)?holder$/, /^legal_name$/, /^name$/]),
    bank: guess(it, undefined, [/^bank(_name)?$/]),
    iban: guess(it, undefined, [/^iban$/]),
    number: guess(it, undefined, [/^(bank_)?account_?(no|number)$/]),
    code: guess(it, undefined, [/^(bank|sort)_?code$/, /^routing_?(no|number)$/]),
    bic: guess(it, undefined, [/^(bic|swift)$/]),
  }
  if (!found.iban && !found.number) return []
  return ['account: {', ...Object.entries(found).flatMap(([name, one]) => line(`  ${name}`, one)), '},']
}

function address(entry: string, it: Found, name: Guess | undefined, more: string[] = []): string[] {
  const parts = [/^(address(_line)?_?1?|street1?)$/, /^(address(_line)?_?2|street_?2)$/]
    .map(pattern => guess(it, undefined, [pattern], ['text'])?.column)
    .filter(one => one !== undefined)
  const town = [/^(post_?code|zip(_code)?|postal_code)$/, /^(city|town)$/]
    .map(pattern => guess(it, undefined, [pattern], ['text'])?.column)
    .filter(one => one !== undefined)
  const legal = guess(it, undefined, [/^legal_name$/])
  const first =
    legal && name && legal.column !== name.column
      ? `{ first: [${quoted(legal.column)}, ${quoted(name.column)}] }`
      : name && quoted(name.column)
  const all = [first, ...parts.map(quoted)].filter(one => one !== undefined)
  if (town.length) all.push(town.length > 1 ? `[${town.map(quoted).join(', ')}]` : quoted(town[0]!))
  all.push(...more)
  return all.length > 1 ? [`${entry}: [${all.join(', ')}], // 80 %`] : []
}

function clientsOf(it: Found, tenants: boolean): string[] {
  const name = guess(it, 'name', [/^(company_?name|display_?name|name|nom)$/])
  return [
    ...base(it),
    ...(tenants
      ? line('workspace', guess(it, 'tenant', [/^(workspace|tenant|company|organi[sz]ation|account)_id$/]), true)
      : []),
    ...line('name', name, true),
    ...address('address', it, name),
  ]
}

function contacts(it: Found | undefined, clients: Found | undefined): string[] {
  if (!it)
    return [
      `table: 'TODO', client: 'TODO', name: 'TODO', email: 'TODO', // the audit found no contacts${clients ? `; does ${clients.place.table} have an e-mail address?` : ''}`,
    ]
  const both = String(it.place.name ?? '').split(',')
  return [
    ...base(it),
    ...line('client', guess(it, 'client', [/^(client|customer|company|partner|account)_id$/]), true),
    ...(both.length === 2
      ? [`name: [${both.map(quoted).join(', ')}], // 95 %`]
      : line('name', guess(it, 'name', [/^(full_?)?name$/]), true)),
    ...line('email', guess(it, undefined, [/^e?mail$/, /^email_?address$/, /mail/], ['text']), true),
    ...line('language', guess(it, undefined, [/^(language|lang|locale|default_lang)$/], ['text'])),
  ]
}

function owned(it: Found, tenants: boolean): string[] {
  const currency = guess(it, 'currency', [/^currency(_code)?$/, /currency/], ['text'])
  return [
    ...base(it),
    ...line('client', guess(it, 'client', [/^(client|customer|company|partner|account)_id$/]), true),
    ...(tenants ? line('workspace', guess(it, 'tenant', [/^(workspace|tenant|company|organi[sz]ation)_id$/])) : []),
    ...(currency ? line('currency', currency) : [`currency: { value: 'EUR' }, // 30 %: no column was found`]),
    ...([...it.columns.keys()].some(name => /_cents$/.test(name)) ? ['inCents: true, // 80 %'] : []),
  ]
}

function paper(it: Found, { tenants, contacts }: Around): string[] {
  return [
    ...owned(it, tenants),
    ...line('number', guess(it, 'number', [/^(number|ref(_?no)?|reference|code)$/]), true),
    ...line('title', guess(it, 'name', [/^(title|subject|name)$/], ['text'])),
    ...line(
      'sentOn',
      guess(
        it,
        'issued',
        [/^(issued|sent|quoted|invoiced)_?(on|at)$/, /^(invoice|issue|quote)_?date$/, /^date/, /^created/],
        dates,
      ),
      true,
    ),
    ...line(
      'net',
      guess(it, undefined, [/^(net(_total|_amount)?|sub_?total|amount_untaxed|total_ht|net_cents)$/], numbers),
    ),
    ...line(
      'total',
      guess(it, 'amount', [/^(grand_?total|total(_amount|_ttc|_cents)?|amount_total|amount)$/], numbers),
      true,
    ),
    ...line('discount', guess(it, undefined, [/^discount_?(pct|percent|rate)$/], numbers)),
    ...along('contact', guess(it, undefined, [/^(client_)?contact_id$/, /^attn_id$/]), contacts),
  ]
}

/** A person's name, along a key to where people are. */
function along(entry: string, key: Guess | undefined, people: Found | undefined): string[] {
  const names = String(people?.place.name ?? '')
    .split(',')
    .filter(Boolean)
  if (!key || !people || !names.length) return []
  const id = people.place.id && people.place.id !== 'id' ? `(${people.place.id})` : ''
  const all = names.map(name => quoted(`${key.column} > ${people.place.table}${id}.${name}`))
  return [`${entry}: ${all.length > 1 ? `[${all.join(', ')}]` : all[0]},${comment(key)}`]
}

/** Values of a status, by what they mean in several languages. */
const meanings = {
  draft: /^(draft|new|brouillon|entwurf|borrador|editing|unsent|0)$/i,
  open: /^(sent|open|issued|pending|viewed|partial(ly_paid)?|unpaid|overdue|posted|validated|finali[sz]ed|envoye|offen)$/i,
  paid: /^(paid|settled|closed|paye|bezahlt|pagad[oa])$/i,
  cancelled: /^(void(ed)?|cancel(l?ed)?|written_off|uncollectible|storniert|annule)$/i,
  accepted: /^(accepted|approved|signed|won|sale|invoiced|converted|accepte|angenommen)$/i,
  declined: /^(rejected|declined|refused|lost|cancel(l?ed)?|refuse|abgelehnt)$/i,
  withdrawn: /^(withdrawn|void(ed)?|superseded|revoked)$/i,
  expired: /^(expired|lapsed)$/i,
} as const

async function status(it: Found, words: (keyof typeof meanings)[], { valuesOf }: Around): Promise<string[]> {
  const found = guess(it, 'status', [/^(status|state)$/])
  if (!found) return []
  const told = Array.isArray(it.place.statuses) ? it.place.statuses.map(String) : []
  const values = told.length ? told : await valuesOf(String(it.place.table), found.column)
  const known = values.flatMap(value => {
    const word = words.find(one => meanings[one].test(value))
    return word ? [`${key(value)}: '${word}'`] : []
  })
  const drafts = values.filter(value => meanings.draft.test(value))
  const unknown = values.filter(value => !drafts.includes(value) && !words.some(one => meanings[one].test(value)))
  return [
    'status: {',
    `  column: ${quoted(found.column)},${comment(found)}`,
    `  words: { ${known.join(', ')} },${unknown.length ? ` // not understood: ${unknown.join(', ')}` : ' // 85 %'}`,
    ...(drafts.length
      ? [`  draft: [${drafts.map(quoted).join(', ')}], // 95 %`]
      : values.length
        ? []
        : ['  // the audit saw no values: which are drafts?']),
    '},',
  ]
}

async function offers(it: Found | undefined, lines: Found | undefined, around: Around): Promise<string[] | undefined> {
  return (
    it && [
      ...paper(it, around),
      ...(await status(it, ['open', 'accepted', 'declined', 'withdrawn', 'expired'], around)),
      ...along('owner', guess(it, 'owner', [/^(owner|prepared_by|salesperson|user|created_by)(_id)?$/]), around.staff),
      ...line('validUntil', guess(it, 'due', [/^(valid_?(until|to)|validity_date|expir\w+)$/], dates)),
      ...line('version', guess(it, undefined, [/^(version|revision)$/], ['integer'])),
      ...line('intro', guess(it, undefined, [/^(intro(duction)?|opening)$/], ['text'])),
      ...line('terms', guess(it, undefined, [/^(terms|conditions|notes?_public)$/], ['text'])),
      ...line('answeredOn', guess(it, undefined, [/^(answered|decided|accepted|signed)_?(on|at)$/], dates)),
      ...line('answeredBy', guess(it, undefined, [/^(answered|decided|accepted|signed)_?by$/], ['text'])),
      ...line(
        'answerNote',
        guess(
          it,
          undefined,
          [/^(answer|decision)_?(note|reason|comment)s?$/, /^(reject|declin)\w*_?reason$/],
          ['text'],
        ),
      ),
      ...linesOf(lines),
      ...(await answers(it, around)),
    ]
  )
}

/** Switched off: the CRM's own code does not run when columns are set. */
async function answers(it: Found, { valuesOf }: Around): Promise<string[]> {
  const state = guess(it, 'status', [/^(status|state)$/])
  const values = state ? await valuesOf(String(it.place.table), state.column) : []
  const told = Array.isArray(it.place.statuses) ? it.place.statuses.map(String) : []
  const [accepted, declined] = [meanings.accepted, meanings.declined].map(meant =>
    [...told, ...values].find(value => meant.test(value)),
  )
  if (!state || !accepted) return []
  const by = guess(it, undefined, [/^(answered|decided|accepted|signed)_?by$/], ['text'])
  const on = guess(it, undefined, [/^(answered|decided|accepted|signed)_?(on|at)$/], dates)
  const set = (value: string) =>
    [
      `${key(state.column)}: { value: ${quoted(value)} }`,
      ...(on ? [`${key(on.column)}: 'time'`] : []),
      ...(by ? [`${key(by.column)}: 'name'`] : []),
    ].join(', ')
  return [
    'answers: {',
    '  off: true, // 99 %: what else does the CRM do when it sets these? Take this away when you know',
    `  accepted: { set: { ${set(accepted)} } }, // 60 %`,
    ...(declined ? [`  declined: { set: { ${set(declined)} } }, // 60 %`] : []),
    '},',
  ]
}

async function invoices(
  it: Found | undefined,
  lines: Found | undefined,
  around: Around,
): Promise<string[] | undefined> {
  if (!it) return undefined
  const balance = guess(it, undefined, [/^(balance(_due)?|amount_(due|residual|open))$/], numbers)
  const paid = guess(it, undefined, [/^(amount_paid|paid(_amount|_total|_cents)?)$/], numbers)
  return [
    ...paper(it, around),
    ...(await status(it, ['open', 'paid', 'cancelled'], around)),
    ...line('dueOn', guess(it, 'due', [/^due(_on|_date|_at)?$/, /due/], dates)),
    ...(balance
      ? line('balance', balance)
      : paid
        ? [`balance: { less: [${quoted(paid.column)}] },${comment(paid)}`]
        : [`balance: 'payments', // 50 %: no column was found`]),
    ...line(
      'orderNumber',
      guess(it, undefined, [/^(po_?(number|no)?|client_order_ref|ref_client|purchase_order)$/], ['text']),
    ),
    ...line('remarks', guess(it, undefined, [/^(remarks|note_public|public_notes?)$/], ['text'])),
    ...line('remindedOn', guess(it, undefined, [/^(reminded|last_reminder)_?(on|at)?$/], dates)),
    ...linesOf(lines),
    ...(await credits(around)),
  ]
}

async function credits({ credits: it, valuesOf }: Around): Promise<string[]> {
  const invoice = it && guess(it, undefined, [/^(invoice|bill)_?id$/, /invoice/])
  if (!it || !invoice) return []
  const state = guess(it, undefined, [/^(status|state)$/])
  const values = state ? await valuesOf(String(it.place.table), state.column) : []
  const seen = values.filter(value => !meanings.draft.test(value) && !meanings.cancelled.test(value))
  return [
    'creditNotes: {',
    ...[
      ...base(it),
      ...line('invoice', invoice),
      ...line('number', guess(it, undefined, [/^(number|ref(_?no)?|reference|code)$/]), true),
      ...line('on', guess(it, undefined, [/^(issued|sent|credited)_?(on|at)$/, /date/, /^created/], dates), true),
      ...line('reason', guess(it, undefined, [/^(reason|notes?|description)$/], ['text'])),
      ...line('total', guess(it, undefined, [/^(grand_?total|total(_amount|_cents)?|amount)$/], numbers), true),
      ...(state && seen.length
        ? [`only: { ${key(state.column)}: [${seen.map(quoted).join(', ')}] },${comment(state)}`]
        : []),
    ].map(one => `  ${one}`),
    '},',
  ]
}

function linesOf(it: Found | undefined): string[] {
  if (!it || it.place.note) return []
  return [
    'lines: {',
    ...[
      ...base(it),
      ...line('of', guess(it, 'parent', [/_id$/]), true),
      ...line('order', guess(it, undefined, [/^(position|sort(_order)?|sequence|pos|rang|line_no)$/, /^id$/]), true),
      ...line('group', guess(it, undefined, [/^(group(_title)?|section|heading)$/], ['text'])),
      ...line('title', guess(it, 'name', [/^(title|name|label|text|description)$/], ['text']), true),
      ...line('details', guess(it, undefined, [/^(details|notes)$/], ['text'])),
      ...line('quantity', guess(it, undefined, [/^(qty|quantity)$/, /qty|quantit/], numbers)),
      ...line('unit', guess(it, undefined, [/^unit(_name)?$/], ['text'])),
      ...line('price', guess(it, undefined, [/^(unit_?price|price(_unit)?|rate|unit_cents|subprice)$/], numbers)),
      ...line('discount', guess(it, undefined, [/^(discount(_pct|_percent)?|remise_percent)$/], numbers)),
      ...line('tax', guess(it, undefined, [/^(tax|vat)_?(pct|percent|rate)?$/], numbers)),
      ...line(
        'total',
        guess(it, undefined, [/^(line_total|net(_amount|_cents)?|total_ht|price_subtotal|total|amount)$/], numbers),
        true,
      ),
      ...line('optional', guess(it, undefined, [/^(is_)?optional$/], ['boolean'])),
      ...line('chosen', guess(it, undefined, [/^(is_)?(chosen|selected)$/], ['boolean'])),
    ].map(one => `  ${one}`),
    '},',
  ]
}

/** A CRM's words for how something was paid. */
const methods = {
  'bank transfer': /(transfer|wire|bank|sepa|virement|ueberweisung|überweisung|transferencia|bacs|ach)/i,
  card: /(card|carte|karte|tarjeta|visa|stripe)/i,
  'direct debit': /(debit|lastschrift|prelevement|domiciliacion)/i,
  ideal: /^ideal$/i,
  cash: /(cash|^bar(zahlung|geld)?$|especes|efectivo)/i,
  cheque: /(cheque|check|scheck)/i,
} as const

async function method(it: Found, { valuesOf }: Around): Promise<string[]> {
  const found = guess(it, undefined, [/^(payment_)?method$/, /^(how|payment_type|mode|means)$/], ['text'])
  const values = found ? await valuesOf(String(it.place.table), found.column) : []
  // The debit comes before the bank: `direct debit` is none of its transfers.
  const wordOf = (value: string) =>
    (['direct debit', 'card', 'ideal', 'cash', 'cheque', 'bank transfer'] as const).find(one =>
      methods[one].test(value),
    )
  const words = values.flatMap(value => (wordOf(value) ? [`${key(value)}: ${quoted(wordOf(value)!)}`] : []))
  return found && words.length
    ? [
        'method: {',
        `  column: ${quoted(found.column)},${comment(found)}`,
        `  words: { ${words.join(', ')} }, // 80 %`,
        '},',
      ]
    : []
}

const passwordsAre =
  '// For passwords as bcrypt, Argon2 or PBKDF2. Take this part out where nobody is to use them: they are not read then.'

/** Clients who have a password in the CRM. */
function passwords(it: Found | undefined): string[] | undefined {
  const password =
    it && guess(it, undefined, [/^(password|passwd|password_(hash|digest)|encrypted_password)$/], ['text'])
  const email = it && guess(it, undefined, [/^e?mail$/, /^email_?address$/], ['text'])
  return it && password && email && [passwordsAre, ...base(it), ...line('email', email), ...line('password', password)]
}

/** Staff who may look after the portal: only where a column says who administers. */
function staff(it: Found | undefined): string[] | undefined {
  const admin = it && guess(it, undefined, [/^is_?(admin|staff|superuser)$/, /^admin$/], ['boolean'])
  const [name, email, password] = [
    [/^(full_?)?name$/, /^(display|first)_?name$/],
    [/^e?mail$/],
    [/^(password|passwd|password_(hash|digest)|encrypted_password)$/],
  ].map(names => it && guess(it, undefined, names, ['text']))
  return (
    it &&
    admin &&
    email &&
    password && [
      passwordsAre,
      ...base(it),
      ...line('name', name, true),
      ...line('email', email),
      ...line('password', password),
      ...line('admin', admin),
    ]
  )
}

async function payments(
  it: Found | undefined,
  invoices: Found | undefined,
  around: Around,
): Promise<string[] | undefined> {
  if (!it) return undefined
  const invoice = guess(it, 'parent', [/^(invoice|bill)_?id$/, /invoice/])
  const currency = guess(it, 'currency', [/^currency(_code)?$/], ['text'])
  const theirs = invoices && guess(invoices, 'currency', [/^currency/], ['text'])
  const alongIt =
    invoice && invoices && theirs ? `${invoice.column} > ${invoices.place.table}.${theirs.column}` : undefined
  const clientAlong =
    invoice && invoices ? `${invoice.column} > ${invoices.place.table}.${String(invoices.place.client)}` : undefined
  const client = guess(it, 'client', [/^(client|customer|company|partner)_id$/])
  return [
    ...base(it),
    ...(client ? line('client', client) : [`client: ${quoted(clientAlong ?? 'TODO')}, // 70 %: along the invoice`]),
    ...(currency
      ? line('currency', currency)
      : [`currency: ${alongIt ? `${quoted(alongIt)}, // 80 %: its invoice’s` : `{ value: 'EUR' }, // 30 %`}`]),
    ...([...it.columns.keys()].some(name => /^(amount_)?cents$/.test(name)) ? ['inCents: true, // 80 %'] : []),
    ...line('on', guess(it, undefined, [/^(paid|received|payment)_?(on|at|date)$/, /^date/, /^created/], dates), true),
    ...line('amount', guess(it, 'amount', [/^(amount|cents|total)$/], numbers), true),
    ...line('reference', guess(it, undefined, [/^(reference|memo|num_paiement)$/], ['text'])),
    ...(await method(it, around)),
    ...line('payer', guess(it, undefined, [/^payer(_name)?$/], ['text'])),
    ...line('invoice', invoice),
  ]
}
