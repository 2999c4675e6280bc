import type { Subject } from '../../src/plugin/subjects.ts'

/** A conversation, as other plugins attach to it. */
export const subject: Subject = {
  label: 'Conversation',
  page: 'messages/show',
  async find(ports, id) {
    const { title } = await ports.messages!.find(id, 1)
    return { id, number: title, title }
  },
}
