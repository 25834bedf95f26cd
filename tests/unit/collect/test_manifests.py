"""Manifests are read from below the root; what is asked for and not there is a result."""

from __future__ import annotations

from pathlib import Path

from gate.collect.manifests import collect_manifests
from gate.model.settings import Limits
from gate.model.workload import Manifest
from gate.normalize.sections.workloads import workloads_section


def test_each_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / "deploy" / name).write_text(name)
    found = collect_manifests(tmp_path, ["deploy/b.yaml", "deploy/*.yaml"], Limits())
    assert found == [Manifest("deploy/b.yaml", b"b.yaml"), Manifest("deploy/a.yaml", b"a.yaml")]


def test_what_is_not_there_and_what_matches_nothing_has_a_problem(tmp_path: Path) -> None:
    found = collect_manifests(tmp_path, ["x.yaml", "y/*.yaml"], Limits())
    assert [(item.data, item.problem) for item in found] == [(None, "it does not exist"), (None, "no file matches")]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("/etc/hostname")
    (found,) = collect_manifests(tmp_path, ["a.yaml"], Limits())
    assert found.data is None
    assert found.problem


def test_the_section_is_never_empty_if_manifests_are_configured() -> None:
    assert workloads_section({}, []) == {}
    (found,) = workloads_section({}, ["a.yaml"]).values()
    assert isinstance(found, dict)
    assert found["problems"] == ["it was not read"]
