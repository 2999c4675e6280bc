import { coreHostOf } from '../../src/auth/host.ts'
import { type RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import type { Workspace } from '../../src/crm/crm.ts'
import type { Host } from '../../src/plugin/plugin.ts'

/** Who of a client may see a section now, by the section's name: nobody who left, was suspended or lost the right. */
export async function readersAt(host: Host, workspace: Workspace, client: string) {
  const { crm, database, plugins } = coreHostOf(host)
  const rights = await rightsOf(database, workspace.id)
  const people = await recipientsAt({ crm, database, sections: plugins }, { workspace, client, rights })
  return {
    async of(name: string): Promise<RecipientOf[]> {
      // Everybody who sees notifications has an account.
      const section = plugins.find(it => it.name === (name === 'account' ? 'notifications' : name))
      if (!section) return []
      return people.still(
        people.of({ section, may: `${section.name}.see` in section.permissions ? ['see'] : [], on: [] }),
      )
    },
  }
}
