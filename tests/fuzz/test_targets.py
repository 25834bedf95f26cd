"""Every reader of bytes from outside has a target, and a short round of each; `make fuzz` is the long one."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import gate.formats
from gate.formats.reports import TOOLS
from gate.formats.signals import BUILT_IN
from gate.inspect.archive import COMPRESSED
from gate.inspect.interface import _COMPRESSED, _INSPECTORS
from tests.fuzz.files import FOUND, load, save
from tests.fuzz.inspectors import look_at
from tests.fuzz.other_inspectors import INSPECTORS
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Sample, Target, is_traced, run
from tests.support.looking import is_clean

TRIED_ELSEWHERE = {
    "bom": "tests/unit/formats/bom/test_mutations.py",
    "carriers": "tests/unit/formats/carriers/test_lines.py",
    "locks": "tests/unit/formats/locks/test_mutations.py",
    "predicates": "tests/unit/formats/predicates/test_field_safety.py",
    "results": "tests/unit/formats/results/test_plain.py",
}
"""Packages of readers whose hostile inputs are in tests of their own."""
SHORT = settings(
    max_examples=100,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
"""The same inputs in every run of the tests: new ones are looked for by `make fuzz`."""


def needed() -> set[str]:
    parts = {f"inspect:{name}" for name in (*_INSPECTORS, *_COMPRESSED)} | {"inspect:plugins"}
    parts |= {f"report:{tool}" for tool in TOOLS} | {f"signal:{name}" for name in BUILT_IN}
    packages = {module.name for module in pkgutil.iter_modules(gate.formats.__path__) if module.ispkg}
    return parts | {f"format:{name}" for name in packages - TRIED_ELSEWHERE.keys() - {"reports", "signals"}}


def test_every_reader_has_a_target() -> None:
    covered = set().union(*(target.covers for target in TARGETS.values()))
    assert needed() <= covered, f"no target in tests/fuzz for {sorted(needed() - covered)}"
    assert covered - needed() <= {"inspect:keras", "inspect:skops", "inspect:mar", "signal:answer"}
    assert set(COMPRESSED) == set(_COMPRESSED)
    assert all(name == target.name for name, target in TARGETS.items())


@pytest.mark.parametrize("name", sorted(INSPECTORS))
def test_the_samples_of_a_target_reach_its_inspector(name: str) -> None:
    target = INSPECTORS[name]
    wanted = {part.partition(":")[2] for part in target.covers}
    reached = {look_at(sample).format.partition(".")[0] for sample in target.seeds}
    assert wanted <= reached


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_samples_and_a_short_round(name: str) -> None:
    target = TARGETS[name]
    for sample in target.seeds:
        run(target, sample)

    @SHORT
    @given(target.built)
    def one(sample: Sample) -> None:
        run(target, sample)

    one()


@pytest.mark.parametrize("path", sorted(FOUND.rglob("*.sample")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_was_found_once_stays_mended(path: Path) -> None:
    name, sample = load(path)
    run(TARGETS[name], sample)


def test_an_input_that_breaks_a_promise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.target.CPU_S", 0.2)

    def spin(_sample: Sample) -> object:
        while True:
            pass

    def grow(_sample: Sample) -> object:
        return bytearray(64 << 20)

    good = TARGETS["code"]
    clean = Target("x", frozenset(), (), good.built, lambda _sample: None, good.judge)
    with pytest.raises(AssertionError):
        run(clean, Sample("a", b"a"))
    with pytest.raises(AssertionError, match="no answer after"):
        run(Target("x", frozenset(), (), good.built, spin, good.judge), Sample("a", b"a"))
    traced = next(filter(is_traced, (Sample("a", bytes((number,))) for number in range(256))))
    with pytest.raises(AssertionError, match="bytes of memory for 1 bytes"):
        run(Target("x", frozenset(), (), good.built, grow, lambda _sample, _answer: None), traced)
    with pytest.raises(AssertionError, match="passes for harmless"):
        good.judge(Sample("a.txt", b"x", dangerous=True), look_at(Sample("a.txt", b"x")))
    assert is_clean(look_at(Sample("a.txt", b"x")))
    assert load(save(tmp_path, "code", traced, "why")) == ("code", traced)
