import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * A sealed PDF is a link of the workspace's chain, and a signature is written once: triggers of the owner's hold for the
 * portal's role as well. What was sealed before has no link, and is marked by that. Only the owner can erase evidence.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_seals (
      workspace_id   text not null,
      id             uuid not null,
      link           bigint not null,
      at             timestamptz not null,
      signature_id   uuid not null,
      client_id      text not null,
      sha256         text not null,
      digest         text not null,
      previous       text not null,
      hash           text not null,
      head_key       uuid not null,
      head_signature text not null,
      primary key (workspace_id, id),
      unique (workspace_id, link),
      unique (workspace_id, signature_id)
    );
    create index on portal.client_seals (workspace_id, sha256);
    grant select, insert on portal.client_seals to ${app};
    alter table portal.client_seals enable row level security, force row level security;
    create policy workspace on portal.client_seals to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.client_seals for select to current_user using (true);
    create policy client on portal.client_seals as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id));

    alter table portal.client_signatures add column sealed_before_links boolean not null default false;
    alter table portal.client_signatures no force row level security;
    update portal.client_signatures set sealed_before_links = true where sealed_hash is not null;
    alter table portal.client_signatures force row level security;

    create function portal.keep_signature() returns trigger language plpgsql set search_path = pg_catalog as $keep$
    begin
      if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'USAGE')
        and new.evidence is null and new.salt is null and new.document is null and new.person_id is null and new.signer = ''
        and (new.workspace_id, new.id, new.link, new.at, new.act, new.section, new.document_id, new.version, new.number,
             new.client_id, new.digest, new.previous, new.hash, new.head_key, new.head_signature, new.sealed_before_links)
          is not distinct from
            (old.workspace_id, old.id, old.link, old.at, old.act, old.section, old.document_id, old.version, old.number,
             old.client_id, old.digest, old.previous, old.hash, old.head_key, old.head_signature, old.sealed_before_links)
      then return new;
      end if;
      raise exception 'a signature is written once' using errcode = 'integrity_constraint_violation';
    end $keep$;
    create trigger written_once before update of workspace_id, id, link, at, act, section, document_id, version, number, client_id,
        person_id, signer, evidence, salt, digest, previous, hash, head_key, head_signature, document, sealed_before_links
      on portal.client_signatures for each row execute function portal.keep_signature();

    create function portal.keep_seal() returns trigger language plpgsql set search_path = pg_catalog as $keep$
    begin
      if tg_op = 'INSERT' then
        if new.sealed is not null or new.sealed_hash is not null or new.sealed_at is not null or new.sealed_before_links then
          raise exception 'a signature has no link in the chain for its seal yet' using errcode = 'integrity_constraint_violation';
        end if;
        return new;
      end if;
      if old.sealed_hash is not null or old.sealed_at is not null or old.sealed is not null then
        if (new.sealed_hash, new.sealed_at) is distinct from (old.sealed_hash, old.sealed_at)
          or new.sealed is distinct from old.sealed and (new.sealed is not null or new.evidence is not null)
        then raise exception 'a seal is written once' using errcode = 'integrity_constraint_violation';
        end if;
        return new;
      end if;
      if new.sealed is null or new.sealed_at is null or new.sealed_hash is distinct from encode(sha256(new.sealed), 'hex') or not exists (
        select from portal.client_seals it
        where it.workspace_id = new.workspace_id and it.signature_id = new.id and it.sha256 = new.sealed_hash)
      then raise exception 'this seal has no link in the chain' using errcode = 'integrity_constraint_violation';
      end if;
      return new;
    end $keep$;
    create trigger sealed_once before insert or update of sealed, sealed_hash, sealed_at
      on portal.client_signatures for each row execute function portal.keep_seal();

    create function portal.keep_state() returns trigger language plpgsql set search_path = pg_catalog as $keep$
    begin
      if new.state <> old.state and (old.state, new.state) not in (('saved', 'passing'), ('saved', 'confirmed'), ('saved', 'refused'),
          ('passing', 'confirmed'), ('passing', 'refused'), ('confirmed', 'superseded'))
        or old.settled_at is not null
          and (new.tries, new.tried_at, new.settled_at, new.why) is distinct from (old.tries, old.tried_at, old.settled_at, old.why)
      then raise exception 'how an answer was settled is written once' using errcode = 'integrity_constraint_violation';
      end if;
      return new;
    end $keep$;
    create trigger forward_only before update of state, tries, tried_at, settled_at, why
      on portal.client_signatures for each row execute function portal.keep_state();
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop trigger written_once on portal.client_signatures;
    drop trigger sealed_once on portal.client_signatures;
    drop trigger forward_only on portal.client_signatures;
    drop function portal.keep_signature(), portal.keep_seal(), portal.keep_state();
    alter table portal.client_signatures drop column sealed_before_links;
    drop table portal.client_seals;
  `)
