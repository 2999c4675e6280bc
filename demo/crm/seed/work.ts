import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, Setting } from './clients.ts'
import { at } from './dates.ts'
import { worded } from './lines.ts'

/** Every client of a workspace has the same few files. */
const storage = join(import.meta.dirname, '../storage')

const progress = [
  { state: 'done', percent: 100, from: -400, to: -250 },
  { state: 'active', percent: 60, from: -60, to: 40 },
  { state: 'planned', percent: 0, from: 20, to: 110 },
  { state: 'on_hold', percent: 25, from: -120, to: -10 },
  { state: 'cancelled', percent: 10, from: -500, to: -440 },
]

export function writeWork(setting: Setting, client: Client): void {
  if (client.role === 'empty') return
  writeProjects(setting, client)
  writeDocuments(setting, client)
  writeTickets(setting, client)
}

export function writeComments(setting: Setting, client: Client, type: string, ids: number[]): void {
  const { rows, faker, days, workspace } = setting
  for (const id of ids.slice(-24).filter((_, index) => index % 4 === 0)) {
    const asked = -faker.number.int({ min: 1, max: 60 })
    const about = { client_id: client.id, about_type: type, about_id: id }
    rows.add('comments', {
      ...about,
      author_staff: null,
      author_contact: faker.helpers.arrayElement(client.contacts).id,
      internal: false,
      body: faker.helpers.arrayElement(workspace.vocabulary.comments),
      created: at(days.day(asked), '09:20'),
    })
    const internal = id % 3 === 0
    rows.add('comments', {
      ...about,
      author_staff: client.staffId,
      author_contact: null,
      internal,
      body: internal
        ? 'Careful, they asked for a discount twice already.'
        : 'I will find out and write to you tomorrow.',
      created: at(days.day(asked), '15:05'),
    })
  }
}

function writeProjects({ rows, faker, days, workspace, staffIds }: Setting, client: Client): void {
  const { projects, tasks, requests } = workspace.vocabulary
  const count = client.role === 'ordinary' ? faker.number.int({ min: 0, max: 2 }) : 3
  faker.helpers.arrayElements(projects, count).forEach(([name, ...phases], index) => {
    const { state, percent, from, to } = progress[(index + client.id) % progress.length]!
    const start = days.day(from)
    const project = rows.add('projects', {
      workspace_id: client.workspaceId,
      manager: faker.helpers.arrayElement(staffIds),
      client_id: client.id,
      code: `PRJ-${client.id}-${index + 1}`,
      name: worded(name, start),
      summary: null,
      state,
      starts_on: start,
      ends_on: days.day(to),
      percent_done: percent,
      created: at(days.day(Math.min(from, -5)), '10:00'),
      modified: at(days.day(Math.min(from, -5)), '10:00'),
    })
    phases.forEach((phase, position) => {
      const step = Math.floor((to - from) / phases.length)
      rows.add('project_phases', {
        project_id: project,
        position: position + 1,
        name: phase,
        starts_on: days.day(from + step * position),
        ends_on: days.day(from + step * (position + 1)),
        done: (position + 1) / phases.length <= percent / 100,
      })
    })
    const pick = faker.helpers.arrayElements
    const todo = [
      ...pick(tasks, 3).map(title => ({ title, theirs: false })),
      ...pick(requests, 2).map(title => ({ title, theirs: true })),
    ]
    todo.forEach(({ title, theirs }, position) => {
      const done = state === 'done' || position % 3 === 0
      const due = Math.max(to - 10 * position, from)
      const openState = position % 3 === 1 ? 'doing' : 'open'
      rows.add('tasks', {
        client_id: client.id,
        project_id: project,
        assignee: theirs ? null : faker.helpers.arrayElement(staffIds),
        title,
        details: null,
        due_on: days.day(due),
        state: done ? 'done' : openState,
        for_client: theirs,
        done_on: done ? days.day(Math.min(due, 0)) : null,
        created: at(days.day(Math.min(from, -5)), '10:30'),
      })
    })
  })
}

function writeDocuments({ rows, faker, days, workspace }: Setting, client: Client): void {
  const count = faker.number.int({ min: 1, max: workspace.vocabulary.documents.length })
  faker.helpers.arrayElements(workspace.vocabulary.documents, count).forEach(([folder, name, mime], index) => {
    const minute = faker.number.int({ min: 10, max: 59 })
    const key = `samples/${name
      .replace(/\.\w+$/, '')
      .toLowerCase()
      .replaceAll(' ', '-')}`
    rows.add('documents', {
      client_id: client.id,
      uploaded_by: client.staffId,
      about_type: null,
      about_id: null,
      folder,
      file_name: name,
      mime,
      size_bytes: statSync(join(storage, key)).size,
      storage_key: key,
      shared: index % 3 !== 2,
      created: at(days.day(-faker.number.int({ min: 1, max: 500 })), `11:${minute}`),
    })
  })
}

function writeTickets({ rows, faker, days, workspace, staffIds }: Setting, client: Client): void {
  const { tickets } = workspace.vocabulary
  const count = client.role === 'ordinary' ? faker.number.int({ min: 0, max: 2 }) : 3
  faker.helpers.arrayElements(tickets, count).forEach(([subject, body], index) => {
    const since = -faker.number.int({ min: index, max: 30 + index * 60 })
    rows.add('tickets', {
      workspace_id: client.workspaceId,
      client_id: client.id,
      contact_id: faker.helpers.arrayElement(client.contacts).id,
      subject,
      body,
      priority: faker.helpers.arrayElement(['low', 'normal', 'normal', 'high', 'urgent']),
      state: since < -40 ? 'closed' : faker.helpers.arrayElement(['open', 'waiting', 'solved']),
      assigned_to: faker.helpers.arrayElement(staffIds),
      created: at(days.day(since), '08:12'),
      modified: at(days.day(Math.min(since + 2, 0)), '16:30'),
    })
  })
}
