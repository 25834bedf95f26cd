"""Compositions: parts by root digest, held to the files that the statement names."""

from __future__ import annotations

from typing import Any

import pytest

from gate.formats.predicates.generic import predicate_type
from gate.formats.predicates.model_signature import root_digest
from gate.model.digest import sha256_digest
from gate.model.evidence import Subject
from tests.unit.formats.predicates.reading import changed, code_of, read

TYPE = predicate_type("composition")
FILES = {name: sha256_digest(name.encode()) for name in ("m/ad.bin", "m/base/a", "m/base/sub/b", "m/style/c")}
SUBJECTS = tuple(Subject(name, digest) for name, digest in FILES.items())
GOOD: dict[str, Any] = {
    "depends_on": [],
    "name": "assistant",
    "base": {"m/base": root_digest([FILES["m/base/a"], FILES["m/base/sub/b"]])},
    "adapters": {"m/ad.bin": root_digest([FILES["m/ad.bin"]]), "m/style": root_digest([FILES["m/style/c"]])},
    "roles": {"base": ["m/base/a", "m/base/sub/b"], "adapters": ["m/ad.bin", "m/style/c"]},
    "folders": {"m/base": "base", "m/style": "adapters"},
    "privacy": {"mode": "hash_only"},
}
OTHER = "sha256:" + "0" * 64


def test_a_composition_names_its_parts_and_all_files() -> None:
    found = read(TYPE, GOOD, SUBJECTS)
    assert (found.claim, found.located, found.folders) == ("composition", True, ("m/base", "m/style"))
    assert (found.facts["base"], found.facts["adapters"]) == (GOOD["base"], GOOD["adapters"])
    assert found.facts["files"] == FILES
    assert found.facts["collected"] is True


@pytest.mark.parametrize(
    ("path", "new", "code"),
    [
        ("base", {"m/base": OTHER}, "parts"),
        ("adapters", {**GOOD["adapters"], "m/style": OTHER}, "parts"),
        ("adapters", {**GOOD["adapters"], "m/base/a": root_digest([FILES["m/base/a"]])}, "roles"),
        ("adapters", {**GOOD["adapters"], "m/nothing": root_digest([])}, "parts"),
        ("adapters", {"m/style": GOOD["adapters"]["m/style"]}, "roles"),
        ("folders", {"m/base": "base"}, "parts"),
        ("folders", {"m/base": "adapters", "m/style": "adapters"}, "parts"),
        ("folders", {}, "parts"),
        ("roles", {"base": ["m/base/a"], "adapters": ["m/ad.bin", "m/style/c", "m/base/sub/b"]}, "roles"),
        ("roles", {"base": ["m/base/a", "m/base/sub/b"], "adapters": ["m/style/c"]}, "roles"),
        ("base", {}, "predicate"),
        ("base", {**GOOD["base"], **GOOD["adapters"]}, "predicate"),
        ("adapters", {}, "predicate"),
        ("adapters", ..., "predicate"),
        ("folders", ..., "predicate"),
        ("privacy", ..., "predicate"),
        ("extra", 1, "predicate"),
    ],
)
def test_parts_that_are_not_what_the_files_say(path: str, new: Any, code: str) -> None:
    assert code_of(TYPE, changed(GOOD, path, new), SUBJECTS) == code


def test_a_part_that_lies_in_another_is_refused() -> None:
    nested = {
        **GOOD,
        "adapters": {**GOOD["adapters"], "m/base/sub": root_digest([FILES["m/base/sub/b"]])},
        "roles": {**GOOD["roles"], "adapters": [*GOOD["roles"]["adapters"], "m/base/sub/b"]},
        "folders": {**GOOD["folders"], "m/base/sub": "adapters"},
    }
    assert code_of(TYPE, nested, SUBJECTS) == "parts"


def test_a_part_without_files_is_none() -> None:
    empty = changed(GOOD, "adapters", {**GOOD["adapters"], "m/nothing": root_digest([])})
    empty["folders"]["m/nothing"] = "adapters"
    assert code_of(TYPE, empty, SUBJECTS) == "parts"


def test_a_plain_statement_of_the_claim_binds_nothing() -> None:
    assert read(TYPE, {}, SUBJECTS).facts["collected"] is False
