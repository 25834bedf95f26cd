"""`gate audit`: whether what runs in a cluster would be let in now, by the same use case as the webhook's.

Each object of a listing is judged as if it was to be made. Nothing is recorded and nobody is answered: what is refused
runs on until somebody acts. What could not be judged is told, and is no yes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from gate.app.admission_answer import refusing_controls
from gate.app.admission_held import Held
from gate.app.admission_judge import Judgement, judge_object
from gate.app.admission_judge import State as Judging
from gate.app.admit import reasons
from gate.app.gather import Counting
from gate.app.wall_clock import WallClock
from gate.app.workspace import Request
from gate.formats.rfc3339 import format_time
from gate.formats.workloads.fields import Fields
from gate.formats.workloads.kinds import carries_none
from gate.formats.workloads.listing import Listed, Unlisted
from gate.formats.workloads.reviewed import read_reviewed, resource_of
from gate.model.admission import Cause, ObjectKind, Operation, Review, Reviewed
from gate.model.admission_settings import AdmissionMode, AdmissionSettings
from gate.model.audit import Audit, AuditedImage, AuditedObject, AuditProblem, AuditReason, Ground, Standing
from gate.model.control import Mode
from gate.model.decision import Decision, Verdict
from gate.model.digest import Digest, parse_digest
from gate.model.evidence import Concern
from gate.model.waiver import WaiverState

OBJECT_S: Final = 60.0
"""How long registries may take for one object: nobody waits for an answer."""
_JOBS: Final = 8
_REFUSES: Final = frozenset({Cause.REFERENCE})
"""Causes without a decision that refuse for what the object says; the others say what could not be found out."""
_REVOKED: Final = frozenset({"revoked", "revoked_evidence"})
_EXPIRED: Final = frozenset({"expired", "stale"})
_STATUSES: Final = {
    "containers": "containerStatuses",
    "initContainers": "initContainerStatuses",
    "ephemeralContainers": "ephemeralContainerStatuses",
}
"""Where a pod tells what its containers run."""
_SHOWN: Final = 200
_POLICY_KIND: Final = ("networking.k8s.io", "NetworkPolicy")
Source = Callable[[AdmissionSettings], Iterable[Listed | Unlisted]]
"""Gives the objects that run; a cluster is asked for the kinds that are judged there."""


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Those whose objects are judged: `only` those, or all where none is named, and none that is `excluded`."""

    only: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def hold(self, namespace: str | None) -> bool:
        """Whether one of them is that."""
        return namespace not in self.excluded and (not self.only or namespace in self.only)


@dataclass(frozen=True, slots=True)
class AuditAsked:
    """What to audit: where it is from, for people, how it is listed, and in which namespaces."""

    name: str
    listing: Source
    namespaces: Namespaces = field(default_factory=Namespaces)


def audit(request: Request, asked: AuditAsked, progress: Counting) -> Audit:
    """What the objects that run would be answered now; raises a `GateError` where nothing can be judged at all."""
    began = time.monotonic()
    clock = WallClock(lambda: request.now_s + time.monotonic() - began)
    held = Held(request, clock=clock, settle_s=0)
    try:
        state = held.current()
        listed = list(asked.listing(state.admission))
        # As if everything was enforced, and without a log: what a dry run lets in is refused all the same.
        enforced = replace(state, admission=replace(state.admission, mode=AdmissionMode.ENFORCE), recorder=None)
        objects, problems, left_out = audited(enforced, listed, asked.namespaces, progress)
        return Audit(
            source=asked.name,
            at_s=request.now_s,
            mode=state.admission.mode.value,
            profile=state.profile.name,
            policy=state.bundle.digest,
            objects=objects,
            problems=problems,
            left_out=left_out,
        )
    finally:
        held.close()


def audited(
    state: Judging, listed: Collection[Listed | Unlisted], namespaces: Namespaces, progress: Counting
) -> tuple[tuple[AuditedObject, ...], tuple[AuditProblem, ...], int]:
    """The objects in the order of the listing, what is wrong with that, and how many are in other namespaces."""
    problems = tuple(AuditProblem(item.place, item.problem) for item in listed if isinstance(item, Unlisted))
    found = [item for item in listed if isinstance(item, Listed)]
    wanted = [item for item in found if namespaces.hold(item.namespace)]
    if missing := namespaces.only - {item.namespace for item in wanted}:
        problems += (AuditProblem("", f"it lists nothing in {', '.join(sorted(missing))}"),)
    elif found and not wanted:
        problems += (AuditProblem("", "all that it lists is in namespaces that are left out, so nothing was judged"),)
    jobs = max(1, min(_JOBS, state.admission.limits.concurrent))
    with progress("judging what runs", len(wanted)) as tell, ThreadPoolExecutor(jobs) as pool:
        objects = []
        for item in pool.map(lambda item: _audited(state, item), wanted):
            objects.append(item)
            if tell is not None:
                tell(1)
    if not problems and all(item.standing is Standing.EMPTY for item in objects):
        problems = (AuditProblem("", "nothing that it lists brings an image, so nothing was judged"),)
    return tuple(objects), problems, len(found) - len(wanted)


def _audited(state: Judging, item: Listed) -> AuditedObject:
    """What became of one object; a bug is told of that one alone, and is no yes."""
    resource = _resource(state.admission, item.kind)
    if resource is None:
        return AuditedObject(item.place, item.kind, item.namespace, item.name, Standing.EMPTY)
    try:
        return _judged(state, item, resource)
    except Exception as error:  # noqa: BLE001 - the others are still to be judged
        message = f"a bug in the gate: {type(error).__name__}"
        standing = Standing.UNJUDGED
        return AuditedObject(item.place, item.kind, item.namespace, item.name, standing, Cause.BUG, message)


def _judged(state: Judging, item: Listed, resource: str) -> AuditedObject:
    review = Review(
        uid=item.place,
        kind=item.kind,
        resource=resource,
        sub_resource="",
        operation=Operation.CREATE,
        namespace=item.namespace,
        name=item.name,
        user="",
        groups=(),
        dry_run=False,
        object=item.object,
    )
    reviewed = read_reviewed(review, state.admission.places, state.admission.limits.images)
    judged = judge_object(state, review, reviewed, time.monotonic() + OBJECT_S, is_recorded=False)
    decision, answer = judged.decision, judged.answer
    standing = _standing(judged)
    moved = _moved(item, decision) if standing in {Standing.ALLOWED, Standing.EXCUSED} else ""
    if moved:
        return AuditedObject(
            place=item.place,
            kind=item.kind,
            namespace=item.namespace,
            name=item.name,
            standing=Standing.UNJUDGED,
            cause=Cause.REFERENCE,
            message=moved,
            images=_images(reviewed, decision),
            notes=answer.warnings,
        )
    told = standing in {Standing.REFUSED, Standing.UNJUDGED}
    return AuditedObject(
        place=item.place,
        kind=item.kind,
        namespace=item.namespace,
        name=item.name,
        standing=standing,
        cause=Cause.BREAK_GLASS if standing is Standing.EXCUSED else answer.cause,
        message=answer.message if told else _excuse(decision),
        images=_images(reviewed, decision),
        grounds=_grounds(decision, state.now_s()) if standing is Standing.REFUSED else (),
        reasons=_reasons(decision) if told and decision is not None else (),
        decision=None if decision is None else decision.id,
        notes=answer.warnings,
    )


def _standing(judged: Judgement) -> Standing:
    """By the decision, where there is one: an answer may refuse only because nothing is recorded."""
    decision, cause = judged.decision, judged.answer.cause
    if decision is None or decision.admission is None:
        return Standing.REFUSED if cause in _REFUSES else Standing.UNJUDGED
    if decision.verdict is Verdict.ALLOW and cause is Cause.ALLOWED:
        return Standing.ALLOWED
    if decision.verdict is Verdict.DENY and decision.admission.outcome is Cause.BREAK_GLASS:
        return Standing.EXCUSED
    return Standing.REFUSED if decision.verdict is Verdict.DENY else Standing.UNJUDGED


def _moved(item: Listed, decision: Decision | None) -> str:
    """What containers run instead of what was judged, as the cluster tells it: a tag may name another image by now.

    Where a digest names the image, whoever runs it has checked that.
    """
    used = decision.admission.facts.images if decision is not None and decision.admission is not None else {}
    pod = Fields(item.object, "", [])
    found = []
    for name, told in _STATUSES.items():
        running = {status.text("name"): status.text("imageID") for status in pod.part("status").parts(told)}
        for container in pod.part("spec").parts(name):
            use, image = used.get(f"{container.place}.image"), running.get(container.text("name"))
            if use is None or not image or _digest(use.reference) is not None:
                continue
            digest = _digest(use.artifact)
            if not image.endswith(f"@{digest}"):
                found.append(f"{container.place} runs {image[:_SHOWN]}, and its tag is {digest} now, which was judged")
    return "; ".join(found)


def _grounds(decision: Decision | None, now_s: int) -> tuple[Ground, ...]:
    found = set(_run_out(decision, now_s)) if decision is not None else set[Ground]()
    return tuple(ground for ground in Ground if ground in found) or (Ground.MISSED,)


def _run_out(decision: Decision, now_s: int) -> Iterator[Ground]:
    """What the object rested on once and does not any more, as far as the decision shows it."""
    for item in decision.rejected:
        if item.concern is Concern.AT_STAKE:
            words = {code.rpartition(".")[2] for code in (item.code, *(failure.code for failure in item.also))}
            yield from (Ground.REVOKED,) if words & _REVOKED else ()
            yield from (Ground.EXPIRED,) if words & _EXPIRED else ()
    for control in decision.controls.values():
        codes = {entry.violation.code.rpartition(".")[2] for entry in control.violations if not entry.is_covered}
        yield from (Ground.EXPIRED,) if control.mode is Mode.ENFORCE and codes & _EXPIRED else ()
    refusing = set(refusing_controls(decision))
    if any(waiver.state is WaiverState.EXPIRED and waiver.control in refusing for waiver in decision.waivers):
        yield Ground.EXPIRED
    glass = decision.admission.facts.break_glass if decision.admission is not None else None
    if glass is not None and glass.expires_s is not None and glass.expires_s <= now_s:
        yield Ground.EXPIRED


def _reasons(decision: Decision) -> tuple[AuditReason, ...]:
    return tuple(
        AuditReason(item.code, item.message, item.control, item.artifact, item.fix) for item in reasons(decision)
    )


def _excuse(decision: Decision | None) -> str:
    """The exception that excuses a refusal, or nothing."""
    glass = decision.admission.facts.break_glass if decision is not None and decision.admission is not None else None
    if glass is None or not glass.holds:
        return ""
    until = "" if glass.expires_s is None else f" until {format_time(glass.expires_s)}"
    return f"{glass.ticket} of {', '.join(glass.signers)}{until}: {glass.reason}"


def _images(reviewed: Reviewed, decision: Decision | None) -> tuple[AuditedImage, ...]:
    """The images with the digests that were judged; a tag that was looked up has one in the decision alone."""
    used = decision.admission.facts.images if decision is not None and decision.admission is not None else {}
    names = {place: image.artifact for place, image in used.items()}
    return tuple(
        AuditedImage(item.place, item.reference, item.role, _digest(names.get(item.place, item.reference)))
        for item in reviewed.asked
    )


def _digest(reference: str) -> Digest | None:
    """The digest in a reference, or in the name of an artifact: that may have its kind behind it, and lack secrets."""
    return parse_digest(reference.rpartition("@")[2].partition(" ")[0])


def _resource(admission: AdmissionSettings, kind: ObjectKind) -> str | None:
    """The resource that is judged for objects of a kind; `None` for those that bring no image."""
    configured = next((item.resource for item in admission.places if item.kind == kind), None)
    if configured is not None:
        return configured
    is_empty = carries_none(kind.group, kind.kind) or (kind.group, kind.kind) == _POLICY_KIND
    return None if is_empty else resource_of(kind)
