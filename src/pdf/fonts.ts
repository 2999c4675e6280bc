import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { pino } from 'pino'

/** Font files of a package, under the name that the files themselves say. */
interface Family {
  name: string
  package: string
  files: string[]
}

const google = (name: string, folder: string, weights = ['400Regular', '500Medium', '600SemiBold']): Family => ({
  name,
  package: `@expo-google-fonts/${folder}`,
  files: weights.map(it => `${it}/${name.replaceAll(' ', '')}_${it}.ttf`),
})
const embedded = (name: string, folder: string, file: string): Family => ({
  name,
  package: `@embedpdf/fonts-${folder}`,
  files: ['Regular', 'Bold'].map(it => `fonts/${file}-${it}.otf`),
})

/** Latin, Greek and Cyrillic: what each document has. */
const sans = google('Inter', 'inter')
const serif = google('Source Serif 4', 'source-serif-4', ['500Medium', '600SemiBold'])

const japanese = [
  embedded('Noto Sans Japanese', 'jp', 'NotoSansJP'),
  google('Sawarabi Gothic', 'sawarabi-gothic', ['400Regular']),
]
const korean = [embedded('Noto Sans Korean', 'kr', 'NotoSansKR')]
const simplified = [embedded('Noto Sans S Chinese', 'sc', 'NotoSansHans')]
const traditional = [embedded('Noto Sans T Chinese', 'tc', 'NotoSansHant')]

/** The families that every document has. */
export const fontNames = { sans: sans.name, serif: serif.name }

/** Of each list the first that is installed is loaded, where a text has such letters. */
const scripts: { name: string; letters: RegExp; families(language: string): Family[] }[] = [
  { name: 'Arabic', letters: /\p{Script=Arabic}/u, families: () => [google('Vazirmatn', 'vazirmatn')] },
  { name: 'Hebrew', letters: /\p{Script=Hebrew}/u, families: () => [google('Noto Sans Hebrew', 'noto-sans-hebrew')] },
  { name: 'Japanese', letters: /[\p{Script=Hiragana}\p{Script=Katakana}]/u, families: () => japanese },
  { name: 'Korean', letters: /\p{Script=Hangul}/u, families: () => korean },
  { name: 'Chinese', letters: /\p{Script=Han}/u, families: chinese },
  {
    name: 'emoji',
    letters: /\p{Extended_Pictographic}/u,
    families: () => [google('Noto Emoji', 'noto-emoji', ['400Regular'])],
  },
]

/** The same characters look different in each of these languages. */
function chinese(language: string): Family[] {
  if (language.startsWith('ja')) return [...japanese, ...simplified, ...traditional, ...korean]
  if (language.startsWith('ko')) return [...korean, ...traditional, ...japanese, ...simplified]
  if (/^zh-(Hant|TW|HK|MO)/.test(language)) return [...traditional, ...simplified, ...japanese, ...korean]
  return [...simplified, ...traditional, ...japanese, ...korean]
}

/** The fonts that these texts need: paths of their files, and the families in the order in which they are asked. */
export function fontsFor(texts: string, language: string) {
  const others = scripts
    .filter(it => it.letters.test(texts))
    .flatMap(({ name, families }) => installed(name, families(language)))
  return {
    files: [...new Set([sans, serif, ...others].flatMap(filesOf))],
    families: { sans: [sans.name], serif: [serif.name], scripts: [...new Set(others.map(it => it.name))] },
  }
}

/** The boldest font that is installed and has these letters, all of one script. */
export function fontFor(letters: string): { family: string; file: string } | undefined {
  const script = scripts.find(it => it.letters.test(letters))
  const isUsual = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}]+$/u.test(letters)
  const [family] = script ? installed(script.name, script.families('')) : isUsual ? [sans] : []
  const file = family && filesOf(family).at(-1)
  return family && file ? { family: family.name, file } : undefined
}

const log = pino()
const missed = new Set<string>()

function installed(script: string, families: Family[]): Family[] {
  const found = families.find(folderOf)
  if (!found && !missed.has(script)) {
    missed.add(script)
    const names = families.map(it => it.package).join(' or ')
    log.warn({ script }, `no font for ${script}: install ${names}, or its letters are missing from PDF files`)
  }
  return found ? [found] : []
}

const filesOf = (it: Family) => it.files.map(file => join(folderOf(it) ?? '', file))

const folders = new Map<string, string | undefined>()
function folderOf({ package: name }: Family): string | undefined {
  if (!folders.has(name)) folders.set(name, locate(name))
  return folders.get(name)
}

function locate(name: string): string | undefined {
  try {
    const file = findPackageJSON(name, import.meta.url)
    return file && dirname(file)
  } catch {
    return undefined
  }
}
