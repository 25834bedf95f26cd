"""Cases for `decide` made by hand: results of controls, rejected evidence and waivers, without any engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gate.decide import Case
from gate.model.artifact import Artifact
from gate.model.change import ChangeSet
from gate.model.control import ControlInfo, ControlResult, Evaluation, Mode, Profile, Status, Violation
from gate.model.evidence import Concern, Rejected, Stage, VerifiedSet
from gate.model.policy import JudgingPolicy
from gate.model.waiver import Waiver
from tests.support.cases import change_of
from tests.support.evidence import NOW_S, digest_of, folder

MODEL: Artifact = folder("model", {"a.bin": "a", "config.json": "c"})


def info(name: str, *, waivable: bool = True, claims: tuple[str, ...] = ("eval",)) -> ControlInfo:
    return ControlInfo(name, "title", "description", "high", claims, (), (), waivable, "fix", {})


def violation(control: str, reason: str = "bad", artifact: str | None = None, file: str | None = None) -> Violation:
    return Violation(f"{control}.{reason}", "message", artifact, file, ())


def result(status: Status, *violations: Violation) -> ControlResult:
    return ControlResult(status, violations, (), "reason")


def rejected(stage: Stage, concern: Concern = Concern.AT_STAKE, name: str = "e") -> Rejected:
    return Rejected(digest_of(f"{name}{stage}"), "e.json", stage, f"{stage.value}.x", "detail", None, concern)


def case(
    results: Mapping[str, ControlResult],
    modes: Mapping[str, Mode] | None = None,
    *,
    refused: Sequence[Rejected] = (),
    waivers: Iterable[Waiver] = (),
    unwaivable: Iterable[str] = (),
    artifacts: Sequence[Artifact] = (MODEL,),
    change: ChangeSet | None = None,
    **more: Any,
) -> Case:
    """A case whose profile asks for exactly the controls that have results; `modes` defaults to enforce."""
    controls = modes if modes is not None else dict.fromkeys(results, Mode.ENFORCE)
    fixed = set(unwaivable)
    fields: dict[str, Any] = {
        "identity": "01TEST",
        "now_s": NOW_S,
        "evaluation": Evaluation(results, "scripted", "1", digest_of("policy"), digest_of("input")),
        "profile": Profile("p", controls, {}),
        "catalogue": {name: info(name, waivable=name not in fixed) for name in controls},
        "evidence": VerifiedSet((), tuple(refused)),
        "artifacts": {item.name: item for item in artifacts},
        "change": change or change_of(),
        "waivers": {item.id: item for item in waivers},
        "context": {"target": "deployment"},
        "configuration": digest_of("configuration"),
        "configuration_source": "worktree",
        "trust": digest_of("trust"),
        "policy": JudgingPolicy(),
        "gate_version": "0",
        "skipped": {},
        "rules": digest_of("rules"),
    }
    return Case(**(fields | more))
