"""What the engines understand differently is refused when a policy loads; what is left is equal in both (CONTROLS 2).

`portable_refused.json` has a case for everything that is refused: the words of the refusal, and what OPA does. It
`refuses` too, has another value than `embedded` for the `input`, or the `same` in what was tried (refused for the sake
of a rule that can be remembered). `native/tests/portable.rs` shows that the bare engine does what `embedded` says.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gate import _native
from gate._native import PolicyError, PolicySet
from tests.property import rego_library as library
from tests.property.engines import ERROR, embedded, served
from tests.property.portable_arguments import CAPABILITIES, FORMATS, PATTERNS, arguments, declarations, expression
from tests.support.opa_server import OpaServer, opa_program

REFUSED: list[dict[str, Any]] = json.loads((library.HERE / "portable_refused.json").read_text("utf-8"))
ACCEPTED: list[str] = json.loads((library.HERE / "portable_accepted.json").read_text("utf-8"))
TOP = "package m\nimport future.keywords.not\n"
INPUTS: list[object] = [
    {
        "a": 1,
        "b": 2,
        "xs": [1, 2, 3],
        "o": {"k": {"v": 1}},
        "s": "x",
        "l": [{"k": 1}, {}, {"k": 2}],
        "pair": [1, [2, 3]],
    },
    {},
    {"xs": None, "o": None, "a": None},
    {"a": "s", "xs": "s", "o": []},
    {"a": -5, "xs": {"k": 1}, "o": {"k": 5}},
]
# Where the embedded engine gives an error and OPA a text or number that nobody should rely on.
STRICTER = {"replace", "sprintf", "to_number"}

pytestmark = pytest.mark.xdist_group("opa-server-portable")

Count = Callable[[str, object], None]


def entrypoint(source: str) -> str:
    return f"data.{source.split()[1]}.p"


def compiled(modules: list[str]) -> PolicySet:
    named = {f"{n}.rego": module for n, module in enumerate(modules)}
    return PolicySet.compile(named, "{}", [entrypoint(modules[0])])


class Loader:
    """Gives an OPA server the modules of one case, and takes them away again."""

    def __init__(self, opa: OpaServer) -> None:
        self.opa = opa
        self.connection = http.client.HTTPConnection("127.0.0.1", opa.port, timeout=60)

    def ask(self, method: str, number: int, source: str = "") -> tuple[int, str]:
        self.connection.request(method, f"/v1/policies/{number}", source.encode("utf-8"))
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode("utf-8")

    def values(self, modules: list[str], inputs: list[object]) -> list[str]:
        try:
            # What the first one imports has to be there before.
            for number, module in reversed(list(enumerate(modules))):
                status, said = self.ask("PUT", number, module)
                assert status == 200, f"{module}\n{said}"
            return [served(self.opa, document, entrypoint(modules[0])) for document in inputs]
        finally:
            for number in range(len(modules)):
                self.ask("DELETE", number)


@pytest.fixture(scope="module")
def opa() -> Iterator[Loader]:
    with OpaServer("--log-level", "error") as server:
        loader = Loader(server)
        yield loader
        loader.connection.close()


def checked(case: dict[str, Any]) -> bool:
    """Whether `opa check` refuses the modules."""
    with tempfile.TemporaryDirectory() as folder:
        for number, module in enumerate(case["modules"]):
            (Path(folder) / f"{number}.rego").write_text(module, "utf-8")
        command = [opa_program(), "check", "--strict", "--capabilities", str(library.ROOT / CAPABILITIES), folder]
        return subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("rule", sorted({case["rule"] for case in REFUSED}))
def test_what_is_not_portable_is_refused_at_load(rule: str) -> None:
    for case in (case for case in REFUSED if case["rule"] == rule):
        with pytest.raises(PolicyError) as caught:
            compiled(case["modules"])
        assert case["says"] in str(caught.value), case["modules"]
        assert "rego:" in str(caught.value) or rule == "recursion", case["modules"]


def test_each_refusal_has_a_reason(opa: Loader, record_property: Count) -> None:
    """OPA refuses too, or gives another value than the embedded engine would have given without the checks."""
    kinds = Counter("differs" if "input" in case else case["opa"] for case in REFUSED)
    assert kinds["refuses"] + kinds["differs"] >= 500
    with ThreadPoolExecutor(2) as pool:
        refusals = list(pool.map(checked, REFUSED))
    for case, is_refused in zip(REFUSED, refusals, strict=True):
        assert is_refused == (case["opa"] == "refuses"), case["modules"]
        if "input" in case:
            assert opa.values(case["modules"], [case["input"]]) == [case["opa"]], case["modules"]
            assert case["embedded"] != case["opa"], case["modules"]
    counts = (
        f"{kinds['refuses']} refused by OPA too, {kinds['differs']} with another value in OPA, {kinds['same']} equal"
    )
    record_property("differential", f"{len(REFUSED)} unportable constructs refused at load: {counts}")


def test_portable_rego_is_equal_in_both(opa: Loader, record_property: Count) -> None:
    errors = 0
    different = []
    for snippet in ACCEPTED:
        module = snippet if snippet.startswith("package") else TOP + snippet
        policies = compiled([module])
        ours = [embedded(policies, document, entrypoint(module)) for document in INPUTS]
        theirs = opa.values([module], INPUTS)
        errors += ours.count(ERROR)
        if ours != theirs:
            different.append((snippet, ours, theirs))
    assert different == []
    assert len(ACCEPTED) >= 150
    count = f"{len(ACCEPTED)} portable snippets, {len(INPUTS)} inputs each: 0 differences, {errors} errors in both"
    record_property("differential", count)


def calls(name: str) -> Iterator[tuple[str, list[Any]]]:
    """Rego for a call of a function with values from `input`, and those values."""
    for values in arguments(name, declarations()[name]):
        texts = [expression(value, f"input[{place}]") for place, value in enumerate(values)]
        if name.startswith("regex."):
            for pattern in PATTERNS:
                texts[name == "regex.replace"] = json.dumps(pattern, ensure_ascii=False)
                yield f"{name}({', '.join(texts)})", values
        elif name == "sprintf":
            for text in FORMATS:
                verbs = text.replace("%%", "").count("%")
                yield f'sprintf("{text}", [{", ".join(["input[0]", "input[1]"][:verbs])}])', [*values, 1, "é", -7][:2]
        else:
            yield f"{name}({', '.join(texts)})", values


def test_builtin_functions_are_equal_in_both(opa: Loader, record_property: Count) -> None:
    asked = stricter = 0
    different = []
    for name in _native.builtins():
        inputs: dict[str, list[object]] = {}
        for call, values in calls(name):
            inputs.setdefault(call, []).append(values)
        for call, documents in inputs.items():
            module = f"package m_test\n\np := {call}\n"
            policies = compiled([module])
            for document, theirs in zip(documents, opa.values([module], documents), strict=True):
                asked += 1
                ours = embedded(policies, document, "data.m_test.p")
                if ours == ERROR != theirs and name in STRICTER:
                    stricter += 1
                elif ours != theirs:
                    different.append((call, document, ours, theirs))
    assert different == []
    assert asked > 10_000
    functions = f"{len(_native.builtins())} builtin functions, {asked} calls"
    record_property("differential", f"{functions}: 0 differences, {stricter} errors where OPA goes on")


def test_the_list_for_opa_is_the_list_of_the_embedded_engine() -> None:
    operators = {name for name in declarations() if name not in _native.builtins()}
    assert set(declarations()) == operators | set(_native.builtins())
    assert {name for name in operators if not name.startswith("internal.")} == {
        *("and", "assign", "eq", "equal", "gt", "gte", "lt", "lte", "minus", "mul", "neq", "or", "plus", "rem")
    }


def test_the_page_names_each_function_that_may_be_called() -> None:
    page = (library.ROOT / "docs/explanation/portable-rego.md").read_text("utf-8")
    allowed = page.partition("## Builtin functions")[2].partition("The engine's own")[0]
    assert set(re.findall(r"`([a-z0-9_.]+)`", allowed)) == set(_native.builtins())


def test_the_library_and_its_tests_are_portable() -> None:
    policies = PolicySet.compile(library.modules("rego", "rego_tests"), "{}", [])
    assert policies.test_rules()
