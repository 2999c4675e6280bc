import type { Request } from 'express'
import type { Knex } from 'knex'
import type { Staff } from './sign-in.ts'

export type Desk = { database: Knex; staff: Staff; workspaceId: number; today: string }

export const pageSize = 25

export function deskOf(request: Request): Desk {
  const staff = request.user as Staff
  const { database, today } = request.app.locals
  const timeZone = staff.workspace.timeZone
  return {
    database,
    staff,
    workspaceId: staff.workspace.id,
    today: today ?? new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date()),
  }
}

export function idOf(text: unknown): number {
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0
}

export function pageOf(query: Request['query']): { q: string; state: string; page: number } {
  const text = (value: unknown) => (typeof value === 'string' ? value.trim().slice(0, 100) : '')
  return { q: text(query.q), state: text(query.state), page: Math.max(1, idOf(query.page)) }
}

export function like(q: string): string {
  return `%${q.replace(/[\\%_]/g, '\\$&')}%`
}

export async function log(database: Knex, desk: Desk, clientId: number | null, what: string): Promise<void> {
  await database('activity').insert({
    workspace_id: desk.workspaceId,
    client_id: clientId,
    staff_id: desk.staff.id,
    what,
  })
}
