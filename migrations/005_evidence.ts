import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/**
 * What clients signed. Each signature, and each sealed PDF, is one link of the workspace's hash chain and is written
 * once: triggers that belong to the owner bind the portal's role as well.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    ${keysAndChain}
    ${rowSecurity('client_keys', app, { grant: 'select, insert', owner: 'select', perClient: false })}
    grant update (sealed) on portal.client_keys to ${app};
    ${rowSecurity('client_chains', app, { grant: 'select, insert, update', owner: 'select', perClient: false })}

    ${signatures}
    ${rowSecurity('client_signatures', app, { grant: 'select, insert', owner: 'select' })}
    grant update (state, attempts, attempted_at, settled_at, failure_reason, sealed, sealed_hash, sealed_at)
      on portal.client_signatures to ${app};

    ${seals}
    ${rowSecurity('client_seals', app, { grant: 'select, insert', owner: 'select' })}

    ${guardSignature}
    ${guardSeal}
    ${guardState}

    -- A document as a client first saw it, so that what has changed since can be shown.
    create table portal.client_viewed_versions (
      workspace_id text not null,
      client_id    text not null,
      section      text not null,
      document_id  text not null,
      sha256       text not null,
      at           timestamptz not null default portal.now(),
      version      integer not null,
      content      jsonb not null,
      primary key (workspace_id, client_id, section, document_id, sha256)
    );
    ${rowSecurity('client_viewed_versions', app, { grant: 'select, insert', owner: 'none' })}
  `)

/** A workspace signs the head of its chain with a key of its own, which is sealed with the portal's secret. */
const keysAndChain = `
    create table portal.client_keys (
      workspace_id text not null,
      id           uuid not null,
      certificate  text not null,
      sealed       bytea not null,
      created_at   timestamptz not null default portal.now(),
      primary key (workspace_id, id)
    );

    create table portal.client_chains (
      workspace_id  text primary key,
      last_sequence bigint not null,
      hash          text not null,
      at            timestamptz
    );`

const signatures = `
    create table portal.client_signatures (
      workspace_id         text not null,
      id                   uuid not null,
      sequence             bigint not null,
      at                   timestamptz not null,
      act                  text not null check (act in ('accepted', 'declined', 'countersigned')),
      section              text not null,
      document_id          text not null,
      version              integer not null,
      number               text not null,
      client_id            text not null,
      person_id            uuid,
      signer               text not null,
      evidence             text,
      salt                 text,
      digest               text not null,
      previous             text not null,
      hash                 text not null,
      head_key             uuid not null,
      head_signature       text not null,
      document             bytea,
      state                text not null default 'saved'
        check (state in ('saved', 'submitting', 'confirmed', 'refused', 'superseded')),
      attempts             integer not null default 0,
      attempted_at         timestamptz,
      settled_at           timestamptz,
      failure_reason       text,
      sealed               bytea,
      sealed_hash          text,
      sealed_at            timestamptz,
      sealed_outside_chain boolean not null default false,
      primary key (workspace_id, id),
      unique (workspace_id, sequence)
    );
    create unique index client_signatures_one_response
      on portal.client_signatures (workspace_id, section, document_id, version)
      where act in ('accepted', 'declined') and state not in ('refused', 'superseded');
    create unique index client_signatures_one_countersignature
      on portal.client_signatures (workspace_id, section, document_id, version) where act = 'countersigned';
    create index on portal.client_signatures (workspace_id, section, document_id);
    create index on portal.client_signatures (workspace_id, sealed_hash);
    create index client_signatures_by_act on portal.client_signatures (workspace_id, act, sequence desc);
    create index client_signatures_unsettled
      on portal.client_signatures (workspace_id, sequence desc) where state in ('saved', 'submitting');
    create index client_signatures_refused
      on portal.client_signatures (workspace_id, sequence desc) where state = 'refused';`

const seals = `
    create table portal.client_seals (
      workspace_id   text not null,
      id             uuid not null,
      sequence       bigint not null,
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
      unique (workspace_id, sequence),
      unique (workspace_id, signature_id)
    );
    create index on portal.client_seals (workspace_id, sha256);`

/** A signature never changes, except that the owner may erase the personal data in it. */
const guardSignature = `
    create function portal.guard_signature() returns trigger language plpgsql set search_path = pg_catalog as $body$
    begin
      if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'USAGE')
        and new.evidence is null and new.salt is null and new.document is null
        and new.person_id is null and new.signer = ''
        and (new.workspace_id, new.id, new.sequence, new.at, new.act, new.section, new.document_id, new.version,
             new.number, new.client_id, new.digest, new.previous, new.hash, new.head_key, new.head_signature,
             new.sealed_outside_chain)
          is not distinct from
            (old.workspace_id, old.id, old.sequence, old.at, old.act, old.section, old.document_id, old.version,
             old.number, old.client_id, old.digest, old.previous, old.hash, old.head_key, old.head_signature,
             old.sealed_outside_chain)
      then return new;
      end if;
      raise exception 'a signature is written once' using errcode = 'integrity_constraint_violation';
    end $body$;
    create trigger written_once before update of workspace_id, id, sequence, at, act, section, document_id, version,
        number, client_id, person_id, signer, evidence, salt, digest, previous, hash, head_key, head_signature,
        document, sealed_outside_chain
      on portal.client_signatures for each row execute function portal.guard_signature();`

/** A sealed PDF is stored once, after its link of the chain, and goes only together with the evidence. */
const guardSeal = `
    create function portal.guard_seal() returns trigger language plpgsql set search_path = pg_catalog as $body$
    begin
      if tg_op = 'INSERT' then
        if new.sealed is not null or new.sealed_hash is not null or new.sealed_at is not null
          or new.sealed_outside_chain
        then raise exception 'a signature has no link in the chain for its seal yet'
          using errcode = 'integrity_constraint_violation';
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
      if new.sealed is null or new.sealed_at is null
        or new.sealed_hash is distinct from encode(sha256(new.sealed), 'hex')
        or not exists (
          select from portal.client_seals it
          where it.workspace_id = new.workspace_id and it.signature_id = new.id and it.sha256 = new.sealed_hash)
      then raise exception 'this seal has no link in the chain' using errcode = 'integrity_constraint_violation';
      end if;
      return new;
    end $body$;
    create trigger sealed_once before insert or update of sealed, sealed_hash, sealed_at
      on portal.client_signatures for each row execute function portal.guard_seal();`

/** Its state goes forward only, and what came of it is written once. */
const guardState = `
    create function portal.guard_state() returns trigger language plpgsql set search_path = pg_catalog as $body$
    begin
      if new.state <> old.state and (old.state, new.state) not in (
          ('saved', 'submitting'), ('saved', 'confirmed'), ('saved', 'refused'),
          ('submitting', 'confirmed'), ('submitting', 'refused'), ('confirmed', 'superseded'))
        or old.settled_at is not null
          and (new.attempts, new.attempted_at, new.settled_at, new.failure_reason)
            is distinct from (old.attempts, old.attempted_at, old.settled_at, old.failure_reason)
      then raise exception 'how a response was settled is written once'
        using errcode = 'integrity_constraint_violation';
      end if;
      return new;
    end $body$;
    create trigger forward_only before update of state, attempts, attempted_at, settled_at, failure_reason
      on portal.client_signatures for each row execute function portal.guard_state();`

export const down = (db: Knex) =>
  db.raw(`
    drop table portal.client_viewed_versions, portal.client_seals, portal.client_signatures, portal.client_chains,
      portal.client_keys;
    drop function portal.guard_signature, portal.guard_seal, portal.guard_state;
  `)
