"""From a complete evaluation to the verdict. Pure and total: no clock, no randomness, no input but its arguments.

The one place where ALLOW is made. It is reached only when every enforced control passed, is not applicable or is
waived or reused, at least one passed, and no rejected evidence is about what is at stake. `Decision` checks that again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.errors import PolicyError
from gate.formats.rfc3339 import format_time
from gate.model.admission import AdmissionFacts
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.build_level import build_level
from gate.model.change import ChangeSet
from gate.model.control import ControlInfo, ControlResult, Evaluation, Mode, Profile, Status, Violation
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
    outcome_of,
)
from gate.model.digest import Digest
from gate.model.evidence import Concern, Rejected, Verified, VerifiedSet
from gate.model.json import JsonObject
from gate.model.policy import JudgingPolicy
from gate.model.reuse import Summary
from gate.model.settings import BuilderSettings
from gate.model.waiver import Waiver, WaiverState

EXIT_ALLOW: Final = 0
EXIT_UNDECIDED: Final = 4
EXIT_MISSING: Final = 10
EXIT_REFUSED: Final = 13
PRECEDENCE: Final = (11, 12, 14, EXIT_MISSING, EXIT_REFUSED)
"""With several causes the exit code is the first of these (ARCHITECTURE 6)."""
_PINNED: Final = "artifact.pinned"
_CONTAINER: Final = ArtifactKind.CONTAINER
_HARMLESS: Final = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.WAIVED, Outcome.REUSED})


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a decision is made from.

    `identity` is its id, `now_s` its time in seconds since 1970; both come from outside so that this stays pure.
    """

    identity: str
    now_s: int
    evaluation: Evaluation
    profile: Profile
    catalogue: Mapping[str, ControlInfo]
    evidence: VerifiedSet
    artifacts: Mapping[str, Artifact]
    change: ChangeSet
    waivers: Mapping[str, Waiver]
    context: JsonObject
    configuration: Digest
    configuration_source: str
    trust: Digest
    policy: JudgingPolicy
    gate_version: str
    skipped: Mapping[str, str]
    rules: Digest
    reuse: tuple[Summary, ...] = ()
    builders: tuple[BuilderSettings, ...] = ()
    dry_run: bool = False
    admission: AdmissionFacts | None = None


def decide(case: Case) -> Decision:
    """The decision of a case; raises `PolicyError` when the evaluation is not of exactly the profile's controls."""
    if case.evaluation.results.keys() != case.profile.asked or not case.profile.asked:
        raise PolicyError("the evaluation is not of the controls that the profile asks for")
    if case.profile.asked - case.catalogue.keys():
        raise PolicyError("the profile asks for a control that the catalogue does not have")
    controls = {name: _control(name, result, case) for name, result in sorted(case.evaluation.results.items())}
    causes = _causes(controls, case.evidence.rejected)
    verdict, exit_code = _verdict(controls, causes)
    if case.admission is not None and case.admission.unread and not causes:
        verdict, exit_code = Verdict.ERROR, EXIT_UNDECIDED
    elif verdict is Verdict.ALLOW and not _judges_images(case, controls):
        verdict, exit_code = Verdict.DENY, EXIT_MISSING
    return Decision(
        id=case.identity,
        verdict=verdict,
        exit_code=exit_code,
        dry_run=case.dry_run,
        context={**case.context, "profile": case.profile.name, "configuration_from": case.configuration_source},
        subject=_subject(case),
        controls=controls,
        coverage=_coverage(case, controls),
        verified=tuple(_verified(item) for item in case.evidence.verified),
        rejected=case.evidence.rejected,
        waivers=tuple(_waiver_uses(case, controls)),
        skipped=case.skipped,
        causes=causes,
        digests=Digests(case.evaluation.input, case.evaluation.policy, case.configuration, case.trust, case.rules),
        policy=case.policy,
        engine=case.evaluation.engine,
        engine_version=case.evaluation.engine_version,
        gate_version=case.gate_version,
        decided_at=format_time(case.now_s),
        reuse=tuple(_reuse_uses(case, controls)),
        admission=_admitted(case, verdict),
    )


def _judges_images(case: Case, controls: Mapping[str, ControlDecision]) -> bool:
    """Whether an enforced control had a say about each kind of image that an API server asks for.

    A profile for other kinds would let in whatever nobody judged (SECURITY 39). That a mounted image has a digest says
    nothing about it: here every image has one.
    """
    said = {Outcome.PASS, Outcome.WAIVED, Outcome.REUSED}
    found = [item for item in controls.values() if item.mode is Mode.ENFORCE and item.outcome in said]
    kinds = () if case.admission is None else {image.role.kind for image in case.admission.images.values()}
    return all(
        any(item.judged(kind.value) for item in found if item.info.id != _PINNED or kind is _CONTAINER)
        for kind in kinds
    )


def _admitted(case: Case, verdict: Verdict) -> Admitted | None:
    """What is told to an API server, if one asks; it leaves the verdict alone."""
    facts = case.admission
    return None if facts is None else Admitted(facts, outcome_of(verdict, facts, dry_run=case.dry_run))


def _verdict(controls: Mapping[str, ControlDecision], causes: Sequence[int]) -> tuple[Verdict, int]:
    if causes:
        return Verdict.DENY, causes[0]
    enforced = [control.outcome for control in controls.values() if control.mode is Mode.ENFORCE]
    if Outcome.ERROR in enforced:
        return Verdict.ERROR, EXIT_UNDECIDED
    if Outcome.PASS in enforced and all(outcome in _HARMLESS for outcome in enforced):
        return Verdict.ALLOW, EXIT_ALLOW
    # Nothing was refused and nothing passed: nothing was judged, and that is no reason to let it through.
    return Verdict.DENY, EXIT_MISSING


def _causes(controls: Mapping[str, ControlDecision], rejected: Sequence[Rejected]) -> tuple[int, ...]:
    found = {item.stage.exit_code for item in rejected if item.concern is not Concern.OTHERS}
    for control in controls.values():
        if control.mode is Mode.ENFORCE and control.outcome is Outcome.FAIL:
            open_ones = [entry.violation for entry in control.violations if not entry.is_covered]
            missing = {violation.is_missing for violation in open_ones} or {False}
            found |= {EXIT_MISSING if is_missing else EXIT_REFUSED for is_missing in missing}
    return tuple(code for code in PRECEDENCE if code in found)


def _control(name: str, result: ControlResult, case: Case) -> ControlDecision:
    info = case.catalogue[name]
    violations = tuple(_decided(info, violation, case) for violation in result.violations)
    outcome = Outcome(result.status.value)
    if violations and result.status in {Status.PASS, Status.NOT_APPLICABLE}:
        outcome = Outcome.FAIL  # no accepted evaluation says both; if one did, the violation would count
    if violations and result.status is Status.FAIL and all(entry.is_covered for entry in violations):
        outcome = Outcome.WAIVED if any(entry.waiver is not None for entry in violations) else Outcome.REUSED
    judges = info.judges(case.profile.parameters.get(name, {}))
    mode = case.profile.controls[name]
    return ControlDecision(info, mode, outcome, violations, result.evidence, result.reason, judges)


def _decided(info: ControlInfo, violation: Violation, case: Case) -> DecidedViolation:
    """The violation with what covers it: a waiver, or else a summary by a verifier that is trusted for that."""
    waiver = _waiver_for(info, violation.code, violation.artifact, violation.file, case)
    covering = [item.statement for item in case.reuse if item.covers(info, violation)]
    reuse = min(covering) if covering and waiver is None else None
    return DecidedViolation(violation, waiver, reuse, next(_digests_of(violation.artifact, violation.file, case), None))


def _waiver_for(info: ControlInfo, code: str, artifact: str | None, file: str | None, case: Case) -> str | None:
    """The waiver that covers a violation: of its control, for its very digest, in force; the first by id."""
    if not info.waivable:
        return None
    digests = frozenset(_digests_of(artifact, file, case))
    for waiver in sorted(case.waivers.values(), key=lambda waiver: waiver.id):
        if (
            waiver.control == info.id
            and waiver.artifact in digests
            and waiver.finding in {None, code}
            and waiver.state(case.now_s) in {WaiverState.ACTIVE, WaiverState.EXPIRING}
        ):
            return waiver.id
    return None


def _digests_of(artifact: str | None, file: str | None, case: Case) -> Iterator[Digest]:
    """The digests that a violation is about: its file's first, when it names one, then its artifact's.

    With an artifact the file is one of its own; without one it is a changed file, which may have the same path.
    """
    found: list[Digest | None] = []
    if artifact is not None and artifact in case.artifacts:
        entry = case.artifacts[artifact]
        if file is not None and file in entry.files:
            found.append(entry.files[file].digest)
        found.append(entry.digest)
    changed = case.change.files.get(file) if artifact is None and file is not None else None
    if changed is not None and changed.new is not None:
        found.append(changed.new.digest)
    return (digest for digest in found if digest is not None)


def _waiver_uses(case: Case, controls: Mapping[str, ControlDecision]) -> Iterator[WaiverUse]:
    used = {entry.waiver for control in controls.values() for entry in control.violations}
    for waiver in sorted(case.waivers.values(), key=lambda waiver: waiver.id):
        info, state = case.catalogue.get(waiver.control), waiver.state(case.now_s)
        problem = None
        if info is None:
            problem = f"there is no control {waiver.control!r}"
        elif not info.waivable:
            problem = f"{waiver.control} cannot be waived"
        elif state is WaiverState.INVALID:
            problem = waiver.problem
        elif state in {WaiverState.PENDING, WaiverState.EXPIRED}:
            problem = f"the waiver is {state.value}"
        elif waiver.id not in used:
            problem = "the waiver is not used"
        yield WaiverUse(
            id=waiver.id,
            control=waiver.control,
            state=state,
            used=waiver.id in used,
            expires_s=waiver.expires_s,
            problem=problem,
            reason=waiver.reason,
            ticket=waiver.ticket,
            owner=waiver.owner,
            approver=waiver.approver,
            created_s=waiver.created_s,
        )


def _reuse_uses(case: Case, controls: Mapping[str, ControlDecision]) -> Iterator[ReuseUse]:
    used = {(entry.reuse, entry.violation.artifact) for item in controls.values() for entry in item.violations}
    for item in case.reuse:
        is_used = (item.statement, item.artifact) in used
        problems = item.problems or (() if is_used else tuple(_judged_here(item, controls)))
        yield ReuseUse(item.statement, item.verifier, item.artifact, item.controls, is_used, problems)


def _judged_here(item: Summary, controls: Mapping[str, ControlDecision]) -> Iterator[str]:
    """The controls for which a summary would stand if no evidence of their claims were here."""
    for name, control in controls.items():
        open_ones = (entry.violation for entry in control.violations if not entry.is_covered)
        if any(item.is_for(control.info, violation) for violation in open_ones):
            yield f"evidence that {name} reads is here, and what is here is judged here"


def _subject(case: Case) -> JsonObject:
    change = case.change
    return {
        "artifacts": {
            name: {
                "kind": artifact.kind.value,
                "digest": artifact.digest,
                "path": artifact.path,
                "reference": artifact.reference,
                "base": artifact.base,
                "bytes": artifact.bytes,
                "build_level": build_level(name, case.evidence.verified, case.builders),
            }
            for name, artifact in case.artifacts.items()
        },
        "change": {
            "status": change.source.value,
            "base": change.base,
            "merge_base": change.merge_base,
            "head": change.head,
            "tree": change.tree,
            "dirty": change.dirty,
        },
    }


def _coverage(case: Case, controls: Mapping[str, ControlDecision]) -> JsonObject:
    covered = {name for item in case.evidence.verified for name in item.artifacts}
    claims: dict[str, int] = {}
    for item in case.evidence.verified:
        claims[item.statement.claim] = claims.get(item.statement.claim, 0) + 1
    outcomes = [control.outcome for control in controls.values()]
    return {
        "artifacts": {"total": len(case.artifacts), "with_verified_evidence": len(covered & case.artifacts.keys())},
        "files": {
            "changed": len(case.change.files),
            "in_artifacts": sum(len(a.files) for a in case.artifacts.values()),
        },
        "claims": dict(sorted(claims.items())),
        "controls": {
            "total": len(case.profile.controls),
            "evaluated": len(outcomes),
            **{outcome.value: outcomes.count(outcome) for outcome in Outcome},
        },
    }


def _verified(item: Verified) -> VerifiedItem:
    return VerifiedItem(
        payload=item.payload,
        evidence=item.evidence,
        origin=item.origin,
        claim=item.statement.claim,
        artifacts=item.artifacts,
        signers=item.signers,
        stated_at_s=item.statement.stated_at_s,
        subjects={subject.name: subject.digest for subject in item.statement.resources if subject.digest is not None},
        predicate_type=item.statement.predicate_type,
        signed_at_s=item.signed_at_s,
        time_source=item.time_source,
        log_included=item.log_included,
        depends_on=tuple(sorted(item.statement.depends_on)),
    )
