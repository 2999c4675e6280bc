import { coreHostOf } from '../../src/auth/host.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { resolve, togglesOf } from '../../src/plugin/toggles.ts'
import { mails } from './mails.ts'
import { publicRoutes } from './routes.ts'
import { saveLink, saveLinkEnd, showLinks } from './settings.ts'
import { switchesOf } from './store.ts'

/**
 * Public links to one document, made by staff. A subject that takes part says what a link gives access to (`link`) and
 * has the toggle that it names there.
 */
export default section({
  name: 'links',
  title: 'Links',
  icon: 'link',
  order: 930,
  mails,

  activity: {
    'links.made':
      'made a public link to {number}, valid for {days, plural, one {a day} other {# days}}{email, select, nobody {} other {, and mailed it to {email}}}',
    'links.revoked': 'revoked a public link to {number}',
    'links.opened': { kind: 'view', sentence: 'opened a public link to {number}' },
    'links.fetched': { kind: 'view', sentence: 'opened {number} by a public link: a program, such as a link preview' },
    'links.verified': {
      kind: 'sign-in',
      sentence: 'confirmed who they are, by a code, for the public link to {number}',
    },
  },

  audit: [
    { question: 'C1', adds: 'public links to one proposal', of: ['proposals'] },
    { question: 'C2', adds: 'public links to one quotation', of: ['quotations'] },
    { question: 'C4', adds: 'acceptance from a public link, after a code by e-mail', of: ['proposals', 'quotations'] },
    { question: 'E3', adds: 'a public page for one proposal or quotation', of: ['proposals', 'quotations'] },
  ],

  privacy: {
    async prunes(owner) {
      const gone = await query(owner, {
        text: `delete from portal.client_links where least(expires_at, revoked_at) < portal.now() - interval '90 days'
               returning 1`,
      })
      return `${gone.length} public links that ended 90 days ago`
    },
  },

  public: { path: 'link', routes: publicRoutes },

  capabilities: {
    links: ({ database, plugins }) => ({
      async page({ workspace, client, kind, id }) {
        const toggle = plugins.find(it => it.name === kind)?.subject?.link?.toggle
        const on = resolve(togglesOf(plugins), await switchesOf(database, workspace, client), client, '')
        if (!toggle || !on(kind) || !on(toggle)) return undefined
        return `/links?${new URLSearchParams({ section: kind, client, id })}`
      },
    }),
  },

  settings: {
    title: 'Links',
    icon: 'link',
    order: 90,
    group: 'visible',
    routes(router, lent) {
      const host = coreHostOf(lent)
      router.get('/', admins, showLinks(host))
      router.post('/', admins, saveLink(host), showAgainOnError(showLinks(host)))
      router.post('/:id/revocation', admins, saveLinkEnd(host))
    },
  },
})
