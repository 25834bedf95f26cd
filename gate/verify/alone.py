"""Obligations 1 to 5, which an item meets alone, whatever else is there and whatever asks for admission.

The payload is parsed once, from the bytes whose signature was checked, and only after that check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gate.formats.bundle import BundleError, Container
from gate.formats.canonical_json import CanonicalJsonError, check
from gate.formats.intoto import StatementError
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence, Failure, Stage, Statement
from gate.verify.cache import Known
from gate.verify.containers import open_container, prove, read_payload, signed_payload
from gate.verify.hints import Hints, read_hints
from gate.verify.located import misplaced
from gate.verify.trust import Proof, Proven, TrustStore, Untrusted

# How far two clocks may be apart.
_SKEW_S: Final = 300


@dataclass(frozen=True, slots=True)
class Signed:
    """An envelope that met obligations 1 to 5: who signed it, and what it says."""

    evidence: Digest
    origin: str
    payload: Digest
    proof: Proof
    statement: Statement

    @property
    def signers(self) -> frozenset[Proven]:
        """Those who signed it, with what proved them."""
        return self.proof.proven


@dataclass(frozen=True, slots=True)
class Problem:
    """The first obligation that is not met, and what else was found."""

    stage: Stage
    code: str
    detail: str
    also: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that missed an obligation, with what it says about itself: unproved, and depending on it alone."""

    evidence: Digest
    origin: str
    problem: Problem
    payload: Digest | None = None
    hints: Hints = field(default_factory=Hints)


class _Refusal(Exception):  # noqa: N818 - how an item leaves the obligations; always caught here
    def __init__(self, stage: Stage, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(stage, code, detail)


def judge(item: Evidence, evidence: Digest, trust: TrustStore, limit: int) -> Signed | Refused:
    """What becomes of an item with this digest; `limit` is the most bytes of one.

    Raises only what says that the gate cannot do its work, such as `ConfigError` for a library that is missing.
    """
    try:
        return _read(item, evidence, trust, limit)
    except _Refusal as refusal:
        payload, hints = read_hints(item.data, limit, trust.reading, item.message)
        return Refused(evidence, item.origin, refusal.problem, payload, hints)


def _read(item: Evidence, evidence: Digest, trust: TrustStore, limit: int) -> Signed:
    known = None if trust.cache is None else trust.cache.get(item, trust, limit)
    payload, proof, statement = (
        _found_out(item, evidence, trust, limit) if known is None else _judged_again(known, evidence, trust)
    )
    _check_place_and_time(statement, trust.now_s)
    stated_s, signed_s = statement.stated_at_s, proof.signed_at_s
    if stated_s is not None and signed_s is not None and stated_s > signed_s + _SKEW_S:
        raise _Refusal(Stage.STATEMENT, "time", "the statement says that it was made after it was signed")
    return Signed(evidence, item.origin, payload, proof, statement)


def _found_out(item: Evidence, evidence: Digest, trust: TrustStore, limit: int) -> tuple[Digest, Proof, Statement]:
    try:
        container = open_container(item, limit)
    except BundleError as error:
        raise _Refusal(Stage.ENVELOPE, error.code, str(error)) from None
    signed = signed_payload(container)
    payload = sha256_digest(signed)
    _check_revoked(trust, evidence, payload)
    matched = None
    try:
        if isinstance(container, Container):
            matched = trust.match(container)
            proof = trust.accept(matched)
        else:
            proof = prove(container, trust)
    except Untrusted as error:
        raise _Refusal(Stage.SIGNATURE, error.code, str(error)) from None
    try:
        statement = read_payload(container, limit, trust.reading)
        check(statement.predicate, signed)
    except StatementError as error:
        raise _Refusal(Stage.STATEMENT, error.code, str(error)) from None
    except CanonicalJsonError as error:
        raise _Refusal(Stage.STATEMENT, "number", f"the predicate has no canonical form: {error}") from None
    if trust.cache is not None and matched is not None:
        trust.cache.put(item, trust, limit, Known(payload, matched, statement, trust.now_s))
    return payload, proof, statement


def _judged_again(known: Known, evidence: Digest, trust: TrustStore) -> tuple[Digest, Proof, Statement]:
    """The part of the obligations that depends on more than the bytes, in the same order."""
    _check_revoked(trust, evidence, known.payload)
    try:
        return known.payload, trust.accept(known.matched), known.statement
    except Untrusted as error:
        raise _Refusal(Stage.SIGNATURE, error.code, str(error)) from None


def _check_revoked(trust: TrustStore, evidence: Digest, payload: Digest) -> None:
    if trust.is_revoked_evidence(evidence, payload):
        raise _Refusal(Stage.SIGNATURE, "revoked_evidence", "the evidence is revoked in gate.yaml")


def _check_place_and_time(statement: Statement, now_s: int) -> None:
    """What a statement that names paths must not do: leave the root, or come from the future."""
    if not statement.located:
        return
    path = misplaced(statement)
    if path is not None:
        raise _Refusal(Stage.SUBJECT, "path", f"{path[:200]!r} does not stay below the root")
    if statement.stated_at_s is not None and statement.stated_at_s > now_s + _SKEW_S:
        raise _Refusal(Stage.STATEMENT, "future", "created_at is in the future")
