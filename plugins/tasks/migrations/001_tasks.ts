import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/**
 * Tasks for clients, where the CRM has none, and who completed one in the portal, wherever it is kept. A task without a
 * person is for anybody at the client.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_tasks (
      workspace_id text not null,
      id           uuid not null,
      -- Of the form that gave it to one or several clients: sent twice, it makes one task for each.
      batch_id     uuid,
      client_id    text not null,
      client_name  text not null,
      person_id    uuid,
      person_name  text,
      title        text not null check (title <> ''),
      text         text,
      project      text,
      due_on       date,
      state        text not null default 'open' check (state in ('open', 'doing', 'done')),
      done_on      date,
      version      integer not null default 1,
      asked_by     text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, id),
      unique (workspace_id, batch_id, client_id),
      check ((state = 'done') = (done_on is not null))
    );
    create index client_tasks_due on portal.client_tasks (workspace_id, client_id, (coalesce(due_on, '9999-12-31'::date)), id)
      where state <> 'done';
    create index client_tasks_done on portal.client_tasks (workspace_id, client_id, done_on desc, id desc)
      where state = 'done';
    create index on portal.client_tasks (workspace_id, client_id, id desc);
    create index client_tasks_of_workspace on portal.client_tasks (workspace_id, (coalesce(due_on, '9999-12-31'::date)), id)
      where state <> 'done';
    create index client_tasks_done_of_workspace on portal.client_tasks (workspace_id, done_on desc, id desc)
      where state = 'done';
    create index client_tasks_of_person on portal.client_tasks (workspace_id, person_id) where person_id is not null;
    ${rowSecurity('client_tasks', app, { many: true })}

    create table portal.client_task_items (
      workspace_id text not null,
      id           uuid not null,
      task_id      uuid not null,
      client_id    text not null,
      position     integer not null,
      title        text not null check (title <> ''),
      done         boolean not null default false,
      primary key (workspace_id, id),
      foreign key (workspace_id, task_id) references portal.client_tasks on delete cascade
    );
    create index on portal.client_task_items (workspace_id, task_id, position);
    ${rowSecurity('client_task_items', app, { many: true })}

    -- Who completed a task here last, by its id in the CRM or in the table above.
    create table portal.client_task_completions (
      workspace_id text not null,
      task_id      text not null,
      client_id    text not null,
      by_id        text not null,
      by_name      text not null,
      before       text not null,
      version      text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, client_id, task_id)
    );
    create index on portal.client_task_completions (workspace_id, at desc);
    create index on portal.client_task_completions (workspace_id, by_id);
    ${rowSecurity('client_task_completions', app, { many: true })}
  `)

export const down = (db: Knex) =>
  db.raw('drop table portal.client_task_completions, portal.client_task_items, portal.client_tasks')
