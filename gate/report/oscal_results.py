"""A decision as OSCAL assessment results: what was looked at, what was found, and what is open or accepted.

Each control of the gate is one objective with one observation; each violation is an observation of its own. A control
that does not apply gets no finding. One that is waived or stood for stays `not-satisfied`: where somebody accepted the
risk, the risk says who and until when; where a summary of a trusted verifier stands for evidence, it stays open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.canonical_json import pretty
from gate.model.control import Violation
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome, WaiverUse
from gate.model.evidence import Rejected
from gate.model.json import JsonObject, JsonValue
from gate.report.oscal import NOTE, filled, identity, metadata, moment, plain, prop, prose, resource, texts, token
from gate.report.summary import dry_run_words, member, refused, tally, warned, with_outcome

_REASONS: Final = {Outcome.PASS: "pass", Outcome.FAIL: "fail"}
_ORIGIN: Final = "gate"


def render_oscal_results(decision: Decision) -> str:
    """The document, indented, in printable ASCII."""
    return pretty(_Results.of(decision).document()) + "\n"


def verdict_props(decision: Decision) -> list[JsonObject]:
    """The verdict and the controls that made it, as properties."""
    found = [
        prop("decision", decision.id),
        prop("verdict", decision.verdict.value),
        prop("exit-code", str(decision.exit_code)),
        prop("dry-run", str(decision.dry_run).lower(), remarks=dry_run_words(decision) or ""),
    ]
    found += [prop("refused", control.info.id) for control in refused(decision)]
    found += [prop("warned", control.info.id) for control in warned(decision)]
    found += [prop("waived", control.info.id) for control in with_outcome(decision, Outcome.WAIVED)]
    return found


@dataclass(frozen=True, slots=True)
class _Results:
    """One decision. `resources` are the back matter's UUIDs by digest, payload or envelope alike."""

    decision: Decision
    resources: Mapping[str, str]

    @classmethod
    def of(cls, decision: Decision) -> _Results:
        found: dict[str, str] = {i.evidence: identity(decision.id, "rejected", i.evidence) for i in decision.rejected}
        for item in decision.verified:
            found[item.evidence] = found[item.payload] = identity(decision.id, "evidence", item.evidence)
        return cls(decision, found)

    def document(self) -> JsonObject:
        decision = self.decision
        return {
            "assessment-results": {
                "uuid": self.key("document"),
                "metadata": metadata(
                    f"Decision of gate about {decision.context.get('target')}",
                    decision.decided_at,
                    decision.id,
                    verdict_props(decision),
                ),
                "import-ap": {"href": f"#{self.key('rules')}", "remarks": "The rules that were applied are the plan."},
                "results": [self.result()],
                "back-matter": {"resources": list[JsonValue](self.back_matter())},
            }
        }

    @property
    def at(self) -> str:
        """When it was decided."""
        return plain(self.decision.decided_at)

    def key(self, *parts: str) -> str:
        return identity(self.decision.id, *parts)

    def result(self) -> JsonObject:
        decision = self.decision
        controls = decision.controls.values()
        return filled(
            uuid=self.key("result"),
            title=prose(f"Decision {decision.id}"),
            description=prose(tally(decision)),
            start=self.at,
            end=self.at,
            props=[
                *(prop(name, str(value)) for name, value in sorted(decision.context.items())),
                *(prop("not-checked", name, remarks=why) for name, why in sorted(decision.skipped.items())),
            ],
            local_definitions={"components": list[JsonValue](self.components())},
            reviewed_controls=self.reviewed(),
            observations=[*self.observations()],
            risks=[self.risk(control) for control in controls if control.violations],
            findings=[self.finding(c) for c in controls if c.outcome is not Outcome.NOT_APPLICABLE],
            remarks=NOTE,
        )

    def components(self) -> Iterator[JsonObject]:
        decision = self.decision
        yield {
            "uuid": self.key(_ORIGIN),
            "type": "validation",
            "title": "gate",
            "description": "The promotion gate that decided.",
            "props": [
                prop("version", decision.gate_version),
                prop("engine", f"{decision.engine} {decision.engine_version}"),
            ],
            "status": {"state": "operational"},
        }
        for name, artifact in self.artifacts().items():
            told = ((key, member(artifact, key)) for key in ("kind", "digest", "path", "reference", "base"))
            yield {
                "uuid": self.key("artifact", name),
                "type": plain(str(member(artifact, "kind"))),
                "title": prose(name),
                "description": "An artifact that asks for admission.",
                "props": [prop(key, value) for key, value in told if isinstance(value, str)],
                "status": {"state": "other", "remarks": "The gate judges whether it is admitted."},
            }

    def artifacts(self) -> Mapping[str, JsonValue]:
        return texts(member(self.decision.subject, "artifacts"))

    def reviewed(self) -> JsonObject:
        selected: list[JsonValue] = [{"control-id": token(name)} for name in self.decision.controls]
        about = "The controls of the gate that its profile asks for; they are no controls of a framework."
        which: JsonObject = {"include-controls": selected} if selected else {"include-all": {}}
        return {"control-selections": [{"description": about, **which}]}

    def observations(self) -> Iterator[JsonObject]:
        for name, control in self.decision.controls.items():
            yield self.observed(control)
            for place, entry in enumerate(control.violations):
                yield self.violated(name, place, entry)
        for item in self.decision.rejected:
            yield self.rejected(item)

    def observed(self, control: ControlDecision) -> JsonObject:
        info = control.info
        return filled(
            uuid=self.key("control", info.id),
            title=prose(f"{info.id}: {info.title}"),
            description=prose(info.description),
            props=[
                prop("status", control.outcome.value),
                prop("mode", control.mode.value),
                prop("severity", info.severity),
                *(prop("claim", claim) for claim in info.claims),
                *(
                    prop("requirement", requirement, group=framework, remarks=reference.relation)
                    for framework, reference in info.frameworks.items()
                    for requirement in reference.ids
                ),
            ],
            methods=["TEST"],
            types=["control-objective"],
            origins=self.origins(),
            subjects=[
                self.subject(name)
                for name, artifact in self.artifacts().items()
                if member(artifact, "kind") in info.artifacts
            ],
            relevant_evidence=[self.evidence(digest) for digest in control.evidence],
            collected=self.at,
            remarks=prose(control.reason) if control.reason else None,
        )

    def violated(self, control: str, place: int, entry: DecidedViolation) -> JsonObject:
        violation = entry.violation
        told = {
            "code": violation.code,
            "artifact": violation.artifact,
            "file": violation.file,
            "digest": entry.digest,
            "waiver": entry.waiver,
            "reuse": entry.reuse,
        }
        return filled(
            uuid=self.key("violation", control, str(place)),
            title=prose(violation.code),
            description=prose(violation.message),
            props=[prop(name, value) for name, value in told.items() if value is not None],
            methods=["TEST"],
            types=["finding"],
            origins=self.origins(),
            subjects=self.subjects(violation),
            relevant_evidence=[self.evidence(digest) for digest in violation.evidence],
            collected=self.at,
        )

    def rejected(self, item: Rejected) -> JsonObject:
        told = {"code": item.code, "stage": item.stage.value, "concern": item.concern.value, "claimed": item.claimed}
        return filled(
            uuid=self.key("rejection", item.evidence, item.origin),
            title="Evidence that does not count",
            description=prose(item.detail),
            props=[prop(name, value) for name, value in told.items() if value is not None],
            methods=["EXAMINE"],
            types=["finding"],
            origins=self.origins(),
            subjects=[self.subject(name) for name in item.artifacts if name in self.artifacts()],
            relevant_evidence=[self.evidence(item.evidence)],
            collected=self.at,
        )

    def finding(self, control: ControlDecision) -> JsonObject:
        info, seen = control.info, [self.key("control", control.info.id)]
        seen += [self.key("violation", info.id, str(place)) for place, _ in enumerate(control.violations)]
        passed = control.outcome is Outcome.PASS
        return filled(
            uuid=self.key("finding", info.id),
            title=prose(f"{info.id}: {control.outcome.value}"),
            description=prose(info.title),
            origins=self.origins(),
            target={
                "type": "objective-id",
                "target-id": token(info.id),
                "status": {
                    "state": "satisfied" if passed else "not-satisfied",
                    "reason": _REASONS.get(control.outcome, "other"),
                    "remarks": "The status of this control of the gate in this decision, and no more than that.",
                },
            },
            related_observations=[{"observation-uuid": key} for key in seen],
            related_risks=[{"risk-uuid": self.key("risk", info.id)}] if control.violations else [],
        )

    def risk(self, control: ControlDecision) -> JsonObject:
        info = control.info
        accepted = all(entry.waiver is not None for entry in control.violations)
        count = len(control.violations)
        used = {entry.waiver for entry in control.violations}
        waivers = [waiver for waiver in self.decision.waivers if waiver.id in used]
        return filled(
            uuid=self.key("risk", info.id),
            title=prose(info.title),
            description=prose(info.description),
            statement=prose(f"Control {info.id} found {count} violation{'' if count == 1 else 's'}."),
            props=[prop("severity", info.severity), prop("mode", control.mode.value)],
            status="deviation-approved" if accepted else "open",
            origins=self.origins(),
            mitigating_factors=[*self.accepted(info.id, waivers), *self.stood_for(control)],
            deadline=moment(min((waiver.expires_s for waiver in waivers), default=-(1 << 62))),
            remediations=[
                {
                    "uuid": self.key("fix", info.id),
                    "lifecycle": "recommendation",
                    "title": "What to do",
                    "description": prose(info.fix),
                }
            ],
            related_observations=[
                {"observation-uuid": self.key("violation", info.id, str(place))} for place in range(count)
            ],
        )

    def accepted(self, control: str, waivers: Sequence[WaiverUse]) -> Iterator[JsonValue]:
        for waiver in waivers:
            told = {"waiver": waiver.id, "ticket": waiver.ticket, "owner": waiver.owner, "approver": waiver.approver}
            yield {
                "uuid": self.key("waiver", control, waiver.id),
                "description": prose(waiver.reason or f"Waiver {waiver.id} accepts it."),
                "props": [prop(name, value) for name, value in told.items()],
            }

    def stood_for(self, control: ControlDecision) -> Iterator[JsonValue]:
        for summary in sorted({entry.reuse for entry in control.violations if entry.reuse is not None}):
            yield {
                "uuid": self.key("reuse", control.info.id, summary),
                "description": "A summary of a trusted verifier stands for evidence that is missing.",
                "props": [prop("reuse", summary)],
            }

    def origins(self) -> list[JsonValue]:
        return [{"actors": [{"type": "tool", "actor-uuid": self.key(_ORIGIN)}]}]

    def subject(self, artifact: str) -> JsonValue:
        return {"subject-uuid": self.key("artifact", artifact), "type": "component", "title": prose(artifact)}

    def subjects(self, violation: Violation) -> list[JsonValue]:
        known = violation.artifact is not None and violation.artifact in self.artifacts()
        return [self.subject(violation.artifact or "")] if known else []

    def evidence(self, digest: str) -> JsonValue:
        known = self.resources.get(digest)
        return filled(href=None if known is None else f"#{known}", description=prose(digest))

    def back_matter(self) -> Iterator[JsonObject]:
        decision, digests = self.decision, self.decision.digests
        rules = {"rules": digests.rules, "policy": digests.policy, "trust": digests.trust}
        rules |= {"configuration": digests.configuration}
        yield resource(self.key("rules"), "The rules that were applied", [prop(*told) for told in rules.items()])
        yield resource(self.key("input"), "The document that was judged", [], digests.input)
        for item in decision.verified:
            props = [prop("claim", item.claim), prop("payload", item.payload), prop("status", "verified")]
            props += [prop("signer", signer.name) for signer in item.signers]
            yield resource(self.resources[item.evidence], item.origin, props, item.evidence, item.origin)
        verified = {item.evidence for item in decision.verified}
        refused_ones = {item.evidence: item for item in decision.rejected if item.evidence not in verified}
        for evidence, bad in refused_ones.items():
            props = [prop("status", "rejected"), prop("code", bad.code)]
            yield resource(self.resources[evidence], bad.origin, props, evidence, bad.origin)
