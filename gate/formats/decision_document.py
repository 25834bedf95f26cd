"""A saved decision read back whole (`urn:gate:decision:v1`, DOCUMENTS 4).

What was written is what is read: rendered again it gives the same document. Nothing says that a file was not edited:
a decision that allows without reason is refused all the same, as `Decision` refuses it whoever makes it.
"""

from __future__ import annotations

from typing import Final

from gate.formats import schema
from gate.formats.checked import Checked
from gate.formats.input_document import admission_of, rejected_of, signer_of
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.admission import Cause
from gate.model.control import ControlInfo, FrameworkReference, Mode, Violation
from gate.model.decision import (
    Admitted,
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
from gate.model.evidence import TimeSource
from gate.model.json import JsonValue
from gate.model.policy import JudgingPolicy, PolicyOrigin
from gate.model.waiver import WaiverState

MAX_BYTES: Final = 64 << 20


class DecisionFormatError(ValueError):
    """The document is no decision."""


def load_decision(data: bytes, *, limit: int = MAX_BYTES) -> Decision:
    """The decision in some bytes; raises `DecisionFormatError`."""
    try:
        return read_decision(loads_object(data, limit=limit))
    except StrictJsonError as error:
        raise DecisionFormatError(f"no JSON: {error}") from None


def read_decision(value: JsonValue) -> Decision:
    """The decision in a document; raises `DecisionFormatError`."""
    problem = schema.problem("decision.json", value)
    if problem is not None:
        raise DecisionFormatError(f"it does not fit its schema: {problem}")
    try:
        return _decision(Checked(value))
    except ValueError as error:
        raise DecisionFormatError(str(error)) from None


def _decision(root: Checked) -> Decision:
    evidence, digests, policy, engine = (root.object(key) for key in ("evidence", "digests", "policy", "engine"))
    return Decision(
        id=root.text("id"),
        verdict=Verdict(root.text("verdict")),
        exit_code=root.number("exit_code"),
        dry_run=root.flag("dry_run"),
        context=root.object("context").value,
        subject=root.object("subject").value,
        controls={name: _control(name, item) for name, item in root.members("controls")},
        coverage=root.object("coverage").value,
        verified=tuple(map(_verified, evidence.objects("verified"))),
        rejected=tuple(rejected_of(item.digest("evidence"), item) for item in evidence.objects("rejected")),
        waivers=tuple(map(_waiver, root.objects("waivers"))),
        skipped=root.texts_by_name("skipped"),
        causes=root.numbers("causes"),
        digests=Digests(*(digests.digest(key) for key in ("input", "policy", "configuration", "trust", "rules"))),
        policy=JudgingPolicy(
            PolicyOrigin(policy.text("origin")),
            policy.maybe_number("serial"),
            policy.texts("own"),
            policy.texts("replaced"),
        ),
        engine=engine.text("name"),
        engine_version=engine.text("version"),
        gate_version=root.text("gate_version"),
        decided_at=root.text("decided_at"),
        reuse=tuple(map(_reuse, root.objects("reuse"))),
        admission=_admitted(root.object("admission")) if root.has("admission") else None,
    )


def _admitted(item: Checked) -> Admitted:
    return Admitted(admission_of(item), Cause(item.text("outcome")))


def _control(name: str, item: Checked) -> ControlDecision:
    relations, frameworks = item.texts_by_name("relations"), item.object("frameworks")
    info = ControlInfo(
        id=name,
        title=item.text("title"),
        description=item.text("description"),
        severity=item.text("severity"),
        claims=item.texts("claims"),
        artifacts=item.texts("artifacts"),
        targets=item.texts("targets"),
        waivable=item.flag("waivable"),
        fix=item.text("fix"),
        frameworks={
            framework: FrameworkReference(relations.get(framework, ""), frameworks.texts(framework))
            for framework in frameworks.value
        },
    )
    return ControlDecision(
        info,
        Mode(item.text("mode")),
        Outcome(item.text("status")),
        tuple(map(_violation, item.objects("violations"))),
        item.digests("evidence"),
        item.maybe_text("reason"),
        item.texts("judges") if "judges" in item.value else None,
    )


def _violation(item: Checked) -> DecidedViolation:
    violation = Violation(
        item.text("code"),
        item.text("message"),
        item.maybe_text("artifact"),
        item.maybe_text("file"),
        item.digests("evidence"),
    )
    return DecidedViolation(
        violation, item.maybe_text("waiver"), item.maybe_digest("reuse"), item.maybe_digest("digest")
    )


def _verified(item: Checked) -> VerifiedItem:
    signed_at = item.object("signed_at")
    return VerifiedItem(
        payload=item.digest("payload"),
        evidence=item.digest("evidence"),
        origin=item.text("origin"),
        claim=item.text("claim"),
        artifacts=item.texts("artifacts"),
        signers=tuple(map(signer_of, item.objects("signers"))),
        stated_at_s=item.maybe_number("stated_at_s"),
        subjects=item.digests_by_name("subjects"),
        predicate_type=item.text("predicate_type"),
        signed_at_s=signed_at.maybe_number("at_s"),
        time_source=TimeSource(signed_at.text("source")),
        log_included=item.object("log").flag("included"),
        depends_on=item.digests("depends_on"),
    )


def _waiver(item: Checked) -> WaiverUse:
    return WaiverUse(
        id=item.text("id"),
        control=item.text("control"),
        state=WaiverState(item.text("state")),
        used=item.flag("used"),
        expires_s=item.number("expires_s"),
        problem=item.maybe_text("problem"),
        reason=item.text("reason"),
        ticket=item.text("ticket"),
        owner=item.text("owner"),
        approver=item.text("approver"),
        created_s=item.number("created_s"),
    )


def _reuse(item: Checked) -> ReuseUse:
    return ReuseUse(
        statement=item.digest("statement"),
        verifier=item.maybe_text("verifier"),
        artifact=item.text("artifact"),
        controls=item.texts("controls"),
        used=item.flag("used"),
        problems=item.texts("problems"),
    )
