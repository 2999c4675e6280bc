import { either } from '../../patterns.ts'

/** Helpers that a handler calls to learn who is asking, or that are wrapped around it. */
const helper = either(
  /\w*(?:[aA]uthenticat|[aA]uthoriz|[aA]uthed|[uU]nauth)\w*|auth|with_?[aA]uth\w*|check_?[aA]uth\w*/,
  /(?:require|assert|ensure|protect|enforce|guard|verify|validate|check|has|can)_?(?:[A-Z]\w*)?(?:User|Session|Admin|Client|Customer|Portal|Contact|Staff|Login|Role|Permission|Access|Token|Member|Auth|SignedIn)\w*/,
  /(?:get|fetch|load|read|use|with)_?(?:Server|Current|Auth\w*|Signed|Logged|My|Client|Customer|Portal|Contact|Session)\w*(?:Session|User|Client|Customer|Contact|Auth|Viewer|Actor|Member)\w*/,
  'getSession getUser currentUser getServerSession withSession protect',
)
const call = new RegExp(String.raw`(?<![\w$])(?:[\w$]+\.)*(${helper.source})(?:<[^<>()]*>)?\(`, 'g')
const foundBy = /ById$|ByEmail$|ByIds$|Hash\b|Format|^(validate|verify|check)\w*(Input|Schema|Body|Email|Payload)/
/** A handler that turns everybody away but people of clients. */
const onlyClients =
  /\b(?:user_?type|role|kind|account_?type|type)['"\])]*\s*!==?\s*(?:\w+\.)*['"]?(?:ROLE_)?(client|customer|portal|contact|guest)\w*/i

/** The guards of a handler that asks itself: the helpers it calls, or is wrapped in, before anything else. */
export function insideGuards(text: string): string[] {
  const called = [...text.slice(0, 3000).matchAll(call)].map(it => it[1]!).filter(it => !foundBy.test(it))
  const clients = onlyClients.exec(text.slice(0, 3000))?.[1]
  return [...new Set(called), ...(clients ? [`${clients.toLowerCase()} role`] : [])].slice(0, 4)
}

/** The argument of a function that stands for possession. */
export const tokenArgument = (text: string): string | undefined =>
  text
    .slice(0, text.indexOf('{') === -1 ? 300 : Math.max(text.indexOf(')'), text.indexOf('{')) + 200)
    .match(/[(,{]\s*(\w*(?:token|hash|publicKey|publicId|shareId|shareKey|secret|urlKey)\w*)\s*[:,)}?]/i)?.[1]
