import { may, plugin, runAction } from '../../../src/sdk.ts'

/** What is on the wall, in this process. */
export const wall = { notes: [] as string[], open: true, draft: '' }

/** A live page with fields in its region. */
export default plugin({
  name: 'wall',
  title: 'Wall',
  icon: 'list-details',
  order: 71,
  live: true,
  folder: import.meta.dirname,
  permissions: { 'wall.see': { label: 'See the wall', roles: ['admin', 'member'] } },
  toggles: { wall: { label: 'Wall', about: 'Clients see the wall.', default: true } },
  activity: { 'wall.noted': 'wrote on the wall' },
  store: () => ({}),
  routes(router) {
    router.get('/', may('wall.see'), (_req, res) => res.respond('wall/list', { ...wall }))
    router.post('/', may('wall.see'), async (req, res) => {
      const change = req.portal.body as Partial<typeof wall> & { note?: string }
      await runAction(
        req,
        async () => {
          if (change.note) wall.notes.push(change.note)
          Object.assign(wall, { open: change.open !== ('no' as never), draft: change.draft ?? '' })
        },
        () => ({ event: 'wall.noted' }),
      )
      res.redirect(303, req.portal.url('/wall'))
    })
  },
})
