"""Mutation testing of the decision and the verification: what a test would not notice, an attacker may use (QUALITY).

Each mutant is judged by the unit tests of its own module, called here without pytest. A mutant that no test notices
must be in the list of equivalent ones, with the reason why nobody can notice it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import json
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

import pytest

from gate import decide
from gate.app import admission_answer, admission_facts, admission_glass, admission_judge
from gate.verify import alone, binding, chain, hints, keys, located, pipeline, trust
from tests.support.mutants import Mutant, mutants_of, survives

ADMISSION: Final = ("app.test_admission_core", "app.test_admission_parts", "app.test_admission_exception")
JUDGES: Final[dict[ModuleType, tuple[str, ...]]] = {
    decide: ("test_decide", "test_decide_waivers", "test_decide_reuse", *ADMISSION),
    admission_answer: ("app.test_admission_answer", *ADMISSION),
    admission_facts: ADMISSION,
    admission_glass: ADMISSION,
    admission_judge: ADMISSION,
    alone: ("verify.test_alone", "verify.test_pipeline", "verify.test_collected", "verify.test_keyless"),
    binding: (
        "verify.test_binding",
        "verify.test_superseded",
        "verify.test_concern",
        "verify.test_collected",
        "verify.test_recipes",
        "verify.test_keyless_managed",
    ),
    chain: ("verify.test_chain",),
    hints: ("verify.test_hints", "verify.test_concern", "verify.test_enveloped", "verify.test_cosign_images"),
    keys: ("verify.test_keys", "verify.test_keys_odd", "verify.test_keyless_managed"),
    located: ("verify.test_located", "verify.test_collected"),
    pipeline: (
        "verify.test_pipeline",
        "verify.test_concern",
        "verify.test_superseded",
        "verify.test_collected",
        "verify.test_keyless",
        "verify.test_keyless_managed",
    ),
    trust: (
        "verify.test_alone",
        "verify.test_trust",
        "verify.test_keyless",
        "verify.test_keyless_identities",
        "verify.test_keyless_managed",
        "verify.test_keyless_rest",
        "verify.test_legacy",
    ),
}
EQUIVALENT: Final[dict[str, str]] = json.loads(Path(__file__).with_name("equivalent_mutants_python.json").read_text())

TOLD: Final[Collection[str]] = {
    f"{admission_answer.__name__}.{name}" for name in ("_refusal", "_reason", "_notes", "_glass", "_stale")
}
"""Functions that only make text of what was decided already. Their tests are not strict about every word."""


def calls(test: Callable[..., None]) -> Iterator[Callable[[], None]]:
    """A test with each set of its parameters; none for a test that takes fixtures."""
    rows: list[list[dict[str, Any]]] = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name != "parametrize":
            return
        names, values = mark.args
        split = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        rows.append([dict(zip(split, value if len(split) > 1 else (value,), strict=True)) for value in values])
    if inspect.signature(test).parameters.keys() - {name for row in rows for item in row[:1] for name in item}:
        return
    for combination in itertools.product(*rows):
        yield functools.partial(test, **{name: value for row in combination for name, value in row.items()})


@functools.cache
def checks(module: ModuleType) -> list[Callable[[], None]]:
    """The tests of a module, the fast ones first; those that draw examples are left out."""
    found: list[Callable[[], None]] = []
    for name in JUDGES[module]:
        for key, test in vars(importlib.import_module(f"tests.unit.{name}")).items():
            if key.startswith("test_") and inspect.isfunction(test) and not hasattr(test, "hypothesis"):
                found += list(calls(test))
    return sorted(found, key=seconds)


def seconds(check: Callable[[], None]) -> float:
    begin = time.perf_counter()
    check()
    return time.perf_counter() - begin


def survivors(module: ModuleType) -> tuple[int, list[str]]:
    tests = list(checks(module))
    killers: list[Callable[[], None]] = []
    found, number = [], 0
    for mutant in mutants_of(module):
        if mutant.function in told(module):
            continue
        number += 1
        killer = first_killer(mutant, killers, tests)
        if killer is None:
            found.append(mutant.name)
        elif killer in killers:
            killers.insert(0, killers.pop(killers.index(killer)))
        else:
            killers.insert(0, killer)
    return number, found


def told(module: ModuleType) -> Collection[FunctionType]:
    """The functions whose value is only told to people: nothing is let in or refused by it."""
    return [vars(module)[name.rpartition(".")[2]] for name in TOLD if name.rpartition(".")[0] == module.__name__]


def first_killer(mutant: Mutant, killers: list[Callable[[], None]], tests: list[Callable[[], None]]) -> Any:
    """The test that notices a mutant; those that noticed others are asked first."""
    for test in itertools.chain(killers, (test for test in tests if test not in killers)):
        if not survives(mutant, test):
            return test
    return None


def short(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


@pytest.mark.parametrize("module", JUDGES, ids=short)
def test_the_tests_pass_without_a_mutant(module: ModuleType) -> None:
    assert len(checks(module)) >= 20


@pytest.mark.parametrize("module", JUDGES, ids=short)
def test_every_mutant_is_noticed_or_listed_as_equivalent(module: ModuleType) -> None:
    number, found = survivors(module)
    assert number >= 20
    listed = {name for name in EQUIVALENT if name.startswith(f"{module.__name__}.")}
    assert {"not noticed": sorted(set(found) - listed), "noticed": sorted(listed - set(found))} == {
        "not noticed": [],
        "noticed": [],
    }


def test_every_equivalent_mutant_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in EQUIVALENT.values())


@pytest.mark.parametrize("name", sorted(TOLD))
def test_what_is_only_told_is_text(name: str) -> None:
    module, _, function = name.rpartition(".")
    found = inspect.signature(vars(importlib.import_module(module))[function])
    assert found.return_annotation in {"str", "tuple[str, ...]", "Sequence[str]"}
