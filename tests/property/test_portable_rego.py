"""The lint for portable Rego: the library is clean, and every rule catches what it is for (CONTROLS 2)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import ModuleType

import pytest

from tests.property import rego_library as library

PROGRAM = library.ROOT / "tools/portable_rego.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("portable_rego", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


LINT = load().lint
TOP = "package gate.lib.a\n\nimport data.gate.lib.other\nimport future.keywords.not\n\n"

BAD = {
    "not-import": ["package a\n\nx if not y\n", "package a\n\n# import future.keywords.not\nx := 1\n"],
    "partial-head": [
        TOP + "deny contains v.name if some v in input.l\n",
        TOP + 'deny contains {"who": v.name} if some v in input.l\n',
        TOP + "deny contains lower(v) if some v in input.l\n",
        TOP + "deny contains entry if {\n\tsome entry in input.l\n}\n\nx[v.k] := 1 if some v in input.l\n",
        TOP + "x[k] := v.n if some k, v in input.l\n",
        TOP + "x[k] := object.keys(v) if some k, v in input.l\n",
        TOP + "x[k] contains v.n if some k, v in input.l\n",
        TOP + "x[k] := {y | some y in v} if some k, v in input.l\n",
    ],
    "shadowing": [
        TOP + "name := 1\n\nx if some name in input.l\n",
        TOP + "x if {\n\tsome other in input.l\n}\n",
        TOP + "x if {\n\tsome x in input.l\n}\n",
        TOP + "f(a) if {\n\tsome a in input.l\n}\n",
        TOP + "y if {\n\tb := 1\n\tsome b in input.l\n}\n",
        TOP + "y if {\n\tsome k, other in input.l\n}\n",
        TOP + "y if {\n\tsome [k, other] in input.l\n}\n",
        TOP + "y if {\n\tevery other in input.l {\n\t\tother == 1\n\t}\n}\n",
        TOP + "y := {other | some other in input.l}\n",
    ],
    "operator-name": [TOP + "gt(a, b) if a > b\n", TOP + "plus := 1\n"],
    "sprintf": [
        TOP + 'x := sprintf("%v", [input.a])\n',
        TOP + 'x := sprintf("%5d", [1])\n',
        TOP + 'x := sprintf("%s", [])\n',
        TOP + 'x := sprintf("%s", ["a", "b"])\n',
        TOP + "x := sprintf(input.f, [1])\n",
        TOP + 'x := sprintf("%s", input.l)\n',
        TOP + "x := sprintf(`%q`, [1])\n",
    ],
    "import-in-function": [TOP + "f(a) := other.values[a]\n", TOP + "f(a) := r if {\n\tr := other.value\n}\n"],
}

GOOD = [
    TOP + "deny contains entry if {\n\tsome v in input.l\n\tentry := v.name\n}\n",
    TOP + "x[k] := v if some k, v in input.l\n",
    TOP + "x contains [a, b] if some a, b in input.l\n",
    TOP + "x := {v.name | some v in input.l}\n",
    TOP + 'x := sprintf("100%% of %s and %d", [concat(",", ["a", "b"]), 3])\n',
    TOP + "f(a) := other.call(a)\n",
    TOP + "mine := other.values\n\nf(a) := mine[a]\n",
    TOP + '# some other in a comment\nx := "some other in a text, %v"\n',
]


@pytest.mark.parametrize(("rule", "source"), [(rule, source) for rule, sources in BAD.items() for source in sources])
def test_what_is_not_portable_is_found(rule: str, source: str) -> None:
    assert {finding.rule for finding in LINT(source)} == {rule}


@pytest.mark.parametrize("source", GOOD)
def test_what_is_portable_is_clean(source: str) -> None:
    assert LINT(source) == []


def test_lines_are_right() -> None:
    assert [finding.line for finding in LINT(TOP + "a := 1\n\nx if {\n\ttrue\n\tsome a in input.l\n}\n")] == [10]


def test_the_library_is_portable() -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "rego", "rego_tests"],
        cwd=library.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_to_lint_is_an_error() -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "docs/none"], cwd=library.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
