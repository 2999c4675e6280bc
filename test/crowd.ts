import type { Knex } from 'knex'

/** Ten people for each of 2,000 clients; three in ten never came, and one in ten has not come for long. */
export async function crowd(owner: Knex): Promise<void> {
  await owner.raw(`
    insert into public.clients (workspace_id, client_no, company_name, currency)
      select 1, 'CROWD-' || n, 'Crowd ' || n, 'EUR' from generate_series(1, 2000) n;
    insert into portal.client_users (workspace_id, id, email, name, created_at)
      select '1', gen_random_uuid(), 'p' || n || '@crowd.example', 'Person ' || n, portal.now() - (n % 400) * interval '1 day'
      from generate_series(1, 20000) n;
    insert into portal.client_memberships (workspace_id, person_id, client_id, client_name, role)
      select '1', u.id, c.id::text, c.company_name, (array['admin', 'approver', 'billing', 'member', 'viewer'])[1 + n % 5]
      from (select id, substring(email from 'p(\\d+)@')::int as n from portal.client_users where email like '%@crowd.example') u
        join public.clients c on c.company_name = 'Crowd ' || (1 + n % 2000);
    insert into portal.client_visits (workspace_id, person_id, first_at, last_at)
      select '1', id, portal.now() - interval '1 year', portal.now() - (n % 70) * interval '1 day'
      from (select id, substring(email from 'p(\\d+)@')::int as n from portal.client_users where email like '%@crowd.example') u
      where n % 10 >= 3;
    insert into portal.client_invitations (workspace_id, id, token_hash, email, name, client_id, client_name, role, invited_by, created_at)
      select '1', gen_random_uuid(), 'crowd ' || n, 'i' || n || '@crowd.example', 'Invited ' || n, c.id::text, c.company_name, 'viewer',
        'Marta', portal.now() - n * interval '1 minute'
      from generate_series(1, 4000) n join public.clients c on c.company_name = 'Crowd ' || (1 + n % 2000);
    insert into portal.client_portal_settings (workspace_id, client_id, person_id, name, value, changed_by)
      select '1', c.id::text, '', (array['invoices', 'proposals', 'portal'])[1 + n % 3], 'false', 'Marta'
      from generate_series(1, 400) n join public.clients c on c.company_name = 'Crowd ' || (1 + n);
    insert into portal.client_portal_settings (workspace_id, client_id, person_id, name, value, changed_by)
      select '1', m.client_id, m.person_id::text, 'invoices', 'true', 'Marta'
      from portal.client_memberships m where m.client_name like 'Crowd 1_' limit 100;
    insert into portal.client_sessions (sid, sess, expire)
      select 'crowd' || v.person_id, jsonb_build_object('workspace', '1', 'person', v.person_id), portal.now() + interval '1 day'
      from portal.client_visits v order by v.last_at desc limit 5000;
    insert into portal.client_outbox (workspace_id, id, kind, person_id, recipient, subject, created_at, sent_at)
      select '1', gen_random_uuid(), 'reminders.expiry', v.person_id, 'x@crowd.example', 'Reminder', portal.now(), portal.now()
      from portal.client_visits v, generate_series(1, 3);
    insert into portal.client_activity_logs (workspace_id, client_id, at, event, actor_kind, actor_id, actor_name, subject_id, subject)
      select '1', m.client_id, portal.now() - (n % 40) * interval '1 day', (array['account.signed-in', 'invoices.viewed'])[1 + n % 2], 'client',
        m.person_id::text, 'Somebody', '1', '{}'
      from portal.client_memberships m, generate_series(1, 10) n;
    analyze;`)
}
