"""A webhook judges an image as `gate check` judges it as a configured artifact: each scenario of images through both.

What a webhook does not see is taken from the check too: the change, reports and signals of a repository, and network
policies, which are objects of their own.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import pytest
import yaml

from gate.app.admission_held import Held
from gate.app.admission_held import State as HeldState
from gate.app.admission_judge import Judgement, State, judge_review
from gate.app.check import judge
from gate.app.scenario_lay import lay
from gate.app.workspace import Request, open_workspace
from gate.collect.directory import read_evidence
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.formats.scenario import read_scenario
from gate.formats.workloads.reviewed import resource_of
from gate.model.admission import Cause, ObjectKind, Operation, Review
from gate.model.decision import Decision, Outcome, Verdict
from gate.model.digest import Digest
from gate.model.settings import EngineSettings, Limits
from tests.support.admission import FakeRegistries
from tests.support.cases import embedded

FOLDER: Final = Path(__file__).resolve().parents[2] / "fixtures/scenarios"
REGISTRY: Final = "registry.example"
SECTION: Final = f"admission:\n  registries:\n    {REGISTRY}: {{}}\n"
ATTESTATIONS: Final = ".gate/attestations"
ORIGIN: Final = re.compile(r"\.gate/attestations/[\w.-]+|registry\.example/[\w./@:-]+#\d+")


def image_scenarios() -> Iterator[str]:
    """The scenarios that ask for images alone."""
    for path in sorted(FOLDER.glob("*/*/base/gate.yaml")):
        artifacts = yaml.safe_load(path.read_bytes()).get("artifacts") or {}
        if artifacts and all("image" in item for item in artifacts.values()):
            yield path.parents[1].relative_to(FOLDER).as_posix()


NAMES: Final = tuple(image_scenarios())


class Stopped:
    """A clock that stands still."""

    def __init__(self, now_s: int) -> None:
        self._now_s = now_s

    def now_s(self, _recorded_s: int | None = None) -> int:
        return self._now_s


def engine(_settings: EngineSettings, _bundle: PolicyBundle) -> Engine:
    return embedded()


def laid(name: str, root: Path) -> Request:
    """The scenario as a repository, with a webhook configured in its work tree."""
    top = FOLDER / name
    files = {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
    scenario = read_scenario(name, files["scenario.json"])
    lay(scenario, files, root)
    config = root / "gate.yaml"
    config.write_text(config.read_text() + SECTION)
    return Request(root, root, "gate.yaml", None, config_from_worktree=True, now_s=scenario.now_s)


def checked(request: Request) -> Decision:
    """The decision of a check of the images and manifests alone."""
    workspace = open_workspace(request)
    settings = dataclasses.replace(workspace.settings, reports=(), signals=(), gates={})
    return judge(dataclasses.replace(workspace, settings=settings), engine=engine).decision


def objects(root: Path, images: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the manifests ask for; without any, a pod of all images."""
    config = yaml.safe_load((root / "gate.yaml").read_bytes())
    found = [
        item
        for path in config.get("manifests", [])
        for item in yaml.safe_load_all((root / path).read_bytes())
        if isinstance(item, dict) and item.get("kind") != "NetworkPolicy"
    ]
    containers = [{"name": name, "image": item["image"]} for name, item in images.items()]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}
    return list[Mapping[str, Any]](found) or [pod]


def review_of(item: Mapping[str, Any]) -> Review:
    group, _, version = str(item["apiVersion"]).rpartition("/")
    kind = ObjectKind(group, version, str(item["kind"]))
    metadata = item["metadata"]
    return Review(
        uid="u",
        kind=kind,
        resource=resource_of(kind),
        sub_resource="",
        operation=Operation.CREATE,
        namespace=metadata.get("namespace"),
        name=metadata.get("name"),
        user="ann",
        groups=(),
        dry_run=False,
        object=item,
    )


def asked(request: Request, *, attached: bool) -> tuple[list[Judgement], bool]:
    """The answers to all objects, and whether what is judged is all that a check judges of manifests.

    The evidence lies in the configured folder, or is attached to the images.
    """
    held = Held(request, engine=engine, settle_s=0)
    try:
        images = yaml.safe_load((request.start / "gate.yaml").read_bytes())["artifacts"]
        items = objects(request.start, images)
        state = with_registry(held.current(), request, images, attached=attached)
        judged = [judge_review(state, review_of(item), time.monotonic() + 60) for item in items]
    finally:
        held.close()
    return judged, len(items) == 1


def with_registry(state: HeldState, request: Request, images: Mapping[str, Any], *, attached: bool) -> State:
    evidence, _ = read_evidence(request.start, ATTESTATIONS, Limits())
    digests = {Digest(item["image"].partition("@")[2]) for item in images.values()}
    registries = FakeRegistries({digest: [item.data for item in evidence] for digest in digests}, host=REGISTRY)
    if not attached:
        registries = FakeRegistries({}, host=REGISTRY)
        assert {item.data for item in state.evidence} == {item.data for item in evidence}
    changed: Any = {"registries": registries, "clock": Stopped(request.now_s)}
    if attached:
        changed["evidence"] = ()
    return cast("State", dataclasses.replace(state, **changed))


def statuses(decision: Decision, *, with_manifests: bool) -> dict[str, tuple[Outcome, list[tuple[str, str]]]]:
    """Every control with what it found, but for those that look at what only one of both sees."""
    return {
        name: (control.outcome, sorted((item.violation.code, item.violation.message) for item in control.violations))
        for name, control in decision.controls.items()
        if not name.startswith("change.")
        and name != "deploy.egress"
        and (with_manifests or not name.startswith("deploy."))
    }


def has_manifests(request: Request) -> bool:
    return "manifests" in yaml.safe_load((request.start / "gate.yaml").read_bytes())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("attached", [False, True], ids=["folder", "registry"])
def test_both_come_to_the_same_statuses(name: str, attached: bool, tmp_path: Path) -> None:
    request = laid(name, tmp_path / "repository")
    check = checked(request)
    judged, is_one = asked(request, attached=attached)
    for item in judged:
        if item.decision is None:
            # A tag, or a kind of object that nobody knows: the check refuses it as a decision.
            assert item.answer.cause in {Cause.REFERENCE, Cause.OBJECT}
            assert not item.answer.allowed
            assert check.verdict is not Verdict.ALLOW
            continue
        assert item.answer.allowed is (item.decision.verdict is Verdict.ALLOW)
        if is_one:
            with_manifests = has_manifests(request)
            assert texts(statuses(item.decision, with_manifests=with_manifests)) == texts(
                statuses(check, with_manifests=with_manifests)
            )
            assert item.decision.digests.rules == check.digests.rules
            assert item.decision.digests.policy == check.digests.policy


def texts(found: Mapping[str, Any]) -> str:
    """What was found, without what only a place is called by."""
    text = ORIGIN.sub("<origin>", repr(dict(sorted(found.items()))))
    for place in ("admission review:", "deploy/server.yaml:", "server.yaml:"):
        text = text.replace(place, "")
    return text


def test_there_are_scenarios_of_each_kind() -> None:
    assert len(NAMES) >= 50
    assert {name.partition("/")[0] for name in NAMES} >= {"allow", "deny"}
