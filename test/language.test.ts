import { existsSync, globSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { expect } from 'chai'
import { IntlMessageFormat } from 'intl-messageformat'
import { root } from '../src/platform/root.ts'
import { sections as installed } from '../src/plugin/discover.ts'
import type { Section } from '../src/plugin/plugin.ts'
import { registered } from '../src/plugin/registry.ts'
import { sentencesOf, wordsOf } from '../src/plugin/sentences.ts'

/** Told to who runs Portico, in a terminal or to a monitor, and to nobody else. */
const untold =
  /^(?:plugins\/\w+\/described|src\/(files\/described|cli|operations|api\/openapi|evidence\/(canonical|check)|cli\/.*|mail\/check|platform\/migrations|crm\/activation\/(checks|indexes)|crm\/mapping\/.*))\.ts$/
const foreign = ['es']
/** What was said here before, and in no office. */
const unsaid =
  /\b(anew|at once|so far|lately|unwanted mail|(its )?time is over|no longer good|good once|tak(e|en) back|took back|wished|the own|next click|go on|look into|from the day on|whoever has|is called like|not so)\b/i
const sections = registered(installed)
/** Facts as people may type them, which are in no language. */
const examples = new Set(
  sections.flatMap(({ notifications = {} }) =>
    Object.values(notifications).flatMap(({ example = {} }) => Object.values(example)),
  ),
)

describe('what Portico says', () => {
  for (const language of foreign) {
    it(`is said in ${language}, all of it`, () => {
      for (const [folder, used] of belonging())
        expect(
          [...used].filter(it => !(it in words(folder, language))),
          `${folder}/${language}.json lacks`,
        ).to.deep.equal([])
    })

    it(`has nothing in ${language} that is said nowhere, or that belongs to another folder`, () => {
      for (const [folder, used] of belonging())
        expect(
          Object.keys(words(folder, language)).filter(it => !used.has(it)),
          `${folder}/${language}.json has too much`,
        ).to.deep.equal([])
    })

    it(`tells the same facts in ${language} as in English`, () => {
      for (const folder of belonging().keys())
        for (const [english, other] of Object.entries(words(folder, language)))
          expect(factsIn(other), other).to.deep.equal(factsIn(english))
    })
  }

  it('has none of the words that nobody says', () => {
    for (const folder of belonging().keys())
      expect(
        Object.keys(words(folder, 'es')).filter(it => unsaid.test(it)),
        folder,
      ).to.deep.equal([])
  })

  it('stands in no view without going through t', () => {
    for (const file of globSync('{views,plugins}/**/*.ejs', { cwd: root }))
      expect(plainText(read(file)), file).to.deep.equal([])
  })
})

/**
 * A section's own sentences lie in its folder, those of a folder that sections share in that one, and those of several
 * sections or of none in `views`.
 */
function belonging(): Map<string, Set<string>> {
  const files = globSync(['{views,plugins}/**/*.ejs', '{src,plugins}/**/*.ts'], { cwd: root })
    .map(it => it.replaceAll('\\', '/'))
    .filter(it => !/\.test\.ts$|\/(contract|fixtures)\.ts$/.test(it) && !untold.test(it))
  const users = new Map<string, Set<string>>()
  const add = (folder: string, sentence: string) =>
    sentence && users.set(sentence, (users.get(sentence) ?? new Set()).add(folder))

  for (const file of files) {
    const folder = /^plugins\/[^/]+/.exec(file)?.[0] ?? 'views'
    for (const it of file.endsWith('.ejs') ? saidInView(read(file)) : saidInCode(read(file)))
      if (!examples.has(it)) add(folder, it)
  }
  for (const it of Object.values(sentencesOf([]))) add('views', it)
  for (const section of sections) {
    const shared = (section.shared ?? []).map(it => relative(root, it))
    for (const it of declared(section))
      if (!shared.some(folder => users.get(it)?.has(folder))) add(`plugins/${section.name}`, it)
  }

  const shared = globSync('plugins/_*', { cwd: root })
  const own = sections.map(({ name }) => `plugins/${name}`)
  const folders = new Map(['views', ...shared, ...own].map(it => [it, new Set<string>()]))
  for (const [sentence, its] of users) folders.get(its.size > 1 ? 'views' : [...its][0]!)?.add(sentence)
  return folders
}

function declared({
  title,
  permissions,
  toggles,
  stepUps = {},
  activity,
  settings,
  sentences = [],
  notifications = {},
  channel,
}: Section): string[] {
  const labels = [permissions, toggles, stepUps].flatMap(its => Object.values(its)).map(it => it.label)
  const abouts = Object.values(toggles).flatMap(it => [it.about, it.withoutMail ?? ''])
  const waits = settings?.waits ?? []
  const told = Object.values(notifications).flatMap(it => [it.label, it.sentence, it.several ?? '', it.about ?? ''])
  const reached = channel ? [channel.label, channel.hint] : []
  const events = Object.values(activity).map(wordsOf)
  return [title, ...labels, ...abouts, ...waits, ...events, ...told, ...reached, ...sentences]
}

const quoted = /'((?:[^'\\\n]|\\.)*)'/g
const unescaped = (text: string) => text.replace(/\\(.)/g, '$1')

/** What goes through t, and words that begin with a capital: they reach t by way of a variable. */
const saidInView = (source: string) =>
  [...source.matchAll(/<%[\s\S]*?%>/g)].flatMap(([code]) => [
    ...throughT(code),
    ...literals(code).filter(it => /^[A-Z][a-z]/.test(it)),
  ])

/** What goes through t, what a view will put through it (a label, an action), and whatever looks like a sentence. */
function saidInCode(source: string): string[] {
  const code = source.replace(/^\s*(\/\/|\/?\*).*$/gm, '').replace(/new (Error|Obstacle)\([^)]*\)/g, '')
  const named = [...code.matchAll(/\b(?:title|label|about|action): '((?:[^'\\\n]|\\.)*)'/g)].map(it =>
    unescaped(it[1]!),
  )
  return [
    ...throughT(code),
    ...named,
    ...literals(code).filter(it => /^[A-Z][a-z]*,? [a-z{]|^[A-Z][a-z ]+\.$/.test(it)),
  ]
}

const throughT = (source: string) => [...source.matchAll(/\bt\(\s*'((?:[^'\\\n]|\\.)*)'/g)].map(it => unescaped(it[1]!))

const literals = (source: string) => [...source.matchAll(quoted)].map(it => unescaped(it[1]!))

/** Words between tags, or in attributes that are read out, which no `<% %>` has put there. */
function plainText(view: string): string[] {
  const still = view.replace(/<%[\s\S]*?%>/g, '')
  const attributes = [...still.matchAll(/\s(?:aria-label|placeholder|title|alt)="([^"]*)"/g)].map(it => it[1]!)
  return [...attributes, ...still.replace(/<(?:"[^"]*"|'[^']*'|[^<>"'])*>/g, '\n').split('\n')]
    .map(it => it.trim())
    .filter(it => /\p{Ll}{2,}/u.test(it))
}

function factsIn(sentence: string): string[] {
  const names = new Set<string>()
  const walk = (node: any) => {
    if (Array.isArray(node)) return node.forEach(walk)
    if (node.type > 0 && node.type < 7) names.add(node.value)
    for (const it of Object.values(node.options ?? {})) walk((it as any).value)
  }
  walk(new IntlMessageFormat(sentence, 'es', {}, { ignoreTag: true }).getAst())
  return [...names].sort()
}

const words = (folder: string, language: string): Record<string, string> => {
  const file = `${folder}/${language}.json`
  return existsSync(`${root}/${file}`) ? JSON.parse(read(file)) : {}
}

const read = (file: string) => readFileSync(`${root}/${file}`, 'utf8')
