import type { Identity, Mention } from '../model.ts'
import { either } from '../patterns.ts'
import type { Classes } from './classes.ts'
import type { Script } from './javascript.ts'
import { lineAt, literals } from './text.ts'
import type { SourceFile } from './tree.ts'

/** Who can sign in: guards with their providers, strategies, user models, and types of users. */
export function readIdentities(files: SourceFile[], scripts: Map<string, Script>, classes: Classes): Identity[] {
  return [
    ...files.flatMap(laravelGuards),
    ...files.flatMap(devise),
    ...files.flatMap(types),
    ...strategies(scripts),
    ...userModels(classes),
  ]
}

function laravelGuards({ path, text }: SourceFile): Identity[] {
  if (!/(^|\/)config\/auth\.php$/.test(path)) return []
  const models = modelsOfProviders(text)
  return [...text.matchAll(laravelGuard)].map(({ index, 1: name = '', 2: provider = '' }) => {
    const table = models.get(provider)
    return { kind: 'guard', name, ...(table !== undefined && { table }), at: `${path}:${lineAt(text, index)}` }
  })
}

const guardDriver = /\[\s*['"]driver['"]\s*=>\s*['"](?!eloquent|database)[\w-]+['"]/
const guardProvider = /[^\]]*?['"]provider['"]\s*=>\s*['"](\w+)/
const laravelGuard = new RegExp(`['"](\\w+)['"]\\s*=>\\s*${guardDriver.source}${guardProvider.source}`, 'g')

const providerModel = /['"](\w+)['"]\s*=>\s*\[[^\]]*?['"](?:model|table)['"]\s*=>\s*(?:env\([^,]*,\s*)?['"]?([\w\\]+)/g

/** The model, or table, behind each provider. The first of a name counts. */
function modelsOfProviders(text: string): Map<string, string> {
  const models = new Map<string, string>()
  for (const [, provider = '', model = ''] of text.matchAll(providerModel)) {
    const name = model
      .split('\\')
      .filter(part => part !== 'class')
      .at(-1)!
    if (!models.has(provider)) models.set(provider, name)
  }
  return models
}

function devise({ path, text }: SourceFile): Identity[] {
  if (!path.endsWith('.rb')) return []
  const signs = /^\s*(devise\s+:[\w]+|has_secure_password|authenticates_with_sorcery!|acts_as_authentic)/m.exec(text)
  const model = text.match(/class\s+([\w:]+)/)?.[1]
  return signs && model
    ? [{ kind: 'guard', name: model, table: model, at: `${path}:${lineAt(text, signs.index + 1)}` }]
    : []
}

const strategies = (scripts: Map<string, Script>): Identity[] =>
  [...scripts.values()].flatMap(({ file, calls, classes }) => [
    ...calls
      .filter(it => /^passport\.use$/.test(it.name))
      .map(it => ({
        kind: 'strategy' as const,
        name: it.args[0]?.string ?? it.args[0]?.call?.name ?? 'strategy',
        at: `${file.path}:${it.line}`,
      })),
    ...classes
      .filter(it => /PassportStrategy\(/.test(it.parent ?? ''))
      .map(it => ({
        kind: 'strategy' as const,
        name: literals(it.parent!)[0] ?? it.name,
        at: `${file.path}:${it.line}`,
      })),
  ])

const userModels = (classes: Classes): Identity[] =>
  classes
    .all()
    .filter(
      it =>
        /^(Authenticatable|AbstractBaseUser|AbstractUser|BaseUser)\b|UserMixin|\bAuthenticatable$/.test(it.parent) ||
        /class\s+\w+[^{]*implements[^{]*\b(UserInterface|Authenticatable)/.test(it.file.text.slice(0, 20_000)),
    )
    .filter(it => !/Test|Mixin$/.test(it.name))
    .map(it => ({ kind: 'guard', name: it.name, table: it.name, at: `${it.file.path}:${it.line}` }))

/** `user_type = 2 // guest`, `role: 'client'`, `isPortal()`: a type of user that the code distinguishes. */
function types({ path, text }: SourceFile): Identity[] {
  if (!/\.(php|[cm]?[jt]sx?|py|rb|json|java|kt|go|exs?|cs)$/.test(path) || /(seed|sample|mock)/i.test(path)) return []
  return [...text.matchAll(userTypeCode)].slice(0, 4).map(it => ({
    kind: 'type',
    name: it[0].replace(/\s+/g, ' ').slice(0, 100),
    at: `${path}:${lineAt(text, it.index)}`,
  }))
}

const typeNames = 'user_?type|account_?type|role|roles|role_?name|user_?role|type_of_user|usertype'
const comparison = /===?|!==?|=>|:|=|\.includes\(|in\s*\[/
const clientTypes = either(
  'client customer portal portal_user guest client_user customer_user',
  /Website User/,
  'external',
)
const comparedType = `\\b(?:${typeNames})\\b['"\\])]*\\s*(?:${comparison.source})\\s*\\[?\\s*['"](?:ROLE_)?(?:${clientTypes.source})['"]`
const portalUser = /\bTYPE_PORTAL\b|\bisPortal(?:User)?\(\)|\bis_portal_user\b/
const symfonyRole = /['"]ROLE_(?:CLIENT|CUSTOMER)['"]/
const queriedType = /\(\s*['"](?:user_type|usertype|role)['"]\s*,\s*(?:2|3|['"](?:guest|client|customer)['"])\s*\)/
const odooGroup = /base\.group_portal/
const askedRole = /\bhas_?[rR]ole\(\s*['"](?:client|customer)['"]/
const userTypeCode = new RegExp(
  either(new RegExp(comparedType), portalUser, symfonyRole, queriedType, odooGroup, askedRole),
  'gi',
)

/** Lines of code that say something of payment, switches and tenancy, beside tables and routes. */
export function readMentions(files: SourceFile[]): Mention[] {
  return files.flatMap(file => {
    if (!/\.(php|[cm]?[jt]sx?|py|rb|json|sql|prisma|ya?ml|vue|java|kt|go|exs?|cs)$/.test(file.path)) return []
    return mentions.flatMap(({ kind, pattern }) =>
      [...file.text.matchAll(pattern)]
        .slice(0, 3)
        .map(it => ({ kind, text: it[0].slice(0, 120), at: `${file.path}:${lineAt(file.text, it.index)}` })),
    )
  })
}

const stripe = either(
  /checkout\.sessions\.create|paymentIntents\.create|PaymentIntent(::|\.)create/,
  /Checkout\\Session::create|Session\.create\(/,
)
const rubyAndPhp = /Omnipay\b|ActiveMerchant\b|Stripe::(?:PaymentIntent|Checkout)|paypal_url\b|Payum\\/
const razorpayAndMollie = /Razorpay\\|razorpay\.orders|mollie(Client)?\.payments|Mollie\\/
const paypalAndBraintree = /PayPalHttp|paypal\.Order|OrdersCreateRequest|Braintree\\|braintree\.transaction/
const stripeCharges = /Stripe::Charge|\\Stripe\\\w+|stripe\.(charges|checkout|PaymentIntent)/
const otherGateways = either(
  /class \w*(Payment(Driver|Gateway)|Gateway)\b/,
  /blockchyp|Square\\|Authorize\.?net|payment_gateway_\w+|get_payment_url|GoCardless\w*|new Stripe\(/,
)

const portalSwitches = either(
  /enable_(?:client_|customer_)?portal\w*/,
  /(?:client|customer)_?[pP]ortal_?(?:[eE]nabled?|[aA]llow|[sS]how|[pP]assword|[sS]ettings?|[tT]asks|[dD]ashboard)\w*/,
  /portal_(?:enabled?|show|allow|hide|display|widget|require)\w*/,
)
const visibilitySwitches = either(
  /(?:show|visible|share[d]?|hide|hidden)_?\w{0,20}_?(?:to|for|from)_?_?(?:client|customer|portal)s?/,
  /(?:client|customer)s?_can_\w+|public_link_enabled|is_?public_?link/,
  /(?:showTo|visibleTo|sharedWith)(?:Client|Customer)s?|visibleOnPortal|portal_menu\w*/,
  /customer_visible|client_visible|allow_(?:client|customer)_\w+/,
)
const constantSwitches = /MAIN_(?:PUBLIC|PORTAL)\w+|\w+_ALLOW_ONLINE_SIGN\w*|WEBPORTAL_\w+/
const namedSwitch = /(?<=['"])(?:client_?|customer_?)?portal_(?!session|token|login|auth|user|url)[a-z_]{3,30}(?=['"])/

const tenancyPackages = /stancl\/tenancy|TenantAware|BelongsToTenant|acts_as_tenant|django_tenants/
const tenantDatabases = /tenant[-_]?(?:Db|Pool|Connection|Database|Datasource|schema)\w*|getTenant(?:Db|Connection)\w*/
const currentTenant = /current_tenant|multitenan\w+|set_rls_context|app\.current_(?:org|tenant)\w*|Apartment::/

const gateways = either(stripe, rubyAndPhp, razorpayAndMollie, paypalAndBraintree, stripeCharges, otherGateways)
const switches = either(portalSwitches, visibilitySwitches, constantSwitches)
const tenancy = either(tenancyPackages, tenantDatabases, currentTenant)

const mentions: { kind: Mention['kind']; pattern: RegExp }[] = [
  { kind: 'gateway', pattern: new RegExp(`\\b(${gateways.source})`, 'g') },
  { kind: 'switch', pattern: new RegExp(`\\b(${switches.source})\\b|${namedSwitch.source}`, 'g') },
  { kind: 'tenancy', pattern: new RegExp(`\\b(${tenancy.source})`, 'gi') },
]
