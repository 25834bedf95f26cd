"""What a worker process found out about an item, as a line of JSON and back.

A line is read as data and runs nothing. It counts only for the very item that was asked about, and it can name only
signers that the configuration names; anything else in it is `NonsenseError`, and the item is judged again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Final

from gate.model.digest import Digest
from gate.model.evidence import BuildIdentity, Evidence, Revision, Stage, Statement, Subject, TimeSource
from gate.model.json import JsonValue
from gate.verify.alone import Problem, Refused, Signed
from gate.verify.certificate import CertificateIdentity
from gate.verify.hints import Hints
from gate.verify.trust import Proof, TrustStore

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
_DECODER: Final = json.JSONDecoder()
_SIGNED: Final = "signed"
_REFUSED: Final = "refused"


class NonsenseError(ValueError):
    """The line is not the answer to what was asked."""


def write_answer(outcome: Signed | Refused) -> bytes:
    """The line for an outcome, with its end; raises `TypeError` or `ValueError` for what JSON cannot hold."""
    fields = _of_signed(outcome) if isinstance(outcome, Signed) else _of_refused(outcome)
    return _ENCODER.encode(fields).encode("ascii") + b"\n"


def read_answer(line: bytes, item: Evidence, evidence: Digest, trust: TrustStore) -> Signed | Refused:
    """The outcome in a line about this item, which has this digest; raises `NonsenseError`."""
    try:
        match _DECODER.decode(line.decode("ascii")):
            case [str(word), str(digest), list(about), list(said)] if digest == evidence:
                if word == _SIGNED:
                    return _to_signed(item, evidence, about, said, trust)
                if word == _REFUSED:
                    return _to_refused(item, evidence, about, said)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise NonsenseError


def _of_signed(found: Signed) -> tuple[object, ...]:
    proof, said = found.proof, found.statement
    names = [signer.name for signer in proof.signers]
    return (
        _SIGNED,
        found.evidence,
        (found.payload, names, proof.signed_at_s, proof.time_source.value, proof.log_included, _of_identity(proof)),
        (
            said.claim,
            said.predicate_type,
            _of_subjects(said.subjects),
            None if said.resources is said.subjects else _of_subjects(said.resources),
            said.exhaustive,
            said.depends_on,
            said.stated_at_s,
            said.facts,
            said.predicate,
            said.located,
            said.folders,
            said.statement_type,
        ),
    )


def _to_signed(
    item: Evidence, evidence: Digest, about: list[JsonValue], said: list[JsonValue], trust: TrustStore
) -> Signed:
    match about:
        case [str(payload), [_, *_] as names, int() | None as signed_at_s, str(source), bool(logged), identity]:
            signers = tuple([trust.signers[str(name)].settings for name in names])
            proof = Proof(signers, signed_at_s, TimeSource(source), logged, _to_identity(identity))
            return Signed(evidence, item.origin, Digest(payload), proof, _to_statement(said))
        case _:
            raise NonsenseError


def _of_identity(proof: Proof) -> tuple[object, ...] | None:
    named = proof.identity
    return None if named is None else (named.issuer, named.subject, *dataclasses.astuple(named.build))


def _to_identity(value: JsonValue) -> CertificateIdentity | None:
    match value:
        case None:
            return None
        case [str(issuer), str(subject), *build] if len(build) == len(dataclasses.fields(BuildIdentity)):
            return CertificateIdentity(issuer, subject, BuildIdentity(*map(_text, build)))
        case _:
            raise NonsenseError


def _text(value: JsonValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise NonsenseError


def _to_statement(said: list[JsonValue]) -> Statement:
    match said:
        case [
            str(claim),
            str(kind),
            list(subjects),
            list() | None as resources,
            bool(exhaustive),
            list(depends_on),
            int() | None as stated_at_s,
            dict(facts),
            dict(predicate),
            bool(located),
            list(folders),
            str(statement_type),
        ]:
            named = _to_subjects(subjects)
            return Statement(
                claim,
                kind,
                named,
                named if resources is None else _to_subjects(resources),
                exhaustive,
                tuple(depends_on),
                stated_at_s,
                facts,
                predicate,
                located,
                tuple(folders),
                statement_type,
            )
        case _:
            raise NonsenseError


def _of_subjects(subjects: tuple[Subject, ...]) -> list[tuple[object, ...]]:
    return [(one.name, one.digest, one.other_digests, _of_revision(one.revision)) for one in subjects]


def _of_revision(revision: Revision | None) -> tuple[object, ...] | None:
    return None if revision is None else (revision.commit, revision.refs)


def _to_subjects(
    fields: Iterable[tuple[str, Digest | None, Mapping[str, str], tuple[str, list[str]] | None]],
) -> tuple[Subject, ...]:
    return tuple([Subject(name, digest, others, _to_revision(about)) for name, digest, others, about in fields])


def _to_revision(about: tuple[str, list[str]] | None) -> Revision | None:
    return None if about is None else Revision(about[0], tuple(about[1]))


def _of_refused(found: Refused) -> tuple[object, ...]:
    problem, hints = found.problem, found.hints
    names, digests = sorted(hints.names), sorted(hints.digests)
    return (
        _REFUSED,
        found.evidence,
        (problem.stage.value, problem.code, problem.detail),
        (found.payload, hints.is_readable, hints.claim, names, digests, hints.depends_on),
    )


def _to_refused(item: Evidence, evidence: Digest, about: list[JsonValue], said: list[JsonValue]) -> Refused:
    match about, said:
        case (
            [str(stage), str(code), str(detail)],
            [str() | None as payload, bool(readable), str() | None as claim, list(names), list(digests), list(needed)],
        ):
            hints = Hints(readable, claim, frozenset(names), frozenset(digests), tuple(needed))
            of = None if payload is None else Digest(payload)
            return Refused(evidence, item.origin, Problem(Stage(stage), code, detail), of, hints)
        case _:
            raise NonsenseError
