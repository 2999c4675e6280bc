/**
 * The type that PostgreSQL would have for what a source or another database calls a type: `DECIMAL(12,2)`, `CharField`,
 * `Types::STRING`. A name alone tells where nothing is written; `guessed` says so.
 */
export function postgresType(written: string, column: string): { type: string; guessed: boolean } {
  const word = written
    .toLowerCase()
    .replace(/^\\?(\w+\\)*types::/, '')
    .trim()
  if (word.endsWith('[]')) return { type: word, guessed: false }
  const [, type] = types.find(([pattern]) => pattern.test(word)) ?? []
  if (type) return { type: type === 'numeric' ? `numeric${precisionOf(word)}` : type, guessed: false }
  const [, byName] = word ? [] : (names.find(([pattern]) => pattern.test(column)) ?? [])
  return { type: byName ?? 'text', guessed: !word }
}

const precisionOf = (word: string) => word.match(/\(\d+,\s*\d+\)/)?.[0].replace(/\s/g, '') ?? ''

/** The first that fits counts. */
const types: [pattern: RegExp, type: string][] = [
  [/^uuid|guid/, 'uuid'],
  [/^(nullable)?bool|^tinyint\(1\)|^bit\(1\)/, 'boolean'],
  [/json/, 'jsonb'],
  [/timestamptz|with time zone|tz\b/, 'timestamp with time zone'],
  [/datetime|timestamp/, 'timestamp without time zone'],
  [/^date/, 'date'],
  [/^(decimal|numeric|money|number|dec\b|fixed)/, 'numeric'],
  [/^(float|double|real)/, 'double precision'],
  [/^(unsigned)?big|^foreignid|^id$|^int8|bigint/, 'bigint'],
  [/^(unsigned|positive)?(tiny|small|medium)?_?int|serial|increments|^(positive\w*|small)integer/, 'integer'],
  [/blob|bytea|binary|^bytes/, 'bytea'],
  [/char|text|string|^enum|^set\b|email|url|slug/, 'text'],
]

const names: [pattern: RegExp, type: string][] = [
  [/^(is|has)_/, 'boolean'],
  [/(^id|_id|Id)$/, 'bigint'],
  [/_?(at|At)$|created|updated/, 'timestamp without time zone'],
  [/_?(on|date|Date)$|^(due|date)/, 'date'],
  [/(total|amount|price|qty|quantity|cents|rate)/i, 'numeric'],
]
