import type { Catalogue, Kind } from '../catalogue.ts'
import { comment, type Found, type Guess, guess, key, line, type Place, placeIn, quoted } from './guess.ts'

/**
 * A first `crm.map.ts` out of what an audit found, for a developer to check: each line says how sure it is and what
 * else was considered. `catalogue` is of the audit's tables.
 */
export function draft(data: Record<string, Place>, catalogue: Catalogue): string {
  const thing = (name: string) => placeIn(data[name], catalogue)
  const tenants = thing('tenants')
  const clients = thing('clients')
  const parts = [
    ['workspaces', tenants ? workspaces(tenants) : oneWorkspace],
    ['clients', clients && clientsOf(clients, Boolean(tenants))],
    ['contacts', contacts(thing('contacts'), clients)],
    ['proposals', offers(thing('proposals'), thing('proposal_lines'), Boolean(tenants))],
    ['quotations', offers(thing('quotations'), thing('quotation_lines'), Boolean(tenants))],
    ['invoices', invoices(thing('invoices'), thing('invoice_lines'), Boolean(tenants))],
    ['payments', payments(thing('payments'), thing('invoices'))],
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

const dates: Kind[] = ['date', 'timestamp', 'timestamptz']
const numbers: Kind[] = ['integer', 'number']

const base = (it: Found): string[] => {
  const id = guess(it, 'id', [/^id$/, /^(row)?id$/, /_id$/])
  const deleted = guess(it, undefined, [
    /^deleted(_at|_on)?$/,
    /^(archived|is_archived|is_deleted|trashed)(_at)?$/,
    /^left(_on|_at)?$/,
  ])
  return [
    `table: ${quoted(String(it.place.table))},`,
    ...(id && id.column !== 'id' ? line('id', id) : []),
    ...line('deleted', deleted),
  ]
}

const oneWorkspace = [
  `only: { id: '1', slug: 'TODO', name: 'TODO', timeZone: 'UTC' }, // the audit found no table of workspaces`,
]

function workspaces(it: Found): string[] {
  const slug = guess(it, undefined, [/^(slug|subdomain|handle|short_?name|code)$/], ['text'])
  const name = guess(it, 'name', [/^(legal_)?name$/, /name$/])
  return [
    ...base(it),
    ...(slug ? line('slug', slug) : [`slug: { madeOf: ${quoted(name?.column ?? 'TODO')} }, // 60 %`]),
    ...line('name', name, true),
    ...address('letterhead', it, guess(it, undefined, [/^legal_name$/, /^name$/])),
    ...line('colour', guess(it, undefined, [/^(brand_|primary_)?colou?r$/], ['text'])),
    ...line('timeZone', guess(it, undefined, [/^(time_?zone|tz)$/], ['text'])),
    ...line('logo', guess(it, undefined, [/^logo(_svg|_png|_web)?$/], ['text', 'bytes'])),
  ]
}

function address(entry: string, it: Found, name: Guess | undefined): string[] {
  const parts = [/^(address(_line)?_?1?|street1?)$/, /^(address(_line)?_?2|street_?2)$/]
    .map(pattern => guess(it, undefined, [pattern], ['text'])?.column)
    .filter(one => one !== undefined)
  const town = [/^(post_?code|zip(_code)?|postal_code)$/, /^(city|town)$/]
    .map(pattern => guess(it, undefined, [pattern], ['text'])?.column)
    .filter(one => one !== undefined)
  const all = [name?.column, ...parts].filter(one => one !== undefined).map(quoted)
  if (town.length) all.push(`[${town.map(quoted).join(', ')}]`)
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
    ...address('address', it, guess(it, undefined, [/^legal_name$/]) ?? name),
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

function paper(it: Found, tenants: boolean): string[] {
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
  ]
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

function status(it: Found, words: (keyof typeof meanings)[]): string[] {
  const found = guess(it, 'status', [/^(status|state)$/])
  const values = Array.isArray(it.place.statuses) ? it.place.statuses.map(String) : []
  if (!found) return []
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

function offers(it: Found | undefined, lines: Found | undefined, tenants: boolean): string[] | undefined {
  return (
    it && [
      ...paper(it, tenants),
      ...status(it, ['open', 'accepted', 'declined', 'withdrawn', 'expired']),
      ...line('validUntil', guess(it, 'due', [/^(valid_?(until|to)|validity_date|expir\w+)$/], dates)),
      ...line('version', guess(it, undefined, [/^(version|revision)$/], ['integer'])),
      ...line('intro', guess(it, undefined, [/^(intro(duction)?|opening)$/], ['text'])),
      ...line('terms', guess(it, undefined, [/^(terms|conditions|notes?_public)$/], ['text'])),
      ...line('answeredOn', guess(it, undefined, [/^(answered|decided|accepted|signed)_?(on|at)$/], dates)),
      ...line('answeredBy', guess(it, undefined, [/^(answered|decided|accepted|signed)_?by$/], ['text'])),
      ...linesOf(lines),
    ]
  )
}

function invoices(it: Found | undefined, lines: Found | undefined, tenants: boolean): string[] | undefined {
  if (!it) return undefined
  const balance = guess(it, undefined, [/^(balance(_due)?|amount_(due|residual|open))$/], numbers)
  const paid = guess(it, undefined, [/^(amount_paid|paid(_amount|_total|_cents)?)$/], numbers)
  return [
    ...paper(it, tenants),
    ...status(it, ['open', 'paid', 'cancelled']),
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

function payments(it: Found | undefined, invoices: Found | undefined): string[] | undefined {
  if (!it) return undefined
  const invoice = guess(it, 'parent', [/^(invoice|bill)_?id$/, /invoice/])
  const currency = guess(it, 'currency', [/^currency(_code)?$/], ['text'])
  const theirs = invoices && guess(invoices, 'currency', [/^currency/], ['text'])
  const along =
    invoice && invoices && theirs ? `${invoice.column} > ${invoices.place.table}.${theirs.column}` : undefined
  const clientAlong =
    invoice && invoices ? `${invoice.column} > ${invoices.place.table}.${String(invoices.place.client)}` : undefined
  const client = guess(it, 'client', [/^(client|customer|company|partner)_id$/])
  return [
    ...base(it),
    ...(client ? line('client', client) : [`client: ${quoted(clientAlong ?? 'TODO')}, // 70 %: along the invoice`]),
    ...(currency
      ? line('currency', currency)
      : [`currency: ${along ? `${quoted(along)}, // 80 %: its invoice’s` : `{ value: 'EUR' }, // 30 %`}`]),
    ...([...it.columns.keys()].some(name => /^(amount_)?cents$/.test(name)) ? ['inCents: true, // 80 %'] : []),
    ...line('on', guess(it, undefined, [/^(paid|received|payment)_?(on|at|date)$/, /^date/, /^created/], dates), true),
    ...line('amount', guess(it, 'amount', [/^(amount|cents|total)$/], numbers), true),
    ...line('reference', guess(it, undefined, [/^(reference|memo|num_paiement)$/], ['text'])),
    ...line('payer', guess(it, undefined, [/^payer(_name)?$/], ['text'])),
    ...line('invoice', invoice),
  ]
}
