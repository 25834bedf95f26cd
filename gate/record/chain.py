"""The chain of records: how a record is hashed, and how a decision becomes one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from gate.formats.canonical_json import Canonical, dumps
from gate.model.digest import Digest
from gate.model.json import JsonObject, JsonValue
from gate.model.record import RECORD_SCHEMA, Entry, PolicyFiles, Record

_HASH_BYTES: Final = 32
_PASSED: Final = frozenset({"pass", "not_applicable"})


def record_bytes(record: Record) -> bytes:
    """The canonical JSON of a record, which its hash is over: everything of it but the hash."""
    return (
        f'{{"at_s":{record.at_s},"decision":"{record.decision}","document":"{record.document}","id":"{record.id}",'
        f'"policy":"{record.policy}","prev":"{record.prev}","schema":"{RECORD_SCHEMA}","seq":{record.seq},'
        f'"summary":{record.summary}}}'
    ).encode()


def record_hash(record: Record) -> Digest:
    """The hash of a record: that of a leaf in the Merkle tree over the log."""
    return Digest("sha256:" + hashlib.sha256(b"\x00" + record_bytes(record)).hexdigest())


def record_of(row: tuple[int, str, int, str, str, str, str, str, str]) -> Record:
    """The record in a row of a database, whose columns are in the order of the fields."""
    seq, identity, at_s, decision, document, policy, prev, summary, own = row
    return Record(
        seq, identity, at_s, Digest(decision), Digest(document), Digest(policy), Digest(prev), summary, Digest(own)
    )


def split_peaks(data: bytes) -> tuple[bytes, ...]:
    """Hashes that are stored one behind the other."""
    return tuple(data[place : place + _HASH_BYTES] for place in range(0, len(data), _HASH_BYTES))


def next_record(entry: Entry, seq: int, prev: Digest, at_s: int) -> Record:
    """The record of an entry behind the one with the hash `prev`."""
    decision = Digest("sha256:" + hashlib.sha256(entry.decision).hexdigest())
    document = Digest("sha256:" + hashlib.sha256(entry.document).hexdigest())
    bare = Record(seq, entry.id, at_s, decision, document, entry.policy.digest, prev, entry.summary, prev)
    return Record(
        seq, entry.id, at_s, decision, document, entry.policy.digest, prev, entry.summary, record_hash(bare)
    )  # fmt: skip


def entry_of(decision: Canonical, document: bytes, policy: PolicyFiles) -> Entry:
    """What is appended for a decision: its document, the canonical input document and the policy's files."""
    summary = dumps(_summary(decision.value)).decode()
    return Entry(str(decision.value["id"]), decision.data, summary, document, policy)


def policy_of(digest: Digest, files: Mapping[str, bytes]) -> PolicyFiles:
    """The files of a policy with the list of their digests, whose digest is the policy's; raises `ValueError`."""
    manifest = dumps({path: "sha256:" + hashlib.sha256(data).hexdigest() for path, data in files.items()})
    if digest != "sha256:" + hashlib.sha256(manifest).hexdigest():
        raise ValueError("the digest of a policy is that of the list of its files")
    return PolicyFiles(digest, manifest, files)


def _summary(decision: JsonObject) -> JsonObject:
    context, subject = _members(decision["context"]), _members(decision["subject"])
    verified = _members(decision["evidence"])["verified"]
    signers = {
        str(value)
        for item in (verified if isinstance(verified, list) else [])
        for signer in _list(_members(item)["signers"])
        for key in ("name", "spki", "subject")
        if (value := _members(signer)[key]) is not None
    }
    return {
        "artifacts": {name: _members(item)["digest"] for name, item in _members(subject["artifacts"]).items()},
        "controls": {
            name: status
            for name, control in _members(decision["controls"]).items()
            if (status := _members(control)["status"]) not in _PASSED
        },
        "dry_run": decision["dry_run"],
        "environment": context["environment"],
        "exit_code": decision["exit_code"],
        "signers": sorted(signers),
        "target": context["target"],
        "verdict": decision["verdict"],
    }


def _members(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, Mapping):
        raise TypeError("the decision has another shape")
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise TypeError("the decision has another shape")
    return value
