"""Whether what judges can say yes and no: asked before a policy is used, and again while it is (SECURITY 25).

Two images that nobody ever made are judged by the loaded policy and its engine, on the way that every check takes. The
bad one, of which nothing is known but that its tag can move, is judged by the whole profile. The good one, which is
pinned and signed, by those controls of the library that the profile asks for and that it meets: what other controls
want differs from profile to profile, so a yes of theirs could not be told from a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from gate.app.check import judge
from gate.app.gather import Counting, Gathered
from gate.app.workspace import Workspace
from gate.errors import PolicyError
from gate.evaluate.interface import Engine
from gate.model.admission import AdmissionFacts, ImageUse, ObjectKind, Operation, Role
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.change import ChangeSet, ChangeSource
from gate.model.control import Mode, Profile
from gate.model.decision import Decision, Verdict
from gate.model.digest import Digest
from gate.model.evidence import SignerIdentity, Statement, Subject, Verified, VerifiedSet
from gate.model.workload import broken

_NAME: Final = "self-test"
_MET: Final = frozenset({"artifact.pinned", "artifact.signed", "container.signed"})
"""Controls of the library that the good image meets, whatever their parameters."""
_IMAGE: Final = Digest("sha256:" + "1" * 64)
_STATEMENT: Final = Digest("sha256:" + "2" * 64)
_ENVELOPE: Final = Digest("sha256:" + "3" * 64)
_KEY: Final = Digest("sha256:" + "4" * 64)
_REFERENCE: Final = "registry.invalid/self-test"
_HINT: Final = "look at the profile and at controls of your own: `gate policy test`"


def self_test(workspace: Workspace, engine: Engine) -> None:
    """Raises `PolicyError` when a bad image is let in, or a good one is not. Nothing is recorded."""
    bad = _judged(workspace, engine, _bad())
    if bad.verdict is Verdict.ALLOW:
        raise PolicyError(
            f"self-test: profile {workspace.profile.name} lets in an image of which nothing is known", hint=_HINT
        )
    profile = workspace.profile
    met = sorted((_MET & profile.asked & workspace.bundle.catalogue.keys()) - {*workspace.bundle.own})
    if not met:
        return
    asked = Profile(profile.name, dict.fromkeys(met, Mode.ENFORCE), {})
    good = _judged(replace(workspace, profile=asked), engine, _good())
    if good.verdict is not Verdict.ALLOW:
        why = "; ".join(_violations(good)) or "no control passes"
        raise PolicyError(f"self-test: an image that is pinned and signed is refused: {why}", hint=_HINT)


def _judged(workspace: Workspace, engine: Engine, gathered: Gathered) -> Decision:
    nothing = replace(workspace.settings, artifacts={}, reports=(), manifests=(), signals=(), gates={})
    at = replace(workspace, settings=nothing, waivers={})
    return judge(at, engine=lambda *_: engine, is_recorded=False, gathering=partial(_gathered, gathered)).decision


def _gathered(gathered: Gathered, _workspace: Workspace, _progress: Counting) -> Gathered:
    return gathered


def _violations(decision: Decision) -> Iterator[str]:
    for control in decision.controls.values():
        yield from (f"{entry.violation.code}: {entry.violation.message}" for entry in control.violations)


def _bad() -> Gathered:
    artifact = Artifact(_NAME, ArtifactKind.CONTAINER, None, f"{_REFERENCE}:latest", True, None, None, {})
    return _case(artifact, VerifiedSet((), ()))


def _good() -> Gathered:
    reference = f"{_REFERENCE}@{_IMAGE}"
    artifact = Artifact(_NAME, ArtifactKind.CONTAINER, None, reference, False, None, _IMAGE, {})
    subject = Subject(_REFERENCE, _IMAGE)
    statement = Statement("artifact.signature", "", (subject,), (subject,), False, (), None, {}, {})
    signers = (SignerIdentity(_NAME, "key", _KEY),)
    return _case(artifact, VerifiedSet((Verified(_STATEMENT, _ENVELOPE, _NAME, statement, signers, (_NAME,)),), ()))


def _case(artifact: Artifact, evidence: VerifiedSet) -> Gathered:
    """A pod that runs one image. Nobody could read what else is in it."""
    place = "spec.containers[0].image"
    return Gathered(
        artifacts={artifact.name: artifact},
        change=ChangeSet(ChangeSource.EVERYTHING, None, None, None, None, False, {}, {}),
        evidence=evidence,
        scans=(),
        dependencies={},
        signals=(),
        workloads={_NAME: broken(_NAME, "it is a test")},
        admission=AdmissionFacts(
            operation=Operation.CREATE,
            kind=ObjectKind("", "v1", "Pod"),
            resource="pods",
            sub_resource="",
            namespace=_NAME,
            name=_NAME,
            dry_run=True,
            images={place: ImageUse(artifact.reference or "", Role.CONTAINER, artifact.name)},
        ),
    )
