import type { RequestContext } from '../../src/http/context.ts'
import type { Home } from '../../src/plugin/dashboard.ts'

/** What the dashboard says of documents: what is new, and the way there. */
export async function home({ crm, t, customer }: RequestContext): Promise<Home> {
  const { counts } = await crm.documents.overview()
  const [newest] = counts.new ? (await crm.documents.list({ status: 'new', sort: 'newest', size: 1 })).items : []
  const need = newest && {
    tone: '' as const,
    icon: 'folder',
    title: t('{count, plural, one {A new document} other {# new documents}}', { count: counts.new }),
    about: counts.new === 1 ? newest.name : t('The newest is {name}', { name: newest.name }),
    amount: [],
    path: counts.new === 1 ? `/documents/${newest.id}` : '/documents?status=new',
    action: 'View',
    by: customer.today,
  }
  return {
    needs: need ? [need] : [],
    figures: [],
    actions: counts.all ? [{ icon: 'folder', title: t('View documents'), path: '/documents', count: counts.all }] : [],
  }
}
