"""The words of the model are those of the input document."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import pytest

from gate import resources
from gate.model.artifact import ArtifactKind
from gate.model.change import ChangeSource, ChangeStatus
from gate.model.document import INPUT_SCHEMA
from gate.model.evidence import Concern, Stage
from gate.model.scan import Basis, FindingStatus, ScanStatus, Severity
from gate.model.settings import Target
from gate.model.waiver import WaiverState

INPUT: Any = json.loads(resources.schema("input.json"))["properties"]


def each(section: str) -> Any:
    return INPUT[section]["additionalProperties"]["properties"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (Target, INPUT["context"]["properties"]["target"]),
        (ArtifactKind, each("artifacts")["kind"]),
        (ChangeSource, INPUT["change"]["properties"]["status"]),
        (ChangeStatus, INPUT["change"]["properties"]["files"]["additionalProperties"]["properties"]["status"]),
        (Stage, each("rejected")["stage"]),
        (Concern, each("rejected")["concern"]),
        (Basis, each("scans")["basis"]),
        (ScanStatus, each("scans")["status"]),
        (Severity, each("findings")["severity"]),
        (FindingStatus, each("findings")["status"]),
        (WaiverState, each("waivers")["state"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_word_of_the_model_is_one_of_the_schema_in_the_same_order(words: type[Enum], part: dict[str, Any]) -> None:
    assert [word.value for word in words] == part["enum"]


def test_the_input_document_has_the_name_of_its_schema() -> None:
    assert INPUT["schema"]["const"] == INPUT_SCHEMA
