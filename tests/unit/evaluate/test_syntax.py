"""Rego source as a syntax tree: what is read of it, and a tree of another shape is refused without a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gate.errors import PolicyError
from gate.evaluate import syntax
from gate.evaluate.regorus import parse_module
from gate.evaluate.syntax import parse

PATH = "own.rego"
SOURCE = "package own\n\nimport data.other as part\n\nx := part.list[0].kind\n"


def parse_changed(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """Parses the source with an engine whose tree is what `change` makes of the true one."""
    tree = json.dumps(change(json.loads(parse_module(PATH, SOURCE))))
    monkeypatch.setattr(syntax, "parse_module", lambda *_: tree)
    syntax.parse.cache_clear()
    parse(PATH, SOURCE)


def changed(*place: str | int, value: Any) -> Callable[[Any], Any]:
    """What puts a value at a place in the tree."""

    def change(tree: Any) -> Any:
        here = tree
        for step in place[:-1]:
            here = here[step]
        here[place[-1]] = value
        return tree

    return change


def test_a_module_is_read_as_it_is_written() -> None:
    module = parse(PATH, SOURCE)
    (rule,) = module.rules
    assert (module.package, module.imports) == (("own",), {"part": ("data", "other")})
    assert (rule.kind, rule.name, rule.bodies) == ("complete", ("x",), ())
    assert rule.value is not None
    assert module.text(rule.value) == "part.list[0].kind"


def test_a_path_ends_before_the_first_index_that_is_not_constant() -> None:
    value = parse(PATH, SOURCE).rules[0].value
    assert value is not None
    assert (value.path, value.is_constant_path) == (("part", "list"), False)


def test_what_is_no_reference_has_no_path() -> None:
    value = parse(PATH, "package own\n\nx := 1 + 2\n").rules[0].value
    assert value is not None
    assert (value.kind, value.path, value.is_constant_path) == ("ArithExpr", (), False)


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree[0],
        lambda _: ["own"],
        lambda _: None,
        changed(0, "ast", value=[]),
        changed(0, "ast", "rules", value={}),
        changed(0, "ast", "imports", value="none"),
        changed(0, "ast", "rules", 0, value="x := 1"),
        changed(0, "ast", "package", "refr", "Var", "span", "start", value="8"),
        changed(0, "ast", "package", "refr", "Var", "span", value=None),
    ],
)
def test_a_tree_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    with pytest.raises(PolicyError, match="syntax tree has another shape than expected"):
        parse_changed(monkeypatch, change)


def test_an_unknown_part_of_a_tree_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PolicyError, match="unknown part 'Lambda'"):
        parse_changed(monkeypatch, changed(0, "ast", "package", "refr", value={"Lambda": {}}))
