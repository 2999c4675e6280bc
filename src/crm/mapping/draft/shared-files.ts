import { type FoundPlace, guess, key, line, quoted, undecided } from '../guess.ts'
import { type Around, along, base, dates, owner, workspace } from './rows.ts'

/** Flags of a file that clients may see. A draft never guesses that all of them are meant. */
const flags = [
  /^(is_)?(client|customer|portal)_?visible$/,
  /^visible_(to|for)_?(client|customer|portal)s?$/,
  /^(is_)?shared(_with_(client|customer)s?)?$/,
  /^(is_)?(public|published)$/,
]

/** What a file belongs to, where that is told by a word. */
const kinds = [/^(about|entity|subject|owner|parent|related|attach(able|ed)|rel|res|object|record)_?(type|kind|model)$/]

/** Those that have a page of their own, where their files are shown. */
const elsewhere = /(proposal|quot|invoice|offer|order|facture|propal|devis|angebot|rechnung)/i

/**
 * Files that the CRM shares with clients. What only its people know, such as where the files lie, leaves the whole entry a
 * comment: until it is answered, Portico keeps documents itself.
 */
export async function sharedFiles(it: FoundPlace | undefined, around: Around): Promise<string[]> {
  if (!it) return []
  const lines = await entries(it, around)
  const open = lines.some(one => one.includes(': todo('))
  const entry = ['documents: {', ...lines.map(one => `  ${one}`), '},']
  return open
    ? [
        '// To show clients the files that this CRM shares, answer what is open here. Left out, Portico keeps documents itself.',
        ...entry.map(one => `// ${one.replace(/: todo\('(.*)'\),$/, ': …, // $1')}`),
      ]
    : entry
}

async function entries(it: FoundPlace, around: Around): Promise<string[]> {
  const by = guess(it, undefined, [
    /^(uploaded|created|shared|added)_by(_id)?$/,
    /^(uploader|author|staff|user)(_id)?$/,
  ])
  return [
    ...base(it),
    ...owner(it),
    ...(around.tenants ? workspace(it) : []),
    ...only(it),
    ...(await except(it, around)),
    ...line(
      'name',
      guess(it, undefined, [/^(original_)?(file_?name|name)$/, /^(title|label|document_name)$/], ['text']),
      true,
    ),
    ...line('folder', guess(it, undefined, [/^folder(_path|_name)?$/, /^category$/], ['text'])),
    ...line('type', guess(it, undefined, [/^mime(_?type)?$/, /^(content|media|file)_type$/], ['text'])),
    ...line(
      'size',
      guess(it, undefined, [/^(file_)?size(_in)?(_bytes)?$/, /^(bytes|length)$/], ['integer', 'number']),
      true,
    ),
    ...line(
      'sharedOn',
      guess(it, undefined, [/^shared_(at|on)$/, /^(created|uploaded|added|entered)/, /^date/], dates),
      true,
    ),
    ...along('by', by, around.staff),
    ...line('expiresOn', guess(it, undefined, [/^(expires|expiry|expiration|valid_until|visible_until)/], dates)),
    ...content(it),
  ]
}

function only(it: FoundPlace): string[] {
  const flag = guess(it, undefined, flags, ['boolean'])
  if (flag) return [`only: { ${key(flag.column)}: [true] }, // ${flag.sure} %`]
  return [undecided('only', `which rows of ${it.place.table} may clients see? { column: [values] }`)]
}

async function except(it: FoundPlace, { valuesOf }: Around): Promise<string[]> {
  const kind = guess(it, undefined, kinds, ['text'])
  const values = kind ? await valuesOf(String(it.place.table), kind.column) : []
  const theirs = values.filter(value => elsewhere.test(value)).sort()
  if (!kind || !theirs.length) return []
  return [`except: { ${key(kind.column)}: [${theirs.map(quoted).join(', ')}] }, // 80 %: shown at their document`]
}

/** Where the bytes are: in the row, or a path or address in it, whose root only the CRM knows. */
function content(it: FoundPlace): string[] {
  const bytes = guess(it, undefined, [/^(content|data|bytes|body|file|blob|db_datas)$/], ['bytes'])
  if (bytes) return line('bytes', bytes)
  const path = guess(
    it,
    undefined,
    [/^(storage|file|object|disk)_?(key|path)$/, /^(path|key|store_fname|location)$/],
    ['text'],
  )
  if (path) return [undecided('under', 'the whole path of the folder that the files are in'), ...line('path', path)]
  const at = guess(it, undefined, [/^(file_|download_|public_)?(url|link|address)$/], ['text'])
  if (at) return [...line('at', at), undecided('hosts', 'the hosts that files may be fetched from: [{ host }]')]
  return [
    undecided(
      'bytes',
      `no column of ${it.place.table} says where the files are: { under, path }, { at, hosts } or { bytes }`,
    ),
  ]
}
