"""Decisions for the tests of reports and of what is done with them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from gate.model.control import ControlInfo, FrameworkReference, Mode, Violation
from gate.model.decision import (
    ControlDecision,
    DecidedViolation,
    Decision,
    Digests,
    Outcome,
    ReuseUse,
    Verdict,
    VerifiedItem,
    WaiverUse,
)
from gate.model.digest import Digest
from gate.model.evidence import Concern, Rejected, SignerIdentity, Stage
from gate.model.policy import JudgingPolicy
from gate.model.waiver import WaiverState

NOON = "2026-11-20T12:00:00Z"
NOON_S = 1_795_176_000
DAY_S = 86_400
MODEL = "models/summarizer/model.safetensors"


def digest(word: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest())


def info(name: str, **changes: Any) -> ControlInfo:
    base = ControlInfo(
        id=name,
        title=f"Title of {name}",
        description="What it checks.",
        severity="high",
        claims=(),
        artifacts=("weights",),
        targets=("deployment",),
        waivable=True,
        fix="Put it right.",
        frameworks={"OWASP-LLM-2025": FrameworkReference("supports", ("LLM03",))},
    )
    return dataclasses.replace(base, **changes)


def violation(
    code: str,
    message: str,
    *,
    artifact: str | None = None,
    file: str | None = None,
    evidence: Iterable[Digest] = (),
    waiver: str | None = None,
) -> DecidedViolation:
    return DecidedViolation(Violation(code, message, artifact, file, tuple(evidence)), waiver)


def control(
    name: str,
    outcome: Outcome = Outcome.PASS,
    *violations: DecidedViolation,
    mode: Mode = Mode.ENFORCE,
    evidence: Iterable[Digest] = (),
    reason: str | None = None,
    judges: tuple[str, ...] | None = None,
    **changes: Any,
) -> ControlDecision:
    about = info(name, **changes)
    kinds = about.judges({}) if judges is None else judges
    return ControlDecision(about, mode, outcome, tuple(violations), tuple(evidence), reason, kinds)


def signer(name: str) -> SignerIdentity:
    return SignerIdentity(name, "key", digest(f"key of {name}"))


def statement(
    claim: str,
    *people: str,
    word: str = "",
    stated_at_s: int | None = NOON_S - 2 * DAY_S,
    artifacts: tuple[str, ...] = ("summarizer",),
    subjects: Mapping[str, Digest] | None = None,
) -> VerifiedItem:
    return VerifiedItem(
        payload=digest(f"payload {claim} {word}"),
        evidence=digest(f"envelope {claim} {word}"),
        origin=f".gate/attestations/{claim}{word}.json",
        claim=claim,
        artifacts=artifacts,
        signers=tuple(signer(name) for name in people),
        stated_at_s=stated_at_s,
        subjects=subjects if subjects is not None else {"model.safetensors": digest("model")},
    )


def rejected(stage: Stage = Stage.SIGNATURE, code: str = "signature.untrusted", **changes: Any) -> Rejected:
    base = Rejected(
        evidence=digest(f"rejected {code}"),
        origin=".gate/attestations/forged.dsse.json",
        stage=stage,
        code=code,
        detail="no trusted key made any of its signatures",
        claimed="build.provenance",
        concern=Concern.AT_STAKE,
        artifacts=("summarizer",),
    )
    return dataclasses.replace(base, **changes)


def waiver(name: str, control_id: str, **changes: Any) -> WaiverUse:
    base = WaiverUse(name, control_id, WaiverState.ACTIVE, True, NOON_S + 40 * DAY_S, None)
    return dataclasses.replace(base, **changes)


BASE = "3f2a1b9c04d1e5f60718293a4b5c6d7e8f901234"
CONTEXT = {"target": "deployment", "environment": "production", "profile": "baseline", "configuration_from": BASE}
SUBJECT = {
    "artifacts": {
        "summarizer": {
            "kind": "weights",
            "digest": digest("tree"),
            "path": "models/summarizer",
            "reference": None,
            "base": None,
            "bytes": 1_048_576,
        },
    },
    "change": {
        "status": "collected",
        "base": BASE,
        "merge_base": BASE,
        "head": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
        "tree": "00112233445566778899aabbccddeeff00112233",
        "dirty": False,
    },
}


def decision(
    *controls: ControlDecision, verdict: Verdict = Verdict.DENY, exit_code: int = 13, **changes: Any
) -> Decision:
    """A decision. What covers a violation is listed as used, unless `changes` say otherwise."""
    outcomes = [entry.outcome for entry in controls]
    covered = [(entry.info.id, item) for entry in controls for item in entry.violations]
    waivers = {item.waiver: waiver(item.waiver, name) for name, item in covered if item.waiver is not None}
    reuse = {
        item.reuse: ReuseUse(item.reuse, None, item.violation.artifact or "", (name,), True, ())
        for name, item in covered
        if item.reuse is not None
    }
    base: dict[str, Any] = {
        "id": "01J8ZQ4T7M3N5P6R7S8T9V0W1X",
        "verdict": verdict,
        "exit_code": exit_code,
        "dry_run": False,
        "context": CONTEXT,
        "subject": SUBJECT,
        "controls": {entry.info.id: entry for entry in controls},
        "coverage": {
            "artifacts": {"total": 1, "with_verified_evidence": 0},
            "files": {"changed": 1, "in_artifacts": 2},
            "claims": {},
            "controls": {
                "total": len(controls),
                "evaluated": len(controls),
                **{outcome.value: outcomes.count(outcome) for outcome in Outcome},
            },
        },
        "verified": (),
        "rejected": (),
        "waivers": tuple(waivers.values()),
        "reuse": tuple(reuse.values()),
        "skipped": {"signals": "not configured", "workloads": "not configured"},
        "causes": () if exit_code in {0, 4} else (exit_code,),
        "digests": Digests(*(digest(what) for what in ("input", "policy", "configuration", "trust", "rules"))),
        "policy": JudgingPolicy(),
        "engine": "regorus",
        "engine_version": "0.14.1",
        "gate_version": "0.1.0",
        "decided_at": NOON,
    }
    return Decision(**(base | changes))


EVERYTHING = {"status": "everything", "base": None, "merge_base": None, "head": None, "tree": None, "dirty": False}


# --- the decisions of the golden files -------------------------------------------------------------------------------

SIGN_FIX = "Sign it with `gate sign` or model signing, by a signer that gate.yaml trusts."
ATTEST_FIX = "Attach the statement that the message names, for the file as it is now, signed by a trusted signer."


def _passing() -> list[ControlDecision]:
    return [
        control("artifact.pinned", reason="artifacts with a digest: 1"),
        control("change.plain_files", reason="protected files that are plain: 1"),
        control("load.safe_format", reason="files inspected: 2"),
    ]


def refusal() -> Decision:
    """A model was changed after it had been signed, and a report nobody trusts lies beside it."""
    mismatch = rejected(
        Stage.SUBJECT,
        "subject.mismatch",
        origin=".gate/attestations/signature.sigstore.json",
        detail=f"'model.safetensors' is {digest('new')}, signed was {digest('old')}",
        claimed="artifact.signature",
    )
    forged = rejected(origin=".gate/attestations/scan.dsse.json", claimed="scan.report")
    return decision(
        *_refused(mismatch, forged),
        *_scanned(),
        *_passing(),
        exit_code=11,
        causes=(11, 12, 10),
        verified=(
            statement("build.provenance", "builder", stated_at_s=NOON_S - 8 * DAY_S, subjects={MODEL: digest("old")}),
        ),
        rejected=(mismatch, forged),
        waivers=(
            waiver("W-12", "scan.malware", state=WaiverState.EXPIRING, expires_s=NOON_S + 9 * DAY_S),
            waiver(
                "W-7",
                "artifact.pinned",
                state=WaiverState.EXPIRED,
                used=False,
                expires_s=NOON_S - DAY_S,
                problem="the waiver is expired",
            ),
        ),
    )


def _refused(mismatch: Rejected, forged: Rejected) -> list[ControlDecision]:
    gate_message = "gate G001 requires a verified statement of {} that covers it"
    return [
        control(
            "artifact.signed",
            Outcome.FAIL,
            violation(
                "artifact.signed.missing", "no verified signature of a trusted signer covers it", artifact="summarizer"
            ),
            severity="critical",
            claims=("artifact.signature",),
            waivable=False,
            fix=SIGN_FIX,
        ),
        control(
            "change.attested",
            Outcome.FAIL,
            violation("change.attested.missing", gate_message.format("artifact.signature"), file=MODEL),
            violation("change.attested.missing", gate_message.format("build.provenance"), file=MODEL),
            severity="critical",
            fix=ATTEST_FIX,
        ),
        control(
            "evidence.accepted",
            Outcome.FAIL,
            violation(
                "evidence.accepted.rejected",
                f"signature.untrusted: {forged.origin}",
                evidence=[forged.evidence],
            ),
            violation(
                "evidence.accepted.rejected",
                f"subject.mismatch: {mismatch.origin}",
                evidence=[mismatch.evidence],
            ),
            severity="critical",
            fix="Find out where the rejected file comes from; remove it, or sign it by a signer trusted for its claim.",
        ),
    ]


def _scanned() -> list[ControlDecision]:
    return [
        control(
            "scan.malware",
            Outcome.WAIVED,
            violation(
                "scan.malware.finding", "modelscan found S201", artifact="summarizer", file="extra.bin", waiver="W-12"
            ),
            severity="critical",
        ),
        control(
            "scan.coverage",
            Outcome.FAIL,
            *(
                violation(
                    "scan.coverage.uncovered", "no scan judged these bytes", artifact="summarizer", file=f"{n}.txt"
                )
                for n in range(5)
            ),
            mode=Mode.WARN,
            fix="Run the scanner again over the whole artifact and keep its report.",
        ),
        control("scan.secrets", Outcome.NOT_APPLICABLE, reason="no report of a secret scanner is configured"),
    ]


def approval() -> Decision:
    """The same change with the evidence that it needs."""
    signature = statement("artifact.signature", "release")
    provenance = statement("build.provenance", "builder")
    return decision(
        control("artifact.signed", evidence=[signature.payload], severity="critical"),
        control("build.provenance", evidence=[provenance.payload]),
        control("change.attested", evidence=[signature.payload, provenance.payload], severity="critical"),
        control("scan.malware", evidence=[digest("report")], severity="critical"),
        control("evidence.fresh", Outcome.NOT_APPLICABLE, reason="no limit of age is set"),
        *_passing(),
        verdict=Verdict.ALLOW,
        exit_code=0,
        verified=(signature, provenance),
    )


def undecided() -> Decision:
    """A rule came to no status."""
    return decision(
        control("load.no_remote_code", Outcome.ERROR),
        *_passing(),
        verdict=Verdict.ERROR,
        exit_code=4,
        subject={"artifacts": {}, "change": EVERYTHING},
    )


def dry_refusal() -> Decision:
    """A refusal that blocks nothing, under the configuration of the change."""
    missing = violation("artifact.signed.missing", "no verified signature covers it", artifact="summarizer")
    made = decision(
        control("artifact.signed", Outcome.FAIL, missing, fix="`gate sign`", claims=("artifact.signature",)),
        *_passing(),
        exit_code=10,
        dry_run=True,
    )
    return dataclasses.replace(made, context={**made.context, "configuration_from": "worktree"})


GOLDEN = {"refusal": refusal, "approval": approval, "undecided": undecided, "dry_refusal": dry_refusal}
