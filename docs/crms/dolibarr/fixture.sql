-- Tables, columns and states of a Dolibarr on PostgreSQL as far as the map reads them, with a few rows. Written for tests.
create table llx_const (
  name varchar(180) not null, entity integer not null default 1, value text not null
);
create table llx_societe (
  rowid serial primary key, nom varchar(128), entity integer not null default 1, status smallint default 1,
  address varchar(255), zip varchar(25), town varchar(50), email varchar(128), client smallint default 0,
  default_lang varchar(6)
);
create table llx_socpeople (
  rowid serial primary key, fk_soc integer, lastname varchar(50), firstname varchar(50), email varchar(255),
  default_lang varchar(6), statut smallint not null default 1
);
create table llx_propal (
  rowid serial primary key, ref varchar(30) not null, entity integer not null default 1, ref_client varchar(255),
  fk_soc integer, datep date, fin_validite timestamp, date_signature timestamp, fk_user_author integer,
  fk_statut smallint not null default 0, note_private text, note_public text, multicurrency_code varchar(3),
  multicurrency_total_ht numeric(24,8) default 0, multicurrency_total_ttc numeric(24,8) default 0,
  deposit_percent varchar(63)
);
create table llx_user (
  rowid serial primary key, entity integer not null default 1, admin smallint default 0, pass_crypted varchar(128),
  lastname varchar(50), firstname varchar(50), email varchar(255), statut smallint default 1
);
create table llx_propaldet (
  rowid serial primary key, fk_propal integer not null, fk_product integer, label varchar(255), description text,
  fk_remise_except integer, tva_tx numeric(7,4) default 0, qty real, remise_percent real default 0,
  date_start timestamp, date_end timestamp, special_code integer default 0, rang integer default 0,
  multicurrency_subprice numeric(24,8) default 0, multicurrency_total_ht numeric(24,8) default 0
);
create table llx_product (
  rowid serial primary key, ref varchar(128) not null, label varchar(255) not null, description text
);
create table llx_product_lang (
  fk_product integer not null default 0, lang varchar(5) not null default 0, label varchar(255) not null,
  description text
);
create table llx_societe_remise_except (
  rowid serial primary key, entity integer not null default 1, fk_soc integer not null,
  discount_type integer not null default 0, datec timestamp, fk_facture_line integer, fk_facture integer,
  fk_facture_source integer, multicurrency_code varchar(3),
  multicurrency_amount_ttc numeric(24,8) not null default 0
);
create table llx_facture (
  rowid serial primary key, ref varchar(30) not null, entity integer not null default 1, ref_client varchar(255),
  type smallint not null default 0, fk_soc integer not null, datef date, date_closing timestamp,
  fk_statut smallint not null default 0, date_lim_reglement date, note_private text, note_public text, multicurrency_code varchar(3),
  multicurrency_total_ht numeric(24,8) default 0, multicurrency_total_ttc numeric(24,8) default 0
);
create table llx_paiement (
  rowid serial primary key, ref_ext varchar(255), entity integer not null default 1, datep timestamp,
  fk_paiement integer not null, num_paiement varchar(50)
);
create table llx_c_paiement (
  id serial primary key, code varchar(6) not null
);
create table llx_paiement_facture (
  rowid serial primary key, fk_paiement integer, fk_facture integer, multicurrency_amount numeric(24,8) default 0
);
create table llx_facturedet (
  rowid serial primary key, fk_facture integer not null, fk_product integer, label varchar(255), description text,
  tva_tx numeric(7,4), qty real, remise_percent real default 0, fk_remise_except integer, date_start timestamp,
  date_end timestamp, special_code integer default 0, rang integer default 0,
  multicurrency_subprice numeric(24,8) default 0, multicurrency_total_ht numeric(24,8) default 0
);
create table llx_societe_account (
  rowid serial primary key, login varchar(128) not null, pass_crypted varchar(128), fk_soc integer,
  site varchar(128) not null, status integer
);

insert into llx_const (name, entity, value) values
  ('MAIN_INFO_SOCIETE_NOM', 1, 'Atelier Mistral'), ('MAIN_INFO_SOCIETE_ADDRESS', 1, '3 rue du Port'), ('MAIN_INFO_SOCIETE_ZIP', 1, '13002'),
  ('MAIN_INFO_SOCIETE_TOWN', 1, 'Marseille'), ('MAIN_MAIL_SMTPS_PW', 0, 'secret');
insert into llx_user (firstname, lastname) values ('Claire', 'Blanc');
insert into llx_societe (nom, address, zip, town, client) values
  ('Boulangerie du Vieux Port', '12 quai du Port', '13002', 'Marseille', 1), ('Hôtel des Calanques', null, null, 'Cassis', 1), ('Un fournisseur', null, null, null, 0);
insert into llx_socpeople (fk_soc, lastname, firstname, email, default_lang, statut) values
  (1, 'Roux', 'Anne', 'anne@boulangerie.example', 'fr_FR', 1), (1, 'Parti', 'Luc', 'luc@boulangerie.example', 'fr_FR', 0), (2, 'Faure', 'Noé', 'noe@hotel.example', null, 1);
insert into llx_propal (ref, ref_client, fk_soc, datep, fin_validite, date_signature, fk_user_author, fk_statut, multicurrency_total_ht, multicurrency_total_ttc, note_private, note_public)
select 'PR2601-' || lpad(n::text, 4, '0'), case when n % 2 = 0 then 'Four ' || n end, case when n % 7 = 0 then 2 else 1 end, date '2026-01-05' + n * 12,
       timestamp '2026-02-05 00:00' + n * interval '20 days', case when n % 4 = 2 then timestamp '2026-03-01 23:30' end, 1, n % 5,
       99.99, 119.99, 'secret', 'Valable <b>30 jours</b>'
from generate_series(1, 24) n;
-- Texts as people wrote them; only what is a number, of one that was signed and not billed, is asked for.
update llx_propal set deposit_percent = case rowid when 1 then '30' when 2 then '33,33 %' when 12 then 'half' when 4 then '30' end;
insert into llx_propaldet (fk_propal, label, description, tva_tx, qty, multicurrency_subprice, multicurrency_total_ht, rang)
select rowid, 'Conseil', null, 20, 3, 20, 60, 1 from llx_propal union all select rowid, null, '<p>Pose</p>', 20, 1, 39.99, 39.99, 2 from llx_propal;
insert into llx_facture (ref, ref_client, type, fk_soc, datef, date_lim_reglement, fk_statut, multicurrency_total_ht, multicurrency_total_ttc, note_private)
select 'FA2601-' || lpad(n::text, 4, '0'), case when n % 2 = 0 then 'BC-' || n end, case when n = 20 then 2 else 0 end, case when n % 4 = 0 then 2 else 1 end,
       date '2025-08-01' + n * 18, date '2025-09-01' + n * 18, case when n % 3 = 0 then 2 when n = 11 then 0 when n = 13 then 3 else 1 end, 200, 231, 'secret'
from generate_series(1, 27) n;
insert into llx_facturedet (fk_facture, label, tva_tx, qty, multicurrency_subprice, multicurrency_total_ht, rang)
select rowid, 'Farine', 5.5, 10, 10, 100, 1 from llx_facture union all select rowid, 'Levain', 20, 1, 100, 100, 2 from llx_facture;
insert into llx_c_paiement (code) values ('VIR'), ('CB'), ('TIP'), ('PRE'), ('IDE'), ('VAD');
-- One transfer for two invoices, one part of an invoice, and one for each that is paid.
insert into llx_paiement (rowid, datep, fk_paiement, num_paiement)
select 1000 + rowid, datef + time '23:45', 1 + rowid / 3 % 3, 'T' || rowid from llx_facture where fk_statut = 2 and rowid not in (3, 6);
insert into llx_paiement_facture (fk_paiement, fk_facture, multicurrency_amount) select 1000 + rowid, rowid, multicurrency_total_ttc from llx_facture where fk_statut = 2 and rowid not in (3, 6);
insert into llx_paiement (rowid, datep, fk_paiement, num_paiement) values (2000, '2025-12-01 10:00', 1, 'BOTH'), (2001, '2025-12-02 10:00', 2, 'PART');
insert into llx_paiement_facture (fk_paiement, fk_facture, multicurrency_amount) values (2000, 3, 231), (2000, 6, 231), (2001, 1, 31.5);
