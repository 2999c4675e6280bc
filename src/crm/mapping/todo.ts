/** Something in a map that is still to be decided. */
class Todo {
  readonly question: string

  constructor(question: string) {
    this.question = question
  }
}

/**
 * What a draft leaves to you: `client: todo('client_id or payer_id?')`. A map that has one is refused, with its
 * question; write the answer in its place.
 */
export const todo = (question: string): never => new Todo(question) as never

/** What is still to be decided in a map, by the path of its entry. */
export function todosIn(it: unknown, path: string[] = []): { path: string[]; question: string }[] {
  if (it instanceof Todo) return [{ path, question: it.question }]
  if (typeof it !== 'object' || it === null) return []
  return Object.entries(it).flatMap(([name, value]) => todosIn(value, [...path, name]))
}
