import type { Knex } from 'knex'

/** Who had switched reminders off in their account gets none by e-mail: they are chosen with the notifications now. */
export const up = (db: Knex) =>
  db.raw(`
    insert into portal.client_notification_choices as c (workspace_id, person_id, choices)
    select u.workspace_id, u.id::text,
      '{"reminders.expiry": {"mail": false}, "reminders.due": {"mail": false}, "reminders.work": {"mail": false}}'
    from portal.client_users u where not u.reminders
    on conflict (workspace_id, person_id) do update set changed_at = portal.now(), choices = c.choices ||
      (select jsonb_object_agg(kind, coalesce(c.choices -> kind, '{}') || off)
       from jsonb_each(excluded.choices) it (kind, off))`)

/** The switch in the account has stayed as it was. */
export const down = () => Promise.resolve()
