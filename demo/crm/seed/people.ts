import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Person = {
  workspace: string
  kind: 'staff' | 'client'
  role: string
  client: string | null
  name: string
  email: string
  password: string
}

export const people: Person[] = JSON.parse(readFileSync(join(import.meta.dirname, '../../people.json'), 'utf8'))

export function staffOf(workspace: string): Person[] {
  return people.filter(person => person.kind === 'staff' && person.workspace === workspace)
}

export function peopleAt(workspace: string, client: string): Person[] {
  return people.filter(person => person.kind === 'client' && person.workspace === workspace && person.client === client)
}
