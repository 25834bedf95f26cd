"""Targets: predicates of signed statements that judge what others found (VEX)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from gate.formats.canonical_json import dumps
from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import read_statement
from gate.formats.predicates.vex import CSAF, OPENVEX
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.formats.vex.shape import STATUSES
from gate.model.digest import sha256_digest
from gate.model.evidence import Statement, Subject
from tests.fuzz.mutation import edited, mutated, scaled
from tests.fuzz.target import Sample, Target

_VECTORS: Final = Path(__file__).resolve().parents[1] / "vectors" / "vex"
_KINDS: Final = {
    "openvex": OPENVEX,
    "csaf": CSAF["2.0"],
    "csaf-2.1": CSAF["2.1"],
    "cyclonedx": "https://cyclonedx.org/bom",
}
_SUBJECTS: Final = (Subject("model", sha256_digest(b"model")),)


def _look_at(sample: Sample) -> Statement | None:
    try:
        return read_statement(RawStatement(_SUBJECTS, _KINDS[sample.name], loads_object(sample.data)))
    except (StatementError, StrictJsonError):
        return None


def _judge(sample: Sample, answer: object) -> None:
    if answer is None:
        return
    assert isinstance(answer, Statement)
    assert not sample.dangerous, "a part of a document passes for the whole"
    assert answer.claim in {"vex", "sbom"}
    dumps(answer.facts)
    judgements = answer.facts.get("judgements")
    if answer.claim == "vex":
        assert isinstance(judgements, list)
        for item in judgements:
            assert isinstance(item, Mapping)
            assert item["status"] in STATUSES
            assert item["names"]


def _target(name: str) -> Target:
    files = [path for path in sorted(_VECTORS.glob("*.json")) if path.stem == name or path.stem.startswith(f"{name}-")]
    seeds = tuple(Sample(name, path.read_bytes()) for path in files)
    whole = Sample(name, (_VECTORS / f"{name}.json").read_bytes())
    document = json.loads(whole.data)
    changed = (edited(document).map(lambda pair: pair[0]) | scaled(document)).map(
        lambda value: Sample(name, json.dumps(value).encode())
    )
    ends = st.integers(0, len(whole.data.rstrip()) - 1)
    cut = ends.map(lambda end: Sample(name, whole.data[:end], dangerous=True))
    made = st.one_of(changed, cut, mutated(st.sampled_from(seeds), seeds))
    return Target(f"vex.{name}", frozenset({"format:vex"}), seeds, made, _look_at, _judge)


STATEMENTS: Final = {f"vex.{name}": _target(name) for name in _KINDS}
