"""The decision as a document: `urn:gate:decision:v1` (DOCUMENTS 4, `schemas/decision.json`)."""

from __future__ import annotations

from typing import Final

from gate.formats.canonical_json import Canonical, pretty, without_secrets
from gate.formats.secrets import redacted
from gate.model.admission import admission_json
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome, ReuseUse, VerifiedItem, WaiverUse
from gate.model.evidence import Rejected
from gate.model.json import JsonObject

DECISION_SCHEMA: Final = "urn:gate:decision:v1"


def render_json(decision: Decision) -> str:
    """The document, indented, in printable ASCII, with a line feed at its end."""
    return pretty(decision_json(decision)) + "\n"


def decision_json(decision: Decision) -> JsonObject:
    """The document. Nothing of the decision is left out or shortened; two equal runs differ in `id` alone.

    What looks like a secret is redacted, as it is in the input document: a policy may bring one too (SECURITY 35).
    """
    return redacted(_document(decision))


def recorded_json(decision: Decision) -> Canonical:
    """The same document with its canonical form: what is recorded."""
    return without_secrets(_document(decision))


def _document(decision: Decision) -> JsonObject:
    digests = decision.digests
    return {
        "schema": DECISION_SCHEMA,
        "id": decision.id,
        "verdict": decision.verdict.value,
        "exit_code": decision.exit_code,
        "dry_run": decision.dry_run,
        "context": decision.context,
        "subject": decision.subject,
        **_admission(decision),
        "controls": {name: _control(control) for name, control in decision.controls.items()},
        "coverage": decision.coverage,
        "evidence": {
            "verified": [_verified(item) for item in decision.verified],
            "rejected": [_rejected(item) for item in decision.rejected],
        },
        "waivers": [_waiver(waiver) for waiver in decision.waivers],
        "reuse": [_reuse(item) for item in decision.reuse],
        "skipped": dict(decision.skipped),
        "causes": list(decision.causes),
        "digests": {
            "input": digests.input,
            "policy": digests.policy,
            "configuration": digests.configuration,
            "trust": digests.trust,
            "rules": digests.rules,
        },
        "policy": {
            "origin": decision.policy.origin.value,
            "serial": decision.policy.serial,
            "own": list(decision.policy.own),
            "replaced": list(decision.policy.replaced),
        },
        "engine": {"name": decision.engine, "version": decision.engine_version},
        "gate_version": decision.gate_version,
        "decided_at": decision.decided_at,
    }


def _admission(decision: Decision) -> JsonObject:
    """What an API server asked and is answered; nothing where none did."""
    found = decision.admission
    return {} if found is None else {"admission": {"outcome": found.outcome.value, **admission_json(found.facts)}}


def _control(control: ControlDecision) -> JsonObject:
    waivers = [entry.waiver for entry in control.violations if entry.waiver is not None]
    return {
        "status": control.outcome.value,
        "mode": control.mode.value,
        "title": control.info.title,
        "description": control.info.description,
        "severity": control.info.severity,
        "claims": list(control.info.claims),
        "artifacts": list(control.info.artifacts),
        **({} if control.judges is None else {"judges": list(control.judges)}),
        "targets": list(control.info.targets),
        "waivable": control.info.waivable,
        "fix": control.info.fix,
        "frameworks": {name: list(reference.ids) for name, reference in control.info.frameworks.items()},
        "relations": {name: reference.relation for name, reference in control.info.frameworks.items()},
        "violations": [_violation(entry, control.info.fix) for entry in control.violations],
        "evidence": list(control.evidence),
        "reason": control.reason,
        "waiver": waivers[0] if control.outcome is Outcome.WAIVED and waivers else None,
    }


def _violation(entry: DecidedViolation, fix: str) -> JsonObject:
    violation = entry.violation
    return {
        "code": violation.code,
        "message": violation.message,
        "fix": fix,
        "artifact": violation.artifact,
        "file": violation.file,
        "digest": entry.digest,
        "evidence": list(violation.evidence),
        "waiver": entry.waiver,
        "reuse": entry.reuse,
    }


def _verified(item: VerifiedItem) -> JsonObject:
    return {
        "payload": item.payload,
        "evidence": item.evidence,
        "origin": item.origin,
        "claim": item.claim,
        "predicate_type": item.predicate_type,
        "artifacts": list(item.artifacts),
        "signers": [
            {
                "name": signer.name,
                "kind": signer.kind,
                "spki": signer.spki,
                "issuer": signer.issuer,
                "subject": signer.subject,
            }
            for signer in item.signers
        ],
        "stated_at_s": item.stated_at_s,
        "signed_at": {"at_s": item.signed_at_s, "source": item.time_source.value},
        "log": {"included": item.log_included},
        "depends_on": list(item.depends_on),
        "subjects": dict(item.subjects),
    }


def _rejected(item: Rejected) -> JsonObject:
    return {
        "evidence": item.evidence,
        "origin": item.origin,
        "stage": item.stage.value,
        "code": item.code,
        "detail": item.detail,
        "claimed": item.claimed,
        "concern": item.concern.value,
        "artifacts": list(item.artifacts),
    }


def _reuse(item: ReuseUse) -> JsonObject:
    return {
        "statement": item.statement,
        "verifier": item.verifier,
        "artifact": item.artifact,
        "controls": list(item.controls),
        "used": item.used,
        "problems": list(item.problems),
    }


def _waiver(waiver: WaiverUse) -> JsonObject:
    return {
        "id": waiver.id,
        "control": waiver.control,
        "state": waiver.state.value,
        "used": waiver.used,
        "created_s": waiver.created_s,
        "expires_s": waiver.expires_s,
        "problem": waiver.problem,
        "reason": waiver.reason,
        "ticket": waiver.ticket,
        "owner": waiver.owner,
        "approver": waiver.approver,
    }
