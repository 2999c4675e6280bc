create table workspaces (id serial primary key, slug text not null unique, name text not null, country text not null);
create table clients (id serial primary key, workspace_id int not null references workspaces, name text not null, city text not null);
create table contacts (id serial primary key, client_id int not null references clients, name text not null, email text not null);
create table proposals (id serial primary key, client_id int not null references clients, title text not null);
create table invoices (
  id serial primary key, client_id int not null references clients, number text not null, subject text not null,
  amount numeric(12, 2) not null, sent_on date not null, due_on date not null, paid_on date
);

insert into workspaces (slug, name, country) values ('acme', 'Acme Printing', 'Netherlands');
insert into clients (workspace_id, name, city) values (1, 'Jo’s Bicycles', 'Utrecht'), (1, 'Somebody Else', 'Leiden');
insert into contacts (client_id, name, email) values (1, 'Jo Ferris', 'jo@client.example'), (2, 'Sam Other', 'sam@client.example');
insert into invoices (client_id, number, subject, amount, sent_on, due_on, paid_on) values
  (1, 'A-1', 'Leaflets', 120.00, '2026-01-10', '2026-02-10', '2026-02-01'),
  (1, 'A-2', 'Posters', 950.50, '2026-03-10', '2026-04-10', null),
  (1, 'A-3', 'Stickers', 75.25, '2026-03-20', '2099-12-31', null),
  (1, 'A-4', 'Cards', 75.25, '2026-03-21', '2099-12-31', null),
  (2, 'B-1', 'Not for Jo', 10.00, '2026-03-10', '2026-04-10', null);

create role portal_app login password 'portal';
grant usage on schema public to portal_app;
grant select (id, slug, name, country) on workspaces to portal_app;
grant select (id, workspace_id, name, city) on clients to portal_app;
grant select (id, client_id, name, email) on contacts to portal_app;
grant select (id, client_id, number, subject, amount, sent_on, due_on, paid_on) on invoices to portal_app;
