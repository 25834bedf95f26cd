"""Parts of `gate.yaml` for makers of evidence: what they do not read may be missing, what they read may not be bad."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gate.config.settings import load_artifacts, load_evidence_directories
from gate.errors import ConfigError
from tests.unit.config_cases import BASE, Files, text_of

PARTS: list[Callable[[str, Files], Any]] = [load_artifacts, load_evidence_directories]


def test_artifacts_and_folders_need_no_keys() -> None:
    files = Files({"gate.yaml": text_of({**BASE, "evidence": [{"directory": "evidence"}]})})
    assert list(load_artifacts("gate.yaml", files)) == list(BASE["artifacts"])
    assert load_evidence_directories("gate.yaml", files) == ("evidence",)
    assert set(files.read_paths) == {"gate.yaml"}


def test_without_the_file_there_is_nothing() -> None:
    assert load_artifacts("gate.yaml", Files({})) == {}
    assert load_evidence_directories("gate.yaml", Files({})) == ()


@pytest.mark.parametrize("load", PARTS)
def test_bad_yaml_is_an_error_with_its_place(load: Callable[[str, Files], Any]) -> None:
    with pytest.raises(ConfigError, match=r"^gate\.yaml:3:\d+: "):
        load("gate.yaml", Files({"gate.yaml": b"version: 1\nartifacts: [\n"}))


@pytest.mark.parametrize("load", PARTS)
def test_a_bad_artifact_is_an_error_with_its_place(load: Callable[[str, Files], Any]) -> None:
    value = copy.deepcopy(BASE)
    value["artifacts"][next(iter(value["artifacts"]))]["kind"] = "wheel"
    with pytest.raises(ConfigError, match=r"^gate\.yaml:\d+:\d+: "):
        load("gate.yaml", Files({"gate.yaml": text_of(value)}))
