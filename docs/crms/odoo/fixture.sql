-- Tables, columns and states of an Odoo 19 as far as the map reads them, with a few rows. Written from facts, for tests.
create table res_currency (id serial primary key, name varchar not null);
create table res_partner (
  id serial primary key, name varchar, complete_name varchar, parent_id int, commercial_partner_id int, is_company boolean,
  type varchar, email varchar, street varchar, street2 varchar, zip varchar, city varchar, vat varchar, lang varchar, tz varchar,
  company_id int, active boolean default true
);
create table res_company (
  id serial primary key, name varchar not null, partner_id int, currency_id int, primary_color varchar, logo_web bytea
);
create table res_users (id serial primary key, login varchar, password varchar, partner_id int, share boolean, active boolean);
create table res_company_users_rel (cid int not null, user_id int not null);
create table res_groups_users_rel (gid int not null, uid int not null);
create table ir_model_data (id serial primary key, name varchar not null, module varchar not null, model varchar not null, res_id int);
create table sale_order (
  id serial primary key, name varchar, state varchar, partner_id int, date_order timestamp, validity_date date,
  amount_untaxed numeric, amount_tax numeric, amount_total numeric, currency_id int, company_id int, user_id int,
  client_order_ref varchar, note text, signed_by varchar, signed_on timestamp,
  require_payment boolean, prepayment_percent double precision, invoice_status varchar
);
create index on sale_order (partner_id);
create table sale_order_line (
  id serial primary key, order_id int, sequence int, display_type varchar, name text, product_uom_qty numeric,
  price_unit numeric, discount numeric, price_subtotal numeric, price_total double precision, is_optional boolean
);
create table account_move (
  id serial primary key, name varchar, move_type varchar, state varchar, payment_state varchar, partner_id int,
  commercial_partner_id int, invoice_date date, invoice_date_due date, amount_untaxed numeric, amount_tax numeric,
  amount_total numeric, amount_residual numeric, currency_id int, company_id int, ref varchar, payment_reference varchar,
  reversed_entry_id int
);
create table account_move_line (
  id serial primary key, move_id int, sequence int, display_type varchar, name varchar, quantity numeric, price_unit numeric,
  discount numeric, price_subtotal numeric, price_total numeric
);
create table account_payment (
  id serial primary key, move_id int, partner_id int, company_id int, payment_type varchar, state varchar, date date,
  amount numeric, currency_id int, memo varchar
);
create table account_partial_reconcile (
  id serial primary key, debit_move_id int, credit_move_id int, amount numeric, debit_amount_currency numeric,
  credit_amount_currency numeric
);

insert into res_currency (name) values ('EUR'), ('USD');
insert into res_partner (name, commercial_partner_id, is_company, type, email, street, zip, city, vat, lang, tz) values
  ('Windmill BV', 1, true, 'contact', 'hello@windmill.example', 'Kade 1', '1011 AB', 'Amsterdam', 'NL1', 'nl_NL', 'Europe/Amsterdam'),
  ('Polder Foods', 2, true, 'contact', 'office@polder.example', 'Dijk 4', '8011 CD', 'Zwolle', null, 'nl_NL', null),
  ('Ada Polder', 2, false, 'contact', 'ada@polder.example', null, null, null, null, 'nl_NL', null),
  ('Polder Foods, cellar', 2, false, 'delivery', 'cellar@polder.example', null, null, null, null, null, null),
  ('Dune Hotel', 5, true, 'contact', 'desk@dune.example', null, null, 'Zandvoort', null, 'en_US', null),
  ('Sales Person', 6, false, 'contact', 'sales@windmill.example', null, null, null, null, 'en_US', null);
update res_partner set parent_id = 2 where id in (3, 4);
insert into res_company (name, partner_id, currency_id, primary_color) values ('Windmill BV', 1, 1, '#1F5F4A'), ('Windmill Inc', 1, 2, null);
insert into res_users (login, partner_id, share, active) values ('sales', 6, false, true);

insert into sale_order (name, state, partner_id, date_order, validity_date, amount_untaxed, amount_tax, amount_total, currency_id, company_id, user_id, note, signed_by, signed_on)
select 'S' || lpad(n::text, 5, '0'), (array['sent', 'sale', 'cancel', 'draft', 'sent'])[1 + n % 5], case when n % 6 = 0 then 5 else 2 + n % 2 end,
       timestamp '2026-01-10 23:30' + n * interval '11 days', case when n % 4 = 0 then null else date '2026-02-10' + n * 14 end,
       300, 63, 363, 1, 1, 1, '<p>Pay in <b>30&nbsp;days</b>.</p><script>alert(1)</script>',
       case when n % 5 = 1 then 'Ada Polder' end, case when n % 5 = 1 then timestamp '2026-03-01 10:00' end
from generate_series(1, 25) n;
-- A down payment: asked for, invoiced already, and with a share that nobody asks for.
update sale_order set invoice_status = case when id % 5 = 1 then 'to invoice' else 'no' end, prepayment_percent = 1;
update sale_order set require_payment = true, prepayment_percent = 0.3 where name in ('S00001', 'S00004', 'S00011');
update sale_order set invoice_status = 'invoiced' where name = 'S00011';
insert into sale_order_line (order_id, sequence, display_type, name, product_uom_qty, price_unit, discount, price_subtotal)
select o.id, l.seq, l.kind, l.name, l.qty, l.price, l.off, l.net
from sale_order o, (values (10, 'line_section', 'Mills', null, null, null, null), (20, null, 'Sail', 2, 100, 0, 200), (30, null, 'Gear', 1, 125, 20, 100),
                           (40, 'line_note', 'A note of ours', null, null, null, null)) l(seq, kind, name, qty, price, off, net);

insert into account_move (name, move_type, state, payment_state, partner_id, commercial_partner_id, invoice_date, invoice_date_due,
                          amount_untaxed, amount_tax, amount_total, amount_residual, currency_id, company_id, ref, payment_reference)
select case when n % 9 = 0 then '/' else 'INV/2026/' || lpad(n::text, 5, '0') end, 'out_invoice',
       case when n % 9 = 0 then 'draft' when n = 10 then 'cancel' else 'posted' end,
       case when n % 3 = 1 then 'paid' else 'not_paid' end, case when n % 6 = 0 then 5 else 3 end, case when n % 6 = 0 then 5 else 2 end,
       date '2025-09-01' + n * 20, date '2025-10-01' + n * 20, 1000, 210, 1210, case when n % 3 = 1 then 0 when n % 5 = 0 or n = 12 then 710 else 1210 end, 1, 1, 'PO ' || n, 'INV ' || n
from generate_series(1, 28) n;
insert into account_move (name, move_type, state, partner_id, commercial_partner_id, invoice_date, amount_untaxed, amount_tax, amount_total, amount_residual, currency_id, company_id, ref, reversed_entry_id)
select 'RINV/' || id, 'out_refund', 'posted', partner_id, commercial_partner_id, invoice_date + 3, 1000, 210, 1210, 0, 1, 1, 'Returned', id
from account_move where id = 4;
insert into account_move (name, move_type, state, partner_id, commercial_partner_id, invoice_date, amount_total, company_id)
values ('BILL/1', 'in_invoice', 'posted', 2, 2, '2026-01-01', 99, 1), ('MISC/1', 'entry', 'posted', 2, 2, '2026-01-01', 99, 1);
insert into account_move_line (move_id, sequence, display_type, name, quantity, price_unit, discount, price_subtotal)
select m.id, l.seq, l.kind, l.name, l.qty, l.price, 0, l.net
from account_move m, (values (5, 'line_section', 'Grinding', null, null, null), (10, 'product', 'Flour', 4, 150, 600), (20, 'product', 'Bran', 1, 400, 400),
                             (90, 'tax', '21%', null, null, 0), (99, 'payment_term', 'due', null, null, 0)) l(seq, kind, name, qty, price, net)
where m.move_type = 'out_invoice';

-- A payment is an entry of its own; its line meets the invoice's.
insert into account_payment (move_id, partner_id, company_id, payment_type, state, date, amount, currency_id, memo)
select 1000 + id, partner_id, 1, 'inbound', 'paid', invoice_date + 12, amount_total - amount_residual, 1, payment_reference
from account_move where move_type = 'out_invoice' and state = 'posted' and amount_residual < amount_total and id <> 4;
insert into account_move_line (move_id, display_type, name) select move_id, 'payment_term', 'payment' from account_payment;
insert into account_partial_reconcile (debit_move_id, credit_move_id, amount, debit_amount_currency)
select i.id, c.id, p.amount, p.amount from account_payment p join account_move_line c on c.move_id = p.move_id
  join account_move_line i on i.move_id = p.move_id - 1000 and i.display_type = 'payment_term';
