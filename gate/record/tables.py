"""The tables of the decision log, and the triggers that make them append-only, in the SQL of each database."""

from __future__ import annotations

from typing import Final

# A statement, an empty line, the next. A record goes where the last one ended, and a decision is recorded once. What
# lies below the newest row of `pruned` may be deleted, and nothing else may be changed.
_SQLITE: Final = """
CREATE TABLE record(
  seq integer primary key, id text not null unique, at_s integer not null, decision text not null unique,
  document text not null, policy text not null, prev text not null, summary text not null, hash text not null
) strict

CREATE TABLE blob(digest text primary key, data blob not null) strict

CREATE TABLE checkpoint(size integer primary key, note text not null, peaks blob not null) strict

CREATE TABLE consumer(name text primary key, size integer not null) strict

CREATE TABLE pruned(size integer primary key, prev text not null, peaks blob not null) strict

CREATE TRIGGER record_appended before insert on record
  when new.seq is not coalesce((select max(seq) + 1 from record), (select max(size) from pruned), 0)
    or exists (select 1 from record where id = new.id or decision = new.decision)
  begin select raise(abort, 'the log is append-only'); end

CREATE TRIGGER record_fixed before update on record
  begin select raise(abort, 'the log is append-only'); end

CREATE TRIGGER record_kept before delete on record
  when old.seq >= coalesce((select max(size) from pruned), 0)
  begin select raise(abort, 'the log is append-only'); end

CREATE TRIGGER blob_fixed before update on blob
  begin select raise(abort, 'the log is append-only'); end

CREATE TRIGGER blob_kept before delete on blob
  when exists (select 1 from record where decision = old.digest)
  begin select raise(abort, 'the log is append-only'); end

CREATE TRIGGER checkpoint_fixed before update on checkpoint
  begin select raise(abort, 'the log is append-only'); end

CREATE TRIGGER pruned_fixed before update on pruned
  begin select raise(abort, 'the log is append-only'); end

CREATE TRIGGER pruned_kept before delete on pruned
  begin select raise(abort, 'the log is append-only'); end
"""
SQLITE: Final = tuple(_SQLITE.strip().split("\n\n"))

# What records name by digest, each policy once.
NAMED: Final = (
    "select seq, decision from {table} union all select seq, document from {table}"
    " union all select min(seq), policy from {table} group by policy"
)

POSTGRES: Final = """\
-- The decision log of the gate. Run this once as the owner of the database, whom nothing else uses:
--   gate log schema | psql <database>
-- then give each login one of the roles: gate_writer for `gate check`, gate_reader for `gate log`,
-- gate_keeper for `gate log prune`.
begin;
create schema gate;
create table gate.record(
  seq bigint primary key, id text not null unique, at_s bigint not null, decision text not null unique,
  document text not null, policy text not null, prev text not null, summary text not null, hash text not null);
create table gate.blob(digest text primary key, data bytea not null);
create table gate.checkpoint(size bigint primary key, note text not null, peaks bytea not null);
create table gate.consumer(name text primary key, size bigint not null);
create table gate.pruned(size bigint primary key, prev text not null, peaks bytea not null);

create function gate.refuse() returns trigger language plpgsql as $$
  begin raise exception 'the log is append-only'; end $$;
create function gate.refuse_gap() returns trigger language plpgsql as $$ begin
  if new.seq is distinct from coalesce((select max(seq) + 1 from gate.record), (select max(size) from gate.pruned), 0)
    then raise exception 'the log is append-only'; end if;
  return new; end $$;
create function gate.refuse_kept() returns trigger language plpgsql as $$ begin
  if old.seq >= coalesce((select max(size) from gate.pruned), 0)
    then raise exception 'the log is append-only'; end if;
  return old; end $$;
create function gate.refuse_needed() returns trigger language plpgsql as $$ begin
  if exists (select 1 from gate.record where decision = old.digest)
    then raise exception 'the log is append-only'; end if;
  return old; end $$;
create function gate.refuse_back() returns trigger language plpgsql as $$ begin
  if new.name <> old.name or new.size < old.size
    then raise exception 'an acknowledgement is not taken back'; end if;
  return new; end $$;

create trigger appended before insert on gate.record for each row execute function gate.refuse_gap();
create trigger kept before delete on gate.record for each row execute function gate.refuse_kept();
create trigger needed before delete on gate.blob for each row execute function gate.refuse_needed();
create trigger forward before update on gate.consumer for each row execute function gate.refuse_back();
create trigger fixed before update or truncate on gate.record for each statement execute function gate.refuse();
create trigger fixed before update or truncate on gate.blob for each statement execute function gate.refuse();
create trigger fixed before update or delete or truncate on gate.checkpoint
  for each statement execute function gate.refuse();
create trigger fixed before update or delete or truncate on gate.pruned
  for each statement execute function gate.refuse();

create role gate_reader nologin;
create role gate_writer nologin in role gate_reader;
create role gate_keeper nologin in role gate_reader;
grant usage on schema gate to gate_reader;
grant select on all tables in schema gate to gate_reader;
grant insert on gate.record, gate.blob, gate.checkpoint to gate_writer;
grant insert, update on gate.consumer to gate_keeper;
grant insert on gate.pruned to gate_keeper;
grant delete on gate.record, gate.blob to gate_keeper;
commit;
"""
