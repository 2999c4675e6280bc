import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readSource } from '../../audit/collectors/source.ts'
import { audit } from '../../audit/index.ts'

describe('audit of requests that no router lists', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'portico-arrivals-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const put = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  /** Each route as `METHOD /path [guards]`, those that are open with an exclamation mark. */
  const routes = async (framework?: string) =>
    (await readSource(root)).routes
      .filter(it => framework === undefined || it.framework === framework)
      .map(it => `${it.method} ${it.path} [${it.guards.join()}]${it.open ? '!' : ''}`)

  it('reads server actions of Next, of a file or by themselves, with the helper that asks who is there', async () => {
    put(
      'src/app/(client)/portal/quotes/actions.ts',
      `'use server'
      import { getCurrentPortalUser } from '@/lib/session'
      export async function acceptQuote(id: string) {
        const { clientId } = await getCurrentPortalUser()
        await prisma.quote.update({ where: { id, clientId }, data: { status: 'accepted' } })
      }
      export const listQuotes = withAuth(async user => prisma.quote.findMany({ where: { clientId: user.contact_id } }))
      const notExported = async () => {}`,
    )
    put(
      'src/components/share.tsx',
      `import { prisma } from '../db'
      export function Share() {
        async function declineQuote(token: string) { 'use server'; await prisma.quote.update({ where: { token } }) }
        return null
      }`,
    )
    expect(await routes('Next server actions')).to.deep.equal([
      'POST /portal/quotes/acceptQuote [getCurrentPortalUser]',
      'GET /portal/quotes/listQuotes [withAuth]',
      'POST /share/declineQuote/:token []',
    ])
    put('schema.sql', 'create table quotes (id int, client_id int, number text, status text, total numeric);')
    const { answers } = (await audit({ source: root })).json
    expect(answers.B4.status).to.equal('implemented')
    expect(answers.C4.status).to.equal('implemented')
  })

  it('follows a procedure of tRPC to what it is built on, whatever it is called', async () => {
    put(
      'server/trpc.ts',
      `import { initTRPC } from '@trpc/server'
      const t = initTRPC.create()
      const timing = t.middleware(({ next }) => { start(); return next() })
      export const router = t.router
      export const anyone = t.procedure.use(timing)
      const isAuthed = t.middleware(({ ctx, next }) => { if (!ctx.user) throw new TRPCError({ code: 'UNAUTHORIZED' }); return next() })
      export const member = t.procedure.use(isAuthed)
      export const visitor = anyone.use(({ ctx, next }) => { if (!ctx.client) throw new TRPCError({ code: 'UNAUTHORIZED' }); return next() })`,
    )
    put('server/details.ts', `import { member } from './trpc'\nexport const details = member.query(() => db.one())\n`)
    put(
      'server/invoices.ts',
      `import { anyone, member, router, visitor } from './trpc'
      import { details } from './details'
      // a procedure for each
      export const invoices = router({
        shared: anyone.input(z.object({ token: z.string() })).query(({ input }) => db.find(input.token)),
        list: member.query(() => db.list()),
        mine: visitor
          .input(z.object({}))
          .query(({ ctx }) => db.list(ctx.client.id)),
        details,
        one: details,
        pay: visitor.mutation(() => pay()),
      })`,
    )
    expect(await routes('tRPC')).to.deep.equal([
      'GET /trpc/invoices.shared/:token []!',
      'GET /trpc/invoices.list [isAuthed]',
      'GET /trpc/invoices.mine [visitor (client session)]',
      'GET /trpc/invoices.one [isAuthed]',
      'POST /trpc/invoices.pay [visitor (client session)]',
    ])
  })

  it('reads resolvers of GraphQL: maps, what they spread, Pothos, and fields that nothing resolves', async () => {
    put(
      'src/schema.graphql',
      'type Query {\n  invoices: [Invoice!]! @auth(role: CLIENT)\n  quote(token: String!): Quote\n}\ntype Mutation {\n  pay(id: ID!): Boolean\n  refund(id: ID!): Boolean\n}\n',
    )
    put('src/quotes.js', 'export const quotes = { quote: async (_, { token }) => db.quotes.findOne({ token }) }')
    put(
      'src/resolvers.js',
      `import { quotes } from './quotes'
      const pay = (_, args, ctx) => { requireCustomer(ctx); return db.pay(args.id) }
      export const resolvers = {
        Query: { invoices: (_, args, { user }) => db.invoices(user), ...quotes },
        Mutation: { pay },
      }`,
    )
    put(
      'src/pothos.ts',
      `import { builder } from './builder'
      builder.mutationField('acceptQuote', t => t.field({ authScopes: { customer: true }, resolve: () => accept() }))
      builder.queryType({ fields: t => ({ me: t.field({ resolve: () => null }) }) })`,
    )
    expect(await routes('GraphQL')).to.deep.equal([
      'POST /graphql/acceptQuote [auth { customer: true }]',
      'GET /graphql/me []',
      'GET /graphql/invoices [auth(role: CLIENT)]',
      'GET /graphql/quote/:token []',
      'POST /graphql/pay [requireCustomer]',
      'POST /graphql/refund []',
    ])
  })

  it('reads queries and mutations of Strawberry and Graphene', async () => {
    put(
      'api/schema.py',
      `import strawberry, graphene

@strawberry.type
class Query:
    @strawberry.field(permission_classes=[IsAuthenticated])
    def open_invoices(self, info) -> list[Invoice]:
        return Invoice.objects.all()

@strawberry.type
class Mutation:
    @strawberry.mutation
    def accept_quote(self, info, token: str) -> Quote:
        return accept(token)

class PayInvoice(graphene.Mutation):
    @login_required
    def mutate(self, info, id):
        return pay(id)

class OldQuery(graphene.ObjectType):
    def resolve_all_quotes(self, info):
        return Quote.objects.all()
`,
    )
    expect(await routes('GraphQL')).to.deep.equal([
      'GET /graphql/openInvoices [IsAuthenticated]',
      'POST /graphql/acceptQuote/:token []',
      'POST /graphql/payInvoice [login_required]',
      'GET /graphql/allQuotes []',
    ])
  })

  it('reads form actions of SvelteKit each by its name, and the nested routes of Remix', async () => {
    put(
      'src/routes/share/[token]/+page.server.ts',
      `export const load = async ({ params }) => db.quote(params.token)
      export const actions = {
        accept: async ({ params }) => db.update(params.token),
        async reject({ params }) { return db.update(params.token) },
      }`,
    )
    put(
      'app/routes/portal.quotes_.$id/route.tsx',
      'export async function action({ request }) { await requireCustomer(request) }',
    )
    put('app/routes/_auth.login.tsx', 'export const loader = async () => null')
    expect(await routes()).to.have.members([
      'GET /share/:token []',
      'POST /share/:token/accept []',
      'POST /share/:token/reject []',
      'POST /portal/quotes/:id [requireCustomer]',
      'GET /login []',
    ])
  })
})
