"""OPA and the embedded engine give the same report for 2,200 damaged and random inputs (CONTROLS 2)."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gate._native import PolicySet
from gate.evaluate import sweep
from gate.model.json import JsonValue
from tests.property import rego_library as library
from tests.property.engines import Comparison
from tests.support.opa_server import OpaServer

DAMAGED = 1200
RANDOM = 1000

pytestmark = pytest.mark.xdist_group("opa-server")


@pytest.fixture(scope="module")
def opa() -> Iterator[OpaServer]:
    with OpaServer(str(library.ROOT / "rego")) as server:
        yield server


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return library.compiled("data.gate.main.report")


@pytest.fixture
def comparison(opa: OpaServer, policies: PolicySet) -> Comparison:
    return Comparison(opa, policies)


Record = Any


def test_passing_inputs_give_equal_reports(comparison: Comparison, record_property: Record) -> None:
    judged = set()
    for name, document in library.inputs().items():
        answer = json.loads(comparison.compare_report(document, name))["controls"]
        assert answer.keys() == document["profile"]["controls"].keys()  # type: ignore[index]
        judged |= answer.keys()
    assert judged == set(library.controls())
    record_property("differential", comparison.summary("passing inputs"))
    assert not comparison.examples
    assert comparison.asked == len(library.inputs()) >= 3


def test_damaged_inputs_give_equal_reports(comparison: Comparison, record_property: Record) -> None:
    """Seeded: one to three places of an input deleted or retyped."""
    choose = random.Random(20261120)
    documents = list(library.inputs().values())
    for number in range(DAMAGED):
        document: Mapping[str, Any] = choose.choice(documents)
        for _ in range(choose.randint(1, 3)):
            place = choose.choice(list(sweep.places(document)))
            change = choose.choice([sweep.DELETE, *sweep.REPLACEMENTS])
            document = sweep.damaged(document, place, change)
            if not document:
                break
        comparison.compare_report(document, number)
    record_property("differential", comparison.summary("damaged inputs"))
    assert not comparison.examples
    assert comparison.errors < DAMAGED // 10
    assert comparison.statuses == {"pass", "fail", "error", "not_applicable"}


@pytest.mark.parametrize("document", [{}, [], "x", 0, {"profile": None}, {"profile": {"controls": {"a": None}}}])
def test_things_that_are_no_input_give_equal_reports(comparison: Comparison, document: object) -> None:
    comparison.compare(document, document)
    assert not comparison.examples


def test_a_difference_would_be_noticed(opa: OpaServer) -> None:
    """One word of one rule differs, and the comparison says so."""
    modules = library.modules("rego")
    path = "rego/gate/controls/artifact/signed/signed.rego"
    old = "if count(subjects) == 0"
    assert old in modules[path]
    modules[path] = modules[path].replace(old, "if count(subjects) == 1")
    comparison = Comparison(opa, PolicySet.compile(modules, "{}", ["data.gate.main.report"]))
    for name, document in library.inputs().items():
        comparison.compare(document, name)
    assert comparison.different
    assert 0 < len(comparison.examples) <= 3


# --- random inputs ---------------------------------------------------------------------------------------------------

DOCUMENTS = list(library.inputs().values())


def words(value: object) -> Iterator[str]:
    """Every key and text in a document."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from words(child)
    elif isinstance(value, list):
        for child in value:
            yield from words(child)
    elif isinstance(value, str):
        yield value


VOCABULARY = sorted({word for document in DOCUMENTS for word in words(document)})
LARGEST = (1 << 53) - 1
SCALARS = st.one_of(
    st.sampled_from(VOCABULARY),
    st.text(max_size=8),
    st.integers(-LARGEST, LARGEST),
    st.sampled_from([0, 1, -1, 1795170000, 1795176000, LARGEST]),
    st.booleans(),
    st.none(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(VOCABULARY), inner, max_size=4)
    ),
    max_leaves=12,
)
# A place and what comes there: something new, a copy of another place's value, or a new key with such a value.
EDITS = st.lists(
    st.tuples(
        st.integers(0, 1 << 20),
        st.one_of(st.tuples(st.just("value"), VALUES), st.tuples(st.just("copy"), st.integers(0, 1 << 20))),
        st.none() | st.sampled_from(VOCABULARY),
    ),
    min_size=1,
    max_size=6,
)
Edit = tuple[int, tuple[str, Any], str | None]


def edited(document: dict[str, object], edits: Sequence[Edit]) -> dict[str, object]:
    """A document with some of its places changed; places are counted round, so that every number means one."""
    result = copy.deepcopy(document)
    for number, (kind, what), key in edits:
        places = list(sweep.places(cast("JsonValue", result)))
        if not places:
            break
        value = copy.deepcopy(at(result, places[what % len(places)]) if kind == "copy" else what)
        place = places[number % len(places)]
        parent = at(result, place[:-1])
        if isinstance(parent, dict):
            parent[str(place[-1]) if key is None else key] = value
        elif isinstance(parent, list):
            parent[int(place[-1])] = value
    return result


def at(document: object, place: sweep.Place) -> object:
    for key in place:
        document = document[key]  # type: ignore[index]
    return document


def test_random_inputs_give_equal_reports(comparison: Comparison, record_property: Record) -> None:
    """Structured: documents with random values, copies of other parts and new keys in random places."""

    @settings(
        max_examples=RANDOM,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(DOCUMENTS), EDITS)
    def compare(document: dict[str, object], edits: Sequence[Edit]) -> None:
        changed = edited(document, edits)
        comparison.compare_report(changed, changed)

    compare()
    record_property("differential", comparison.summary("random inputs"))
    assert not comparison.examples
    assert comparison.asked >= RANDOM
    assert comparison.errors < RANDOM // 2
    assert comparison.statuses == {"pass", "fail", "error", "not_applicable"}
