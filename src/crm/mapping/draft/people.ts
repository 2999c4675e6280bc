import { type FoundPlace, type Guess, guess, line, quoted, undecided } from '../guess.ts'
import { addressAlong, along, base, idOf, owner, workspace } from './rows.ts'

export const oneWorkspace = [
  '// The audit found no table of workspaces.',
  `only: { id: '1', slug: todo('its name in addresses, as acme'), name: todo('its name'), timeZone: 'UTC' },`,
]

export function workspaces(it: FoundPlace): string[] {
  const vat = guess(it, undefined, [/^(vat|tax)_?(no|number|id)?$/], ['text'])
  const slug = guess(it, undefined, [/^(slug|subdomain|handle|short_?name|code)$/], ['text'])
  const name = guess(
    it,
    /mail/.test(String(it.place.name)) ? undefined : 'name',
    [/^(legal_)?name$/, /name$/],
    ['text'],
  )
  const madeOf = name ? `slug: { madeOf: ${quoted(name.column)} }, // 60 %` : undecided('slug', 'its name in addresses')
  return [
    ...base(it),
    ...(slug ? line('slug', slug) : [madeOf]),
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
function account(it: FoundPlace): string[] {
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

function address(entry: string, it: FoundPlace, name: Guess | undefined, more: string[] = []): string[] {
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

export function clientsOf(it: FoundPlace, tenants: boolean, staff: FoundPlace | undefined): string[] {
  const name = guess(it, 'name', [/^(company_?name|display_?name|name|nom)$/])
  return [
    ...base(it),
    ...(tenants ? workspace(it, true) : []),
    ...line('name', name, true),
    ...address('address', it, name),
    ...manager(it, staff),
  ]
}

/** Who of the staff looks after a client: a column of the same kind as their key. */
function manager(it: FoundPlace, staff: FoundPlace | undefined): string[] {
  const key = staff && idOf(staff)
  const kind = key && staff.columns.get(key.column)
  const names = [/^(account_?manager|sales_?rep(resentative)?|responsible)(_id)?$/]
  const found = guess(it, undefined, names, kind && [kind])
  const email = addressAlong('  email', found, staff)
  return kind && email.length ? ['manager: {', ...along('  name', found, staff), ...email, '},'] : []
}

export function contacts(it: FoundPlace | undefined, clients: FoundPlace | undefined): string[] | string {
  if (!it) {
    const perhaps = clients ? ` Does ${clients.place.table} have an e-mail address?` : ''
    return undecided('contacts', `the audit found no people of clients: { table, client, name, email }.${perhaps}`)
  }
  const both = String(it.place.name ?? '').split(',')
  return [
    ...base(it),
    ...owner(it),
    ...(both.length === 2
      ? [`name: [${both.map(quoted).join(', ')}], // 95 %`]
      : line('name', guess(it, 'name', [/^(full_?)?name$/]), true)),
    ...line('email', guess(it, undefined, [/^e?mail$/, /^email_?address$/, /mail/], ['text']), true),
    ...line('language', guess(it, undefined, [/^(language|lang|locale|default_lang)$/], ['text'])),
    ...line('phone', guess(it, undefined, [/^(tele)?phone(_?(no|number))?$/, /^(tel|mobile)$/], ['text'])),
  ]
}

const passwordsAre =
  '// For passwords as bcrypt, Argon2 or PBKDF2. Take this part out where nobody is to use them: they are not read then.'

/** The table of clients' passwords in the CRM. */
export function passwords(it: FoundPlace | undefined): string[] | undefined {
  const password =
    it && guess(it, undefined, [/^(password|passwd|password_(hash|digest)|encrypted_password)$/], ['text'])
  const email = it && guess(it, undefined, [/^e?mail$/, /^email_?address$/], ['text'])
  return it && password && email && [passwordsAre, ...base(it), ...line('email', email), ...line('password', password)]
}

/** Staff who administer the portal. Only if a column says who does. */
export function staff(it: FoundPlace | undefined): string[] | undefined {
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
