import type { Client, Setting } from '../clients.ts'
import { at } from '../dates.ts'

export function writeAcmeTalk(setting: Setting, acme: Client, winterProposal: number): void {
  writeQuestions(setting, acme, winterProposal)
  writeAttachments(setting, acme, winterProposal)
  writeProject(setting, acme)
}

function writeQuestions({ rows, days, staffIds }: Setting, acme: Client, proposal: number): void {
  const [marta, jonas] = staffIds as [number, number]
  const contact = (name: string) => acme.contacts.find(contact => contact.name.startsWith(name))!.id
  const say = (staff: number | null, person: number | null, internal: boolean, body: string, created: string) =>
    rows.add('comments', {
      client_id: acme.id,
      about_type: 'proposal',
      about_id: proposal,
      author_staff: staff,
      author_contact: person,
      internal,
      body,
      created,
    })
  say(
    jonas,
    null,
    true,
    'They will take the film as well if we offer it at 2,000. Do not tell them yet.',
    at(days.day(-3), '10:02'),
  )
  say(
    null,
    contact('Pieter'),
    false,
    'On “Advertising set-up”: is the advertising budget itself in here, or only the set-up?',
    at(days.day(-2), '13:20'),
  )
  say(
    marta,
    null,
    false,
    'Only the set-up. The budget is billed at cost, as in October; you set the ceiling.',
    at(days.day(-2), '14:02'),
  )
  say(
    null,
    contact('Nadia'),
    false,
    'Then I am fine with it. Can the banners be up by 5 December?',
    at(days.day(-1), '07:47'),
  )
}

function writeAttachments({ rows, days, staffIds }: Setting, acme: Client, proposal: number): void {
  const files: [name: string, mime: string, size: number, shared: boolean][] = [
    ['Planning, winter.pdf', 'application/pdf', 47_417, true],
    ['Mood board.jpg', 'image/jpeg', 23_457, true],
    ['Our own costs.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 23_140, false],
  ]
  files.forEach(([name, mime, size, shared], index) => {
    rows.add('documents', {
      client_id: acme.id,
      uploaded_by: staffIds[0]!,
      about_type: 'proposal',
      about_id: proposal,
      folder: 'Proposals',
      file_name: name,
      mime,
      size_bytes: size,
      storage_key: `${acme.workspaceId}/${acme.id}/winter-${index + 1}`,
      shared,
      created: at(days.day(-2), '10:00'),
    })
  })
}

function writeProject({ rows, days, staffIds }: Setting, acme: Client): void {
  const project = rows.add('projects', {
    workspace_id: acme.workspaceId,
    manager: staffIds[1]!,
    client_id: acme.id,
    code: 'ACME-SHOP',
    name: 'Shop relaunch',
    summary: 'A shop that wholesale customers can order from by themselves.',
    state: 'active',
    starts_on: days.day(-140),
    ends_on: days.day(34),
    percent_done: 70,
    created: at(days.day(-148), '10:00'),
    modified: at(days.day(-3), '10:00'),
  })
  const phases: [name: string, from: number, to: number][] = [
    ['Discovery', -140, -110],
    ['Design and prototype', -110, -60],
    ['Build', -60, 5],
    ['Content and test', 5, 24],
    ['Launch', 24, 34],
  ]
  phases.forEach(([name, from, to], index) => {
    rows.add('project_phases', {
      project_id: project,
      position: index + 1,
      name,
      starts_on: days.day(from),
      ends_on: days.day(to),
      done: to < 0,
    })
  })
  const tasks: [title: string, due: number, theirs: boolean, done: boolean][] = [
    ['Send the prices of the wholesale range', 6, true, false],
    ['Approve the prototype', -58, true, true],
    ['Rehearse the migration', 4, false, false],
    ['Ask the payment provider for a lower fee', 9, false, false],
  ]
  for (const [title, due, theirs, done] of tasks) {
    rows.add('tasks', {
      client_id: acme.id,
      project_id: project,
      assignee: theirs ? null : staffIds[1]!,
      title,
      details: theirs ? 'As a spreadsheet; the column names do not matter.' : null,
      due_on: days.day(due),
      state: done ? 'done' : 'open',
      for_client: theirs,
      done_on: done ? days.day(due) : null,
      created: at(days.day(-70), '10:30'),
    })
  }
}
