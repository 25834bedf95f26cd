"""`attestations`, `claims` and `rejected`: what verification made of the evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from gate.model.evidence import Rejected, SignerIdentity, Statement, Verified
from gate.model.json import JsonObject, JsonValue


def attestations_section(verified: Sequence[Verified]) -> JsonObject:
    """Verified statements by payload digest."""
    return {item.payload: _attestation(item) for item in verified}


def _attestation(item: Verified) -> JsonObject:
    statement = item.statement
    return {
        "claim": statement.claim,
        "predicate_type": statement.predicate_type,
        "statement_type": statement.statement_type,
        "evidence": item.evidence,
        "origin": item.origin,
        "subjects": {
            subject.digest: {"name": subject.name} for subject in statement.subjects if subject.digest is not None
        },
        "resources": _resources(item.statement),
        "artifacts": list(item.artifacts),
        "signers": [_signer(signer) for signer in item.signers],
        "signed_at": {"at_s": item.signed_at_s or 0, "source": item.time_source.value},
        "stated_at_s": statement.stated_at_s,
        "log": {"included": item.log_included},
        "depends_on": sorted(statement.depends_on),
        "ancestors": list(item.ancestors),
        "facts": statement.facts,
        "predicate": statement.predicate,
    }


def _resources(statement: Statement) -> JsonValue:
    """What it covers by name, where that is more or other than its subjects."""
    covered: dict[str, JsonValue] = {item.name: item.digest for item in statement.resources if item.digest is not None}
    digests = {item.digest: item.name for item in statement.subjects if item.digest is not None}
    return None if covered == {name: digest for digest, name in digests.items()} else covered


def _signer(signer: SignerIdentity) -> JsonObject:
    return {
        "name": signer.name,
        "kind": signer.kind,
        "spki": signer.spki,
        "issuer": signer.issuer,
        "subject": signer.subject,
        "build": None if signer.build is None else dataclasses.asdict(signer.build),
    }


def claims_section(verified: Sequence[Verified]) -> JsonObject:
    """The index of attestations by claim; lists are sorted by digest."""
    found: dict[str, tuple[list[JsonValue], dict[str, list[JsonValue]]]] = {}
    for item in sorted(verified, key=lambda item: item.payload):
        everything, by_artifact = found.setdefault(item.statement.claim, ([], {}))
        everything.append(item.payload)
        for artifact in item.artifacts:
            by_artifact.setdefault(artifact, []).append(item.payload)
    return {claim: {"all": everything, "by_artifact": by} for claim, (everything, by) in found.items()}


def rejected_section(rejected: Sequence[Rejected]) -> JsonObject:
    """Evidence that does not count, by digest of its bytes."""
    return {
        item.evidence: {
            "origin": item.origin,
            "stage": item.stage.value,
            "code": item.code,
            "detail": item.detail,
            "claimed": item.claimed,
            "concern": item.concern.value,
            "artifacts": list(item.artifacts),
        }
        for item in rejected
    }
