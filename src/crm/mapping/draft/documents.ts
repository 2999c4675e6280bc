import { audited, comment, type FoundPlace, guess, key, line, quoted, undecided } from '../guess.ts'
import {
  type Around,
  addressAlong,
  along,
  base,
  cents,
  currencyOf,
  dates,
  idOf,
  invoiceOf,
  numbers,
  owner,
  workspace,
} from './rows.ts'

export async function offers(
  it: FoundPlace | undefined,
  lines: FoundPlace | undefined,
  around: Around,
): Promise<string[] | undefined> {
  return (
    it && [
      ...(await paper(it, around)),
      ...(await status(it, ['open', 'accepted', 'declined', 'withdrawn', 'expired'], around)),
      ...along('owner', ownerOf(it), around.staff),
      ...addressAlong('ownerEmail', ownerOf(it), around.staff),
      ...line('validUntil', guess(it, 'due', [/^(valid_?(until|to)|validity_date|expir\w+)$/], dates)),
      ...line('version', guess(it, undefined, [/^(version|revision)$/], ['integer'])),
      ...line('intro', guess(it, undefined, [/^(intro(duction)?|opening)$/], ['text'])),
      ...line('terms', guess(it, undefined, [/^(terms|conditions|notes?_public)$/], ['text'])),
      ...line('respondedOn', guess(it, undefined, [/^(answered|decided|accepted|signed)_?(on|at)$/], dates)),
      ...line('respondedBy', guess(it, undefined, [/^(answered|decided|accepted|signed)_?by$/], ['text'])),
      ...line(
        'responseNote',
        guess(
          it,
          undefined,
          [/^(answer|decision)_?(note|reason|comment)s?$/, /^(reject|declin)\w*_?reason$/],
          ['text'],
        ),
      ),
      ...downPaymentOf(it),
      ...linesOf(lines),
      ...(await responses(it, around)),
    ]
  )
}

/** What is called so holds per cents, as a rule. */
function downPaymentOf(it: FoundPlace): string[] {
  const name = '(deposit|down_?payment|prepayment|advance(_payment)?)'
  const percent = guess(it, undefined, [new RegExp(`^${name}_?(pct|percent(age)?|rate)$`)], numbers)
  if (percent) return [`downPayment: { percent: ${quoted(percent.column)} },${comment(percent)}`]
  const amount = guess(it, undefined, [new RegExp(`^${name}(_(amount|total|due|required))?$`)], numbers)
  return amount ? [`downPayment: { amount: ${quoted(amount.column)} },${comment(amount)}`] : []
}

const ownerOf = (it: FoundPlace) => guess(it, 'owner', [/^(owner|prepared_by|salesperson|user|created_by)(_id)?$/])

export async function invoices(
  it: FoundPlace | undefined,
  lines: FoundPlace | undefined,
  around: Around,
): Promise<string[] | undefined> {
  if (!it) return undefined
  return [
    ...(await paper(it, around)),
    ...(await status(it, ['open', 'paid', 'cancelled'], around)),
    ...line('dueOn', guess(it, 'due', [/^due(_on|_date|_at)?$/, /due/], dates)),
    ...balanceOf(it),
    ...line(
      'orderNumber',
      guess(it, undefined, [/^(po_?(number|no)?|client_order_ref|ref_client|purchase_order)$/], ['text']),
    ),
    ...line('remarks', guess(it, undefined, [/^(remarks|note_public|public_notes?)$/], ['text'])),
    ...line('remindedOn', guess(it, undefined, [/^(reminded|last_reminder)_?(on|at)?$/], dates)),
    ...linesOf(lines),
    ...(await credits(around, it)),
  ]
}

async function paper(it: FoundPlace, around: Around): Promise<string[]> {
  const { contacts } = around
  return [
    ...owned(it, around),
    ...(await kinds(it, around)),
    ...notFinal(it),
    ...(await cents(it, totalOf(it), around)),
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
    ...line('total', totalOf(it), true),
    ...line('discount', guess(it, undefined, [/^discount_?(pct|percent|rate)$/], numbers)),
    ...along('contact', guess(it, undefined, [/^(client_)?contact_id$/, /^attn_id$/]), contacts),
  ]
}

function owned(it: FoundPlace, around: Around): string[] {
  const otherwise = `currency: { value: 'EUR' }, // 30 %: no column was found`
  return [
    ...base(it),
    ...owner(it),
    ...(around.tenants ? workspace(it) : []),
    ...currencyOf(it, around, [/^currency(_code)?$/, /currency/], otherwise),
  ]
}

/**
 * Where one table holds several kinds of documents, or those of several companies that no table of workspaces tells
 * apart, somebody has to say which of them clients are to see.
 */
async function kinds(it: FoundPlace, { tenants, valuesOf, unread }: Around): Promise<string[]> {
  const { kinds: told } = it.place
  if (told) return [`only: { ${key(told.column)}: [${told.values.map(quoted).join(', ')}] }, // 100 %: answered`]
  const names = tenants ? [kindName] : [kindName, companyName]
  const owners: unknown[] = [it.place.client, ...(it.place.clientColumns ?? [])]
  const found: [column: string, values: string[]][] = []
  for (const column of it.columns.keys()) {
    if (owners.includes(column) || !names.some(name => name.test(column))) continue
    const values = await valuesOf(String(it.place.table), column)
    if (values.length > 1 || (unread && !values.length)) found.push([column, values])
  }
  if (!found.length) return []
  const said = found.map(([column, values]) => `${column} is ${values.join(', ') || 'not known'}`)
  const form = found.map(([column]) => `${column}: [...]`)
  return [undecided('only', `${said.join('; ')}: which are for clients? { ${form.join(', ')} }`)]
}

const kindName = /^((move|invoice|doc(ument)?)_?)?(type|kind)$/

const companyName = /^(entity|tenant|company|organi[sz]ation|org|workspace|mandant|branch|division)(_?(id|no|code))?$/

/** Rows without the date on which they became final are drafts, whatever their status. */
function notFinal(it: FoundPlace): string[] {
  const found = guess(it, undefined, [/^(finali[sz]ed|posted|published)_?(at|on)$/], dates)
  return found ? [`except: { ${key(found.column)}: [null] },${comment(found)}`] : []
}

const totalOf = (it: FoundPlace) =>
  guess(it, 'amount', [/^(grand_?total|total(_amount|_ttc|_cents)?|amount_total|amount)$/], numbers)

const oneOf = (...words: string[]) => new RegExp(`^(${words.join('|')})$`, 'i')

const owed = 'partial(ly_paid)?|unpaid|overdue'

/** Words of languages in which most forms have a gender. */
const elsewhereOpen = 'enviad[oa]|visualizad[oa]|emitid[oa]|pendente|pendiente|inviat[oa]'

const elsewhereAccepted = 'aprovad[oa]|aceit[oa]|aceptad[oa]|aprobad[oa]|accettat[oa]'
const elsewhereDeclined = 'rejeitad[oa]|recusad[oa]|rechazad[oa]|rifiutat[oa]'

/** Values of a status, by what they mean in several languages. */
const meanings = {
  draft: /^(draft|new|brouillon|entwurf|borrador|rascunho|bozza|taslak|editing|unsent|0)$/i,
  open: oneOf('sent|open|issued|posted|validated|finali[sz]ed', 'pending|viewed|envoye|offen', elsewhereOpen, owed),
  paid: /^(paid|settled|closed|paye|bezahlt|pagad[oa]|pag[oa]|pagat[oa]|odendi)$/i,
  cancelled:
    /^(void(ed)?|cancel(l?ed)?|written_off|uncollectible|storniert|annule|cancelad[oa]|anulad[oa]|annullat[oa])$/i,
  accepted: oneOf('accepted|approved|signed|won|sale|invoiced|converted|accepte|angenommen', elsewhereAccepted),
  declined: oneOf('rejected|declined|refused|lost|cancel(l?ed)?|refuse|abgelehnt', elsewhereDeclined),
  withdrawn: /^(withdrawn|void(ed)?|superseded|revoked)$/i,
  expired: /^(expired|lapsed|expirad[oa]|vencid[oa]|scadut[oa]|abgelaufen)$/i,
} as const

async function status(
  it: FoundPlace,
  words: (keyof typeof meanings)[],
  { valuesOf, unread }: Around,
): Promise<string[]> {
  const found = guess(it, 'status', [/^(status|state)$/])
  if (!found) return []
  const told = Array.isArray(it.place.statuses) ? it.place.statuses.map(String) : []
  const values = told.length ? told : await valuesOf(String(it.place.table), found.column)
  if (!values.length && unread)
    return [
      'status: {',
      `  column: ${quoted(found.column)},${comment(found)}`,
      `  ${undecided('words', `which values does it have, and which of ${words.join(', ')} does each mean?`)}`,
      '},',
    ]
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
    ...(values.length ? [] : ['  // the audit saw no values: which are drafts?']),
    ...(drafts.length ? [`  draft: [${drafts.map(quoted).join(', ')}], // 95 %`] : []),
    '},',
  ]
}

/** Switched off: the CRM's own code does not run when columns are set. */
async function responses(it: FoundPlace, { valuesOf }: Around): Promise<string[]> {
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
    'responses: {',
    '  off: true, // 99 %: what else does the CRM do when it sets these? Take this away when you know',
    `  accepted: { set: { ${set(accepted)} } }, // 60 %`,
    ...(declined ? [`  declined: { set: { ${set(declined)} } }, // 60 %`] : []),
    '},',
  ]
}

/** What is left to pay: as a column says, or what is paid, or the payments themselves. */
function balanceOf(it: FoundPlace): string[] {
  const balance = guess(it, undefined, [/^(balance(_due)?|amount_(due|residual|open))$/], numbers)
  if (balance) return line('balance', balance)
  const paid = guess(it, undefined, [/^(amount_paid|paid(_amount|_total|_cents)?)$/], numbers)
  if (paid) return [`balance: { less: [${quoted(paid.column)}] },${comment(paid)}`]
  return [`balance: 'payments', // 50 %: no column was found`]
}

async function credits({ credits: it, valuesOf }: Around, invoices: FoundPlace): Promise<string[]> {
  const invoice = it && invoiceOf(it, invoices)
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

function linesOf(it: FoundPlace | undefined): string[] {
  if (!it || it.place.note) return []
  return [
    'lines: {',
    ...[
      ...base(it),
      ...of(it),
      ...line('order', orderOf(it), true),
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

/** The document of a line, by the audit's own key: never the line itself, its workspace or its client. */
function of(it: FoundPlace): string[] {
  const { table, id, tenant, client } = it.place
  const found = audited(it, 'parent', [/_id$/])
  if (found && ![id, tenant, client].includes(found.column)) return line('of', found)
  return [undecided('of', `which column of ${table} leads to the document?`)]
}

const orderOf = (it: FoundPlace) =>
  guess(it, undefined, [
    /^(position|sort(_order)?|sequence|pos|rang|line_no)$/,
    /_order$/,
    /^id$/,
    /^created(_at|_on|At)?$/,
  ]) ?? idOf(it)
