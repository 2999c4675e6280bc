import { strongArea } from '../lexicon.ts'
import { type Answer, type Answers, type Findings, implemented, missing, partial, shown } from './answer.ts'
import type { ClassifiedRoute } from './surface.ts'

/** E: which pages are there for clients. */
export function judgePages(
  findings: Findings,
  { C1, C2, C3 }: Pick<Answers, 'C1' | 'C2' | 'C3'>,
): Pick<Answers, 'E1' | 'E2' | 'E3' | 'E4'> {
  return {
    E1: judgeArea(findings, 'a client area', clientWord),
    E2: judgeArea(findings, 'a portal', /portal|portail/i),
    E3: judgePublicPage('proposals or quotations', C1.status === 'implemented' ? C1 : C2),
    E4: judgePublicPage('invoices', C3),
  }
}

const clientWord = /^(client|customer|guest|kunde|cliente|my$|espace|area)/i

function judgeArea({ surface, people }: Findings, what: string, word: RegExp): Answer {
  const found = surface.filter(it => it.area !== undefined && it.actor !== 'staff' && inPath(it, word))
  const served = found.filter(it => !it.route.page)
  const real = served.filter(it => it.actor === 'client' || it.actor === 'holder')
  const open = served.filter(it => strongArea.test(it.area!) || /log ?in|sign ?in/i.test(it.words))
  if (real.length || (open.length && people.inside.length))
    return implemented(`There is ${what}.`, shown(real.length ? real : open, 3))
  const pages = found.filter(it => it.route.page && !/\b(register|registration|sign ?up)\b/i.test(it.words))
  if (pages.length && (people.inside.length || pages.some(it => it.actor === 'holder')))
    return implemented(`There is ${what}, as pages of the browser application.`, shown(pages, 3), 0.7)
  if (pages.length >= 2 && people.identity)
    return partial(`There are pages of ${what}; no server logic of theirs was found.`, shown(pages, 3), 0.5)
  return missing(`No address is ${what}.`, [], 0.75)
}

/** Whether the address itself contains the word; a folder or middleware of that name does not count. */
const inPath = ({ route }: ClassifiedRoute, word: RegExp) =>
  route.path.split('/').some(it => !it.startsWith(':') && word.test(it) && !/^(clients|customers|clientes)$/i.test(it))

function judgePublicPage(what: string, view: Answer): Answer {
  if (view.status === 'implemented')
    return implemented(`There is a public page for ${what}.`, view.evidence, view.confidence)
  return view.status === 'partial'
    ? partial(view.reason, view.evidence, view.confidence)
    : missing(`There is no public page for ${what}.`, [], view.confidence)
}
