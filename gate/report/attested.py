"""What verdicts as attestations share: what they are about, which properties they name, and the decision behind them.

Obligations, whatever the type of the statement:
1. only an ALLOW that is no dry run has properties that passed; a refusal, an error and a dry run have none, nor has
   an artifact of a kind that no enforced control of the decision judged;
2. a control is named as passed only where it passed: not warned about, not waived, not stood for, not inapplicable;
3. `GATE_PASSED` is said only where nothing was warned about, waived or stood for, and the change did not bring the
   configuration that judged it; otherwise `GATE_PASSED_WITH_...` says which of these it was;
4. a level of SLSA is named only where control `build.level` passed in this very decision.

Spec: in-toto/attestation, spec/v1 (statement, resource descriptor); slsa.dev/spec/v1.2/verification_summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from gate.formats.canonical_json import line
from gate.formats.intoto import STATEMENT_TYPE
from gate.model.control import Mode
from gate.model.decision import ControlDecision, Decision, Outcome, Verdict
from gate.model.digest import Digest, hex_of, parse_digest
from gate.model.evidence import Concern
from gate.model.json import JsonObject, JsonValue
from gate.report.escape import terminal
from gate.report.summary import member, own_configuration, refused, warned, with_outcome

VERIFIER: Final = "urn:gate:verifier"
"""The verifier's id where nobody says another. It tells no gate from another."""
EXTENSION: Final = "urn:gate:verdict:v1"
"""The member of a predicate that says what its standard members cannot."""
PASSED: Final = "GATE_PASSED"
DRY_RUN: Final = "GATE_DRY_RUN"
UNJUDGED: Final = "GATE_UNJUDGED"
_LEVEL_CONTROL: Final = "build.level"
_LIMIT: Final = 2000


@dataclass(frozen=True, slots=True)
class Naming:
    """The URIs by which statements name who verified and, by artifact, what was verified."""

    verifier: str = VERIFIER
    resources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """What one statement is about: an artifact, or the input document, which stands for all where nothing else can.

    `kind` is `None` for the document. `level` is the SLSA build level that the decision tells of an artifact.
    """

    name: str
    digest: Digest
    resource: str
    kind: str | None = None
    level: int | None = None


def abouts(decision: Decision, naming: Naming) -> tuple[About, ...]:
    """The artifacts that have a digest, by name; where none has, the input document that was judged."""
    artifacts = member(decision.subject, "artifacts")
    listed = artifacts if isinstance(artifacts, Mapping) else {}
    found = [about for name in sorted(listed) for about in _about(name, listed[name], naming)]
    resource = f"urn:gate:decision:{_quoted(decision.id)}"
    return tuple(found) or (About("input.json", decision.digests.input, resource),)


def _about(name: str, artifact: JsonValue, naming: Naming) -> Iterator[About]:
    digest = parse_digest(_text(artifact, "digest"))
    if digest is None:
        return
    image = _text(artifact, "reference").partition("@")[0]
    resource = naming.resources.get(name) or terminal(image, _LIMIT) or f"urn:gate:artifact:{_quoted(name)}"
    level = member(artifact, "build_level")
    shown = terminal(_text(artifact, "path") or image or name, _LIMIT)
    yield About(shown, digest, resource, _text(artifact, "kind"), level if isinstance(level, int) else None)


def statement(about: About, kind: str, predicate: JsonObject) -> str:
    """The statement on one line of printable ASCII: what is shown is, byte for byte, what is signed."""
    subject: list[JsonValue] = [{"name": about.name, "digest": {"sha256": hex_of(about.digest)}}]
    return line({"_type": STATEMENT_TYPE, "subject": subject, "predicateType": kind, "predicate": predicate})


def has_passed(decision: Decision, about: About) -> bool:
    """Obligation 1."""
    return decision.verdict is Verdict.ALLOW and not decision.dry_run and _is_judged(decision, about)


def why_not(decision: Decision, about: About) -> list[str]:
    """What says why an ALLOW has not passed."""
    unjudged = decision.verdict is Verdict.ALLOW and not _is_judged(decision, about)
    return [*([DRY_RUN] if decision.dry_run else []), *([UNJUDGED] if unjudged else [])]


def _is_judged(decision: Decision, about: About) -> bool:
    """Whether an enforced control judges artifacts of that kind; those of statements, waivers and changes do not."""
    return about.kind is None or any(
        control.judged(about.kind)
        for control in decision.controls.values()
        if control.mode is Mode.ENFORCE and control.outcome is not Outcome.NOT_APPLICABLE
    )


def properties(decision: Decision, about: About) -> list[str]:
    """What passed, for statements that say so; nothing where obligation 1 forbids it."""
    if not has_passed(decision, about):
        return []
    passed = [f"GATE_{terminal(c.info.id)}" for c in with_outcome(decision, Outcome.PASS) if _is_about(c, about)]
    return [*_how(decision), *sorted(passed)]


def build_level(decision: Decision, about: About) -> str | None:
    """The level of SLSA's build track that was judged, in its word; `None` for none (obligation 4)."""
    control = decision.controls.get(_LEVEL_CONTROL)
    if control is None or control.outcome is not Outcome.PASS or not _is_about(control, about):
        return None
    return f"SLSA_BUILD_LEVEL_{about.level}" if about.level else None


def policy(decision: Decision) -> JsonObject:
    """The rules that were applied, as a resource descriptor. Its digest is `digests.rules`, which `reuse` compares."""
    digests = decision.digests
    return {
        "uri": f"urn:gate:profile:{_quoted(_text(decision.context, 'profile'))}",
        "digest": {"sha256": hex_of(digests.rules)},
        "annotations": {"policy": digests.policy, "configuration": digests.configuration, "trust": digests.trust},
    }


def inputs(decision: Decision) -> list[JsonObject]:
    """All attestations that the decision was made from, and those that it was refused for, as resource descriptors."""
    found = [
        _descriptor(item.evidence, item.origin, {"claim": item.claim, "status": "verified"})
        for item in decision.verified
    ]
    at_stake = (item for item in decision.rejected if item.concern is not Concern.OTHERS)
    found += [
        _descriptor(item.evidence, item.origin, {"code": item.code, "status": "rejected"})
        for item in sorted(at_stake, key=lambda item: (item.evidence, item.origin))
    ]
    return found


def extension(decision: Decision) -> JsonObject:
    """The decision in short: with the document that `digests.input` names it can be made again."""
    digests, context = decision.digests, decision.context
    return {
        "id": terminal(decision.id),
        "verdict": decision.verdict.value,
        "exit_code": decision.exit_code,
        "dry_run": decision.dry_run,
        "target": terminal(_text(context, "target")),
        "environment": terminal(_text(context, "environment")),
        "profile": terminal(_text(context, "profile")),
        "configuration_from": terminal(_text(context, "configuration_from")),
        "refused": _names(refused(decision)),
        "warned": _names(warned(decision)),
        "waived": _names(with_outcome(decision, Outcome.WAIVED)),
        "reused": _names(with_outcome(decision, Outcome.REUSED)),
        "waivers": [terminal(waiver.id) for waiver in decision.waivers if waiver.used],
        "digests": {
            "input": digests.input,
            "policy": digests.policy,
            "configuration": digests.configuration,
            "trust": digests.trust,
            "rules": digests.rules,
        },
    }


def versions(decision: Decision) -> JsonObject:
    """What verified, with its versions."""
    return {"gate": terminal(decision.gate_version), terminal(decision.engine): terminal(decision.engine_version)}


def _how(decision: Decision) -> list[str]:
    """Obligation 3."""
    blemishes = {
        "WARNINGS": bool(warned(decision)),
        "WAIVERS": bool(with_outcome(decision, Outcome.WAIVED)),
        "REUSE": bool(with_outcome(decision, Outcome.REUSED)),
        "OWN_CONFIGURATION": own_configuration(decision) is not None,
    }
    return [f"{PASSED}_WITH_{word}" for word, is_so in blemishes.items() if is_so] or [PASSED]


def _names(controls: Iterable[ControlDecision]) -> list[JsonValue]:
    return [terminal(name) for name in sorted(control.info.id for control in controls)]


def _is_about(control: ControlDecision, about: About) -> bool:
    """Whether a control judges artifacts of that kind, or no artifacts but a change, statements and the like."""
    return not control.info.artifacts or about.kind in control.info.artifacts


def _descriptor(evidence: Digest, origin: str, annotations: JsonObject) -> JsonObject:
    shown = {name: terminal(str(value)) for name, value in annotations.items()}
    return {"name": terminal(origin, _LIMIT), "digest": {"sha256": hex_of(evidence)}, "annotations": shown}


def _text(value: JsonValue, key: str) -> str:
    found = member(value, key)
    return found if isinstance(found, str) else ""


def _quoted(text: str) -> str:
    """A part of a URI; what UTF-8 cannot say is shown as it is escaped elsewhere."""
    return quote(terminal(text, _LIMIT), safe="")
