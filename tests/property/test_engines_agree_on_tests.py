"""Every Rego unit test, by name, gives the same in `opa test`, in an OPA server and in the embedded engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from gate._native import PolicySet
from tests.property import rego_library as library
from tests.property.engines import ERROR, UNDEFINED, Comparison
from tests.support.opa_server import OpaServer, opa_program

FOLDERS = [str(library.ROOT / name) for name in ("rego", "rego_tests")]

# The library's own tests are all true. These show that whatever else a test gives is told apart in the same way.
OTHER = """package gate.other_test

test_true := true

test_false := false

test_zero := 0

test_text := sprintf("%d", [count(input)])

test_undefined if input.nowhere == 1

test_set contains name if some name in {"b", "a", "c"}

two := 1 if count(input) == 0

two := 2 if count(input) < 1

test_two_values if two == 1

test_failing_builtin if to_number("x") == 1

test_remainder := 1 % count(input)
"""
EXPECTED = {
    "true": "true",
    "false": "false",
    "zero": "0",
    "text": '"0"',
    "undefined": UNDEFINED,
    "set": '["a","b","c"]',
    "two_values": ERROR,
    "failing_builtin": ERROR,
    "remainder": ERROR,
}
OTHERS = {f"data.gate.other_test.test_{name}": value for name, value in EXPECTED.items()}

pytestmark = pytest.mark.xdist_group("opa-server-tests")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("other") / "other_test.rego"
    path.write_text(OTHER)
    return str(path)


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return PolicySet.compile(library.modules("rego", "rego_tests") | {"other_test.rego": OTHER}, "{}", [])


@pytest.fixture(scope="module")
def opa(other: str) -> Iterator[OpaServer]:
    with OpaServer(*FOLDERS, other) as server:
        yield server


@pytest.fixture(scope="module")
def opa_tests(other: str) -> dict[str, bool]:
    """What `opa test` says: whether each test passed."""
    command = [opa_program(), "test", *FOLDERS, other, "--format", "json", "--timeout", "60s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 2}, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    results = {f"{test['package']}.{test['name']}": not (test.get("fail") or test.get("error")) for test in found}
    assert len(results) == len(found)
    return results


@pytest.fixture(scope="module")
def embedded_tests(policies: PolicySet, opa: OpaServer) -> tuple[Comparison, dict[str, str]]:
    """The value of each test in the embedded engine, compared with the server's on the way."""
    comparison = Comparison(opa, policies)
    return comparison, {name: comparison.compare({}, name, name) for name in policies.test_rules()}


def test_no_test_is_missing_on_either_side(opa_tests: dict[str, bool], policies: PolicySet) -> None:
    assert sorted(opa_tests) == policies.test_rules()
    assert len(opa_tests) > 500 + len(OTHERS)


def test_each_test_gives_the_same_in_both_engines(
    embedded_tests: tuple[Comparison, dict[str, str]], opa_tests: dict[str, bool], record_property: Any
) -> None:
    comparison, values = embedded_tests
    different = [name for name, value in values.items() if opa_tests[name] != (value == "true")]
    record_property("differential", comparison.summary("Rego tests by value"))
    record_property("differential", f"{len(values)} Rego tests by `opa test`: {len(different)} differences")
    assert not comparison.examples
    assert not different
    assert {name: value for name, value in values.items() if value != "true"} == {
        name: value for name, value in OTHERS.items() if value != "true"
    }
