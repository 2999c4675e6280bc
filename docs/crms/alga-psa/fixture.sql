-- Tables, columns and states of an AlgaPSA as far as the map reads them, with a few rows. Written for tests.
create function key(kind text, n integer) returns uuid language sql immutable as $$ select md5(kind || n)::uuid $$;
create table tenants (
  tenant uuid primary key, client_name text not null, email text not null, phone_number text, suspended_at timestamptz
);
create table clients (
  tenant uuid not null, client_id uuid not null, client_name text not null, is_inactive boolean default false,
  primary key (tenant, client_id)
);
create table tenant_companies (tenant uuid, client_id uuid, is_default boolean not null, deleted_at timestamptz);
create table client_locations (
  location_id uuid default gen_random_uuid(), tenant uuid, client_id uuid, address_line1 varchar(255), address_line2 varchar(255),
  address_line3 varchar(255), city varchar(255), postal_code varchar(255), country_name varchar(255), is_billing_address boolean, is_default boolean
);
create table contacts (
  tenant uuid not null, contact_name_id uuid not null, full_name text not null, email text, client_id uuid,
  is_inactive boolean default false, primary key (tenant, contact_name_id)
);
create table users (tenant uuid not null, user_id uuid not null unique, first_name text, last_name text, hashed_password text, email text);
create table quotes (
  tenant uuid not null, quote_id uuid not null, quote_number text, client_id uuid, contact_id uuid, title text, description text,
  quote_date timestamptz, valid_until timestamptz, status text, version integer not null default 1, po_number text, subtotal bigint not null,
  discount_total bigint not null, tax bigint not null, total_amount bigint not null, currency_code varchar(3) not null, internal_notes text,
  client_notes text, terms_and_conditions text, is_template boolean not null default false, sent_at timestamptz, accepted_at timestamptz,
  accepted_by uuid, rejected_at timestamptz, rejection_reason text, created_by uuid, primary key (tenant, quote_id)
);
create table quote_items (
  tenant uuid not null, quote_item_id uuid not null default gen_random_uuid(), quote_id uuid not null, description text not null, phase text,
  quantity bigint not null, unit_of_measure text, unit_price bigint not null, total_price bigint not null, net_amount bigint not null, tax_amount bigint,
  display_order integer not null, is_optional boolean not null default false, is_selected boolean, is_discount boolean not null default false,
  primary key (tenant, quote_item_id)
);
create table invoices (
  tenant uuid not null, invoice_id uuid not null unique, invoice_number text not null, client_id uuid, invoice_date timestamptz,
  due_date timestamptz, subtotal integer, tax integer, total_amount bigint, credit_applied integer not null default 0, status text,
  invoice_type varchar(255), finalized_at timestamptz, currency_code varchar(3) not null, po_number text, primary key (tenant, invoice_id)
);
create table invoice_charges (
  tenant uuid not null, item_id uuid not null default gen_random_uuid(), invoice_id uuid not null, description text, quantity numeric(10,2),
  unit_price bigint, total_price bigint, net_amount bigint, tax_amount bigint, is_discount boolean, created_at timestamptz default now(),
  primary key (tenant, item_id)
);
create table invoice_payments (
  tenant uuid not null, payment_id uuid not null, invoice_id uuid not null, amount bigint not null, payment_method varchar(255),
  payment_date timestamptz not null, reference_number varchar(255), status varchar(255), primary key (tenant, payment_id)
);
create table transactions (
  tenant uuid not null, transaction_id uuid not null unique, invoice_id uuid, type text, description varchar(255),
  related_transaction_id uuid, amount bigint not null
);
create table credit_allocations (
  tenant uuid not null, allocation_id uuid primary key, transaction_id uuid not null, invoice_id uuid not null, amount numeric(10,2) not null,
  created_at timestamptz not null
);

insert into tenants values
  (key('tenant', 1), 'Harbour IT', 'office@harbour.example', '+31 20 555 0100', null),
  (key('tenant', 2), 'Gone & Co', 'gone@gone.example', null, '2026-01-01');
insert into clients values
  (key('tenant', 1), key('client', 1), 'Canal Bikes', false), (key('tenant', 1), key('client', 2), 'Lock "&" Key', false),
  (key('tenant', 1), key('client', 3), 'Closed Shop', true), (key('tenant', 1), key('client', 9), 'Harbour IT BV', false),
  (key('tenant', 2), key('client', 4), 'Elsewhere', false);
insert into tenant_companies values (key('tenant', 1), key('client', 9), true, null);
insert into client_locations (tenant, client_id, address_line1, postal_code, city, is_billing_address, is_default) values
  (key('tenant', 1), key('client', 1), 'Workshop 2', '1018 AB', 'Amsterdam', false, true),
  (key('tenant', 1), key('client', 1), 'Canal 1', '1015 CD', 'Amsterdam', true, false),
  (key('tenant', 1), key('client', 9), 'Pier 7', '1013 EF', 'Amsterdam', true, true);
insert into contacts values
  (key('tenant', 1), key('contact', 1), 'Ada Spoke', 'ada@canal.example', key('client', 1), false),
  (key('tenant', 1), key('contact', 2), 'Left Long Ago', 'left@canal.example', key('client', 1), true),
  (key('tenant', 1), key('contact', 3), 'Kim Lock', 'kim@lock.example', key('client', 2), false);
insert into users values
  (key('tenant', 1), key('user', 1), 'Sal', 'Seller', 'salt:hash'), (key('tenant', 1), key('user', 2), 'Ada', 'Spoke', 'salt:hash');

-- Every status, a template, a discount, and something that is not chosen. 500.00 less 50.00, and 21 %.
insert into quotes
select key('tenant', 1), key('quote', n), 'QUO-' || lpad(n::text, 4, '0'), case when n % 5 = 0 then key('client', 2) else key('client', 1) end,
       key('contact', 1), 'Network ' || n, 'Scope as discussed.', timestamptz '2026-01-05' + n * interval '7 days',
       case when n % 4 > 0 then timestamptz '2026-02-05' + n * interval '18 days' end, status, 1, null, 50000, 5000, 9450, 54450, 'EUR', 'MARGIN 40 %',
       null, 'Payment within 30 days.', false, case when status in ('draft', 'pending_approval', 'approved') then null else timestamptz '2026-03-01' end,
       case when status in ('accepted', 'converted') then timestamptz '2026-03-02 16:00' end, case when status = 'accepted' then key('user', 2) end,
       case when status = 'rejected' then timestamptz '2026-03-03' end, case when status = 'rejected' then 'Too dear' end, key('user', 1)
from generate_series(1, 40) n,
  lateral (select (array['sent', 'accepted', 'rejected', 'sent', 'expired', 'draft', 'converted', 'pending_approval', 'cancelled', 'superseded', 'approved', 'sent'])[1 + n % 12] as status) s;
insert into quotes select tenant, key('quote', 100), null, null, null, title, null, quote_date, null, null, 1, null, subtotal, discount_total, tax, total_amount,
  currency_code, null, null, null, true, null, null, null, null, null, null from quotes where quote_number = 'QUO-0001';
insert into quote_items (tenant, quote_id, description, quantity, unit_of_measure, unit_price, total_price, net_amount, display_order, is_optional, is_selected, is_discount)
select tenant, quote_id, i.* from quotes, (values
  ('Support hour', 4, 'Hour', 10000, 40000, 40000, 1, false, true, false), ('Firewall', 1, 'Piece', 10000, 10000, 10000, 2, true, true, false),
  ('Second firewall', 1, 'Piece', 10000, 10000, 0, 3, true, false, false), ('Introductory discount', 1, null, 0, 5000, -5000, 4, false, true, true)) i;

-- 100.00 and 21 %; some not final, some partly paid, one with credit taken from it, one credit note.
insert into invoices
select key('tenant', 1), key('invoice', n), 'INV-' || lpad(n::text, 6, '0'), case when n % 5 = 0 then key('client', 2) else key('client', 1) end,
       timestamptz '2025-08-01' + n * interval '18 days', timestamptz '2025-09-01' + n * interval '18 days', 10000, 2100, 12100,
       case when n = 4 then 2100 else 0 end, status, 'standard', case when status in ('draft', 'Unpaid') then null else timestamptz '2025-08-02' + n * interval '18 days' end, 'EUR', 'PO ' || n
from generate_series(1, 28) n,
  lateral (select (array['sent', 'paid', 'overdue', 'draft', 'partially_applied', 'paid', 'cancelled', 'Unpaid'])[1 + n % 8] as status) s;
update invoices set status = 'sent', finalized_at = invoice_date where invoice_number = 'INV-000004';
insert into invoices values (key('tenant', 1), key('invoice', 50), 'CM-000001', key('client', 1), '2025-09-01', '2025-10-01', -2100, 0, -2100, 0, 'sent', 'credit_note', '2025-09-01', 'EUR', null);
insert into invoice_charges (tenant, invoice_id, description, quantity, unit_price, net_amount, tax_amount, total_price, is_discount, created_at)
select tenant, invoice_id, l.* from invoices, (values
  ('On-site visit', 1.5, 8000, 12000, 2520, 14520, false, timestamptz '2025-08-01 10:00'),
  ('Goodwill', 1, -2000, -2000, -420, -2420, true, '2025-08-01 10:01')) l where invoice_type = 'standard'
union all select tenant, invoice_id, 'Credit for an outage', 1, -2100, -2100, 0, -2100, false, '2025-08-01 10:00' from invoices where invoice_type = 'credit_note';

-- Paid, some a part; one was paid twice and the second sent back, as a row below zero.
insert into invoice_payments
select tenant, md5('payment' || invoice_id)::uuid, invoice_id, case when status = 'paid' then total_amount else 4000 end, 'bank_transfer', invoice_date + interval '30 days',
       'T ' || invoice_number, 'completed' from invoices where status in ('paid', 'partially_applied');
insert into invoice_payments
select tenant, key('twice', 1), invoice_id, 12100, 'credit_card', invoice_date + interval '31 days', 'twice', 'completed' from invoices where invoice_number = 'INV-000009'
union all select tenant, key('back', 1), invoice_id, -12100, 'stripe_refund', invoice_date + interval '35 days', 'back', 'refunded' from invoices where invoice_number = 'INV-000009';

insert into transactions values
  (key('tenant', 1), key('transaction', 1), key('invoice', 50), 'credit_issuance_from_negative_invoice', 'Credit issued', null, 2100),
  (key('tenant', 1), key('transaction', 2), key('invoice', 4), 'credit_application', 'Applied credit to invoice INV-000004', key('transaction', 1), -2100);
insert into credit_allocations values (key('tenant', 1), key('allocation', 1), key('transaction', 2), key('invoice', 4), 2100.00, '2025-10-20');

create table tickets (tenant uuid not null, ticket_id uuid not null, client_id uuid not null, primary key (tenant, ticket_id));
create table client_contracts (tenant uuid not null, client_contract_id uuid not null, contract_id uuid not null, client_id uuid not null);
create table projects (tenant uuid not null, project_id uuid not null, client_id uuid not null, primary key (tenant, project_id));
create table project_phases (tenant uuid not null, phase_id uuid not null, project_id uuid not null);
create table project_tasks (tenant uuid not null, task_id uuid not null, phase_id uuid not null);
create table documents (
  tenant uuid not null, document_id uuid not null, document_name varchar(255) not null, file_id uuid, user_id uuid, entered_at timestamptz,
  folder_path varchar(500), mime_type varchar(255), file_size bigint, content text, is_client_visible boolean not null default false
);
create table external_files (
  tenant uuid not null, file_id uuid not null, original_name text not null, mime_type text not null, file_size bigint not null,
  storage_path text not null, is_deleted boolean default false
);
create table document_associations (tenant uuid not null, document_id uuid not null, entity_id uuid not null, entity_type varchar(255) not null);
insert into tickets values (key('tenant', 1), key('ticket', 1), key('client', 1));
insert into client_contracts values (key('tenant', 1), key('cc', 1), key('contract', 1), key('client', 1));
insert into projects values (key('tenant', 1), key('project', 1), key('client', 1));
insert into project_phases values (key('tenant', 1), key('phase', 1), key('project', 1));
insert into project_tasks values (key('tenant', 1), key('task', 1), key('phase', 1));

-- Files and plain texts of a client, its ticket, contract and task; every fourth is not visible, the tenth file was deleted.
insert into documents
select key('tenant', 1), key('document', n), 'Note ' || n, case when n % 2 = 0 then key('file', n) end, key('user', 1),
  timestamptz '2026-01-05' + n * interval '3 days', (array['/Contracts', '/Reports', null])[1 + n % 3], case when n % 2 = 1 then 'text/plain' end,
  case when n % 2 = 1 then 5 end, case when n % 2 = 1 then 'Hello' end, n % 4 <> 3
from generate_series(1, 24) n;
insert into external_files
select tenant, file_id, 'Report ' || document_name || '.pdf', 'application/pdf', 100 + row_number() over (order by entered_at), 'tenant/report.pdf', document_name = 'Note 10'
from documents where file_id is not null;
insert into document_associations
select tenant, document_id, entity, kind from (
  select d.*, (row_number() over (order by entered_at))::int as n from documents d) d,
  lateral (select (array['client', 'ticket', 'contract', 'project_task'])[1 + n % 4] as kind) k,
  lateral (select case when n % 6 = 0 then key('client', 2) when kind = 'client' then key('client', 1) when kind = 'ticket' then key('ticket', 1)
    when kind = 'contract' then key('contract', 1) else key('task', 1) end as entity) e
where n % 6 > 0
union all select tenant, document_id, key('client', 2), 'client' from documents where document_name in ('Note 6', 'Note 12', 'Note 18')
union all select tenant, document_id, key('client', 1), 'client' from documents where document_name = 'Note 1';
