-- A small CRM as Django would keep it: money in cents, moments without zone, invoices by UUID, passwords in PBKDF2 ("a kite needs wind").
create table customers_customer (
  id bigserial primary key, name varchar(200) not null, street varchar(200), postcode varchar(20), city varchar(80),
  is_active boolean not null default true
);
create table customers_contact (
  id bigserial primary key, customer_id bigint not null references customers_customer, full_name varchar(200) not null,
  email varchar(254) not null, password varchar(128), is_active boolean not null default true
);
create table billing_invoice (
  id uuid primary key, customer_id bigint references customers_customer, number varchar(30) not null, subject varchar(200),
  status varchar(12) not null, issued_at timestamp, due_date date, currency char(3) not null default 'EUR',
  net_cents bigint not null, total_cents bigint not null, paid_cents bigint not null default 0, internal_note text
);
create index on billing_invoice (customer_id);
create table billing_line (
  id bigserial primary key, invoice_id uuid not null references billing_invoice, pos int not null, text varchar(200) not null,
  qty numeric(10,2) not null default 1, unit_cents bigint not null, net_cents bigint not null, vat numeric(5,2) not null
);
create table billing_payment (
  id bigserial primary key, invoice_id uuid not null references billing_invoice, received_at timestamp not null,
  cents bigint not null, how varchar(20)
);
create table auth_user (
  id serial primary key, email varchar(254) not null, first_name varchar(80) not null, password varchar(128) not null,
  is_staff boolean not null, is_active boolean not null default true
);

insert into customers_customer (name, street, postcode, city) values
  ('Jo’s Bicycles', 'Oudegracht 12', '3511 AP', 'Utrecht'), ('Somebody Else', null, null, 'Leiden');
insert into customers_contact (customer_id, full_name, email, password) values
  (1, 'Jo Ferris', 'Jo@bicycles.example', 'pbkdf2_sha256$260000$saltsalt12$kQYJUuw7LMwpGt+8yJ18TBC1KYruMH5dhTCQ1mKcsQE='), (2, 'Sam Other', 'sam@else.example', 'pbkdf2_sha256$260000$saltsalt12$kQYJUuw7LMwpGt+8yJ18TBC1KYruMH5dhTCQ1mKcsQE=');
insert into auth_user (email, first_name, password, is_staff) values
  ('mia@kite.example', 'Mia', 'pbkdf2_sha256$260000$saltsalt12$kQYJUuw7LMwpGt+8yJ18TBC1KYruMH5dhTCQ1mKcsQE=', true), ('tom@kite.example', 'Tom', 'pbkdf2_sha256$260000$saltsalt12$kQYJUuw7LMwpGt+8yJ18TBC1KYruMH5dhTCQ1mKcsQE=', false);

insert into billing_invoice (id, customer_id, number, subject, status, issued_at, due_date, net_cents, total_cents, paid_cents, internal_note)
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 1 + (n % 4 = 3)::int, 'K-' || (100 + n), 'Kite no. ' || n,
       case when n % 5 = 0 then 'PAID' when n = 7 then 'DRAFT' when n = 8 then 'VOID' else 'SENT' end,
       timestamp '2025-06-15 23:30' + n * interval '20 days', date '2025-07-15' + n * 20,
       10000 * n, 12100 * n, case when n % 5 = 0 then 12100 * n when n = 2 then 5000 else 0 end, 'do not show'
from generate_series(1, 28) n;
insert into billing_line (invoice_id, pos, text, qty, unit_cents, net_cents, vat)
select id, 1, 'Frame', 2, net_cents / 4, net_cents / 2, 21 from billing_invoice
union all select id, 2, 'Cloth', 1, net_cents / 2, net_cents / 2, 21 from billing_invoice;
insert into billing_payment (invoice_id, received_at, cents, how)
select id, issued_at + interval '10 days', paid_cents, case when net_cents % 20000 = 0 then 'sepa' else 'barter' end
from billing_invoice where paid_cents > 0;
