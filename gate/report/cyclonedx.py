"""A decision as CycloneDX attestations (CDXA, in CycloneDX 1.6): claims with their evidence, and what they map to.

Two kinds of standards are defined: the gate's own controls, and the frameworks whose requirements they support. How
far a control is met is the gate's to say, so it has a score of conformance: 1 for a pass, 0 for a refusal, and 0 with
the waiver as mitigation where somebody accepted it. For a requirement of a framework there is no score: evidence
supports it, and people judge.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gate.formats.canonical_json import pretty
from gate.formats.rfc3339 import format_time
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome, WaiverUse
from gate.model.evidence import Concern
from gate.model.json import JsonObject, JsonValue
from gate.report.escape import terminal
from gate.report.summary import dry_run_words, exit_words, member, refused, tally, warned, with_outcome

SPEC_VERSION: Final = "1.6"
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:gate:cyclonedx:v1")
_NOTE: Final = "Evidence for a control supports a requirement; whether it is met, people judge."
_LIMIT: Final = 1000
_RELEASE: Final = "release"
_ASSESSOR: Final = "assessor:gate"
_OWN: Final = "standard:gate"
_SCORES: Final = {
    Outcome.PASS: 1,
    Outcome.FAIL: 0,
    Outcome.ERROR: 0,
    Outcome.WAIVED: 0,
    Outcome.REUSED: 0,
}
_RATIONALES: Final = {
    Outcome.PASS: "The control passed.",
    Outcome.FAIL: "The control refused.",
    Outcome.ERROR: "The control could not be judged.",
    Outcome.NOT_APPLICABLE: "The control does not apply.",
    Outcome.WAIVED: "The control refused, and a waiver accepts that.",
    Outcome.REUSED: "Evidence is missing, and a summary of a trusted verifier stands for it.",
}


def render_cyclonedx(decision: Decision) -> str:
    """The document, indented, in printable ASCII."""
    return pretty(_Attestations.of(decision).document()) + "\n"


@dataclass(frozen=True, slots=True)
class _Attestations:
    """One decision. `evidence` are the references of what was verified by digest, payload or envelope alike."""

    decision: Decision
    evidence: Mapping[str, str]

    @classmethod
    def of(cls, decision: Decision) -> _Attestations:
        found: dict[str, str] = {item.evidence: f"rejected:{item.evidence}" for item in decision.rejected}
        for item in decision.verified:
            found[item.evidence] = found[item.payload] = f"verified:{item.evidence}"
        return cls(decision, found)

    def document(self) -> JsonObject:
        decision = self.decision
        return {
            "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": SPEC_VERSION,
            "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, ascii(decision.id))}",
            "version": 1,
            "metadata": {
                "timestamp": _plain(decision.decided_at),
                "tools": {
                    "components": [{"type": "application", "name": "gate", "version": _plain(decision.gate_version)}]
                },
                "properties": list[JsonValue](self.properties()),
            },
            "declarations": {
                "assessors": [{"bom-ref": _ASSESSOR, "thirdParty": False, "organization": {"name": "gate"}}],
                "attestations": [self.own(), *self.frameworks()],
                "claims": [self.claim(control) for control in decision.controls.values()],
                "evidence": [*self.verified(), *self.rejected(), *self.found(), *self.waivers()],
                "targets": {"components": [self.release()]},
            },
            "definitions": {"standards": [*self.standards()]},
        }

    def properties(self) -> Iterator[JsonValue]:
        decision = self.decision
        told = {
            "decision": decision.id,
            "verdict": decision.verdict.value,
            "exit_code": str(decision.exit_code),
            "dry_run": str(decision.dry_run).lower(),
            **{f"digest:{name}": getattr(decision.digests, name) for name in ("input", "policy", "rules", "trust")},
            **{name: str(value) for name, value in sorted(decision.context.items())},
        }
        words = dry_run_words(decision)
        yield from (_property(name, value) for name, value in told.items())
        yield from [] if words is None else [_property("dry_run_note", words)]
        yield from (_property("refused", control.info.id) for control in refused(decision))
        yield from (_property("warned", control.info.id) for control in warned(decision))
        yield from (_property("waived", control.info.id) for control in with_outcome(decision, Outcome.WAIVED))

    def own(self) -> JsonObject:
        """The gate's own controls, each with how far it is met."""
        return {
            "summary": _plain(f"{tally(self.decision)}; {exit_words(self.decision)}"),
            "assessor": _ASSESSOR,
            "map": [self.mapped(control) for control in self.decision.controls.values()],
        }

    def mapped(self, control: ControlDecision) -> JsonObject:
        name = control.info.id
        conformance: dict[str, JsonValue] = {"rationale": _RATIONALES[control.outcome]}
        if control.outcome in _SCORES:
            conformance["score"] = _SCORES[control.outcome]
        used = {entry.waiver for entry in control.violations if entry.waiver is not None}
        known = [_waiver(item) for item in self.decision.waivers if item.id in used]
        if known:
            conformance["mitigationStrategies"] = list[JsonValue](known)
        side = "claims" if control.outcome is Outcome.PASS else "counterClaims"
        claims: JsonObject = {} if control.outcome is Outcome.NOT_APPLICABLE else {side: [_claim(name)]}
        return {"requirement": _requirement(_OWN, name), "conformance": conformance, **claims}

    def frameworks(self) -> Iterator[JsonValue]:
        """What evidence supports, by requirement; without a score."""
        for framework, rows in self.supports().items():
            yield {
                "summary": _plain(f"What supports requirements of {framework}. {_NOTE}"),
                "assessor": _ASSESSOR,
                "map": [self.supported(framework, requirement, names) for requirement, names in rows.items()],
            }

    def supported(self, framework: str, requirement: str, names: Iterable[str]) -> JsonObject:
        controls = [self.decision.controls[name] for name in names]
        judged = [control for control in controls if control.outcome is not Outcome.NOT_APPLICABLE]
        passed = [_claim(control.info.id) for control in judged if control.outcome is Outcome.PASS]
        others = [_claim(control.info.id) for control in judged if control.outcome is not Outcome.PASS]
        relations = ", ".join(f"{c.info.id} {c.info.frameworks[framework].relation}" for c in controls)
        words = f"{len(passed)} of {len(judged)} controls that apply passed: {relations}. {_NOTE}"
        return {
            "requirement": _requirement(_standard(framework), requirement),
            "conformance": {"rationale": _plain(words)},
            **({"claims": list[JsonValue](passed)} if passed else {}),
            **({"counterClaims": list[JsonValue](others)} if others else {}),
        }

    def supports(self) -> dict[str, dict[str, list[str]]]:
        """The controls by framework and requirement, sorted."""
        found: dict[str, dict[str, list[str]]] = {}
        for name, control in self.decision.controls.items():
            for framework, reference in control.info.frameworks.items():
                for requirement in dict.fromkeys(reference.ids):
                    found.setdefault(framework, {}).setdefault(requirement, []).append(name)
        return {framework: dict(sorted(rows.items())) for framework, rows in sorted(found.items())}

    def claim(self, control: ControlDecision) -> JsonObject:
        info = control.info
        against = [_violation(info.id, place) for place, _ in enumerate(control.violations)]
        evidence = [self.evidence[digest] for digest in control.evidence if digest in self.evidence]
        others = [digest for digest in control.evidence if digest not in self.evidence]
        words = [control.reason or "", f"It also rests on {', '.join(others)}." if others else ""]
        reasoning = " ".join(word for word in [_RATIONALES[control.outcome], *words] if word)
        return {
            "bom-ref": _claim(info.id),
            "target": _RELEASE,
            "predicate": _plain(f"{info.title}: {control.outcome.value} ({control.mode.value})"),
            "reasoning": _plain(reasoning),
            **({"evidence": list[JsonValue](dict.fromkeys(evidence))} if evidence else {}),
            **({"counterEvidence": list[JsonValue](against)} if against else {}),
        }

    def verified(self) -> Iterator[JsonValue]:
        for item in {item.evidence: item for item in self.decision.verified}.values():
            signers = ", ".join(signer.name for signer in item.signers) or "nobody"
            words = f"Verified statement of {item.claim}, signed by {signers}, payload {item.payload}."
            yield {
                "bom-ref": f"verified:{item.evidence}",
                "description": _plain(words),
                "data": [_data(item.evidence, item.origin)],
                **_when("created", item.signed_at_s if item.signed_at_s is not None else item.stated_at_s),
            }

    def rejected(self) -> Iterator[JsonValue]:
        counted = {item.evidence for item in self.decision.verified}
        for item in {item.evidence: item for item in self.decision.rejected}.values():
            stake = "" if item.concern is Concern.OTHERS else " It is about what was judged."
            words = f"Rejected evidence, {item.code}: {item.detail}.{stake}"
            if item.evidence not in counted:
                yield {
                    "bom-ref": f"rejected:{item.evidence}",
                    "description": _plain(words),
                    "data": [_data(item.evidence, item.origin)],
                }

    def found(self) -> Iterator[JsonValue]:
        """The violations, which are evidence against a claim."""
        for name, control in self.decision.controls.items():
            for place, entry in enumerate(control.violations):
                yield {"bom-ref": _violation(name, place), "description": _plain(_words(entry))}

    def waivers(self) -> Iterator[JsonValue]:
        for item in self.decision.waivers:
            words = (
                f"Waiver {item.id} of {item.control}, {item.state.value}: {item.reason or item.problem or 'accepted'}"
            )
            yield {
                "bom-ref": _waiver(item),
                "description": _plain(words),
                "author": {"name": _plain(item.owner or "unknown")},
                "reviewer": {"name": _plain(item.approver or "unknown")},
                **_when("created", item.created_s),
                **_when("expires", item.expires_s),
            }

    def release(self) -> JsonObject:
        """What the claims are about: all artifacts together."""
        artifacts = member(self.decision.subject, "artifacts")
        listed = artifacts if isinstance(artifacts, Mapping) else {}
        return {
            "bom-ref": _RELEASE,
            "type": "application",
            "name": _plain(f"what asks for {self.decision.context.get('target')}"),
            "components": [_artifact(place, *told) for place, told in enumerate(listed.items())],
        }

    def standards(self) -> Iterator[JsonValue]:
        decision = self.decision
        yield {
            "bom-ref": _OWN,
            "name": "Controls of gate",
            "version": decision.digests.rules,
            "requirements": [
                {
                    "bom-ref": _requirement(_OWN, name),
                    "identifier": _plain(name),
                    "title": _plain(control.info.title),
                    "text": _plain(control.info.description),
                }
                for name, control in decision.controls.items()
            ],
        }
        for framework, rows in self.supports().items():
            ref = _standard(framework)
            yield {
                "bom-ref": ref,
                "name": _plain(framework),
                "requirements": [{"bom-ref": _requirement(ref, row), "identifier": _plain(row)} for row in rows],
            }


def _words(entry: DecidedViolation) -> str:
    violation = entry.violation
    about = ", ".join(part for part in (violation.artifact, violation.file) if part)
    return f"{violation.code}: {violation.message}{f' ({about})' if about else ''}"


def _artifact(place: int, name: str, artifact: JsonValue) -> JsonObject:
    told = ((key, member(artifact, key)) for key in ("kind", "digest", "path", "reference", "base"))
    return {
        "bom-ref": f"artifact:{place}",
        "type": {"container": "container", "dataset": "data", "corpus": "data", "package": "library"}.get(
            str(member(artifact, "kind")), "machine-learning-model"
        ),
        "name": _plain(name),
        "properties": [_property(key, value) for key, value in told if isinstance(value, str)],
    }


def _property(name: str, value: str) -> JsonObject:
    return {"name": f"gate:{name}", "value": _plain(value)}


def _data(digest: str, origin: str) -> JsonObject:
    return {"name": digest, "contents": {"url": quote(terminal(origin, _LIMIT), safe="/#")}}


def _when(name: str, seconds: int | None) -> JsonObject:
    """A time, where there is one that can be told."""
    try:
        return {} if seconds is None else {name: format_time(seconds)}
    except (ValueError, OverflowError, OSError):
        return {}


def _claim(control: str) -> str:
    return f"claim:{_plain(control)}"


def _violation(control: str, place: int) -> str:
    return f"violation:{_plain(control)}:{place}"


def _waiver(item: WaiverUse) -> str:
    return f"waiver:{_plain(item.id)}"


def _standard(framework: str) -> str:
    return f"standard:{_plain(framework)}"


def _requirement(standard: str, name: str) -> str:
    return f"{standard}#{_plain(name)}"


def _plain(text: str) -> str:
    """A text of the document: one printable line, never empty."""
    return terminal(text, _LIMIT) or "-"
