"""Mutants are made from the syntax tree: each is one change of meaning, at its place."""

from __future__ import annotations

import pytest

from gate.evaluate.mutants import Mutant, mutants
from gate.evaluate.regorus import CompiledRules
from gate.evaluate.syntax import Module, parse

HEAD = "package a\n\nimport future.keywords.not\n\n"


def module(rules: str) -> Module:
    return parse("a.rego", HEAD + rules)


def changed(rules: str) -> set[str]:
    """The rules after each change."""
    found = module(rules)
    return {mutant.apply(found).removeprefix(HEAD).rstrip(" ") for mutant in mutants(found)}


def by_name(rules: str) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in mutants(module(rules))}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("p if input.a == 1", {"p if input.a != 1", "p if true", "p if input.a == 2", "p if input.a == 0", ""}),
        ("p if input.a > 1", {"p if input.a >= 1", "p if input.a < 1"}),
        ("p if input.a >= -1", {"p if input.a > -1", "p if input.a < -1", "p if input.a >= 0"}),
        ("p if input.a < 0.5", {"p if input.a <= 0.5", "p if input.a < 0.5 + 1"}),
        ("p if not input.a", {"p if input.a", "p if true"}),
        ("p if { input.a; input.b }", {"p if { true; input.b }", "p if { input.a; true }", "p := true"}),
        ("p if count(input.a) > 0", {"p if 1 + count(input.a) > 0"}),
        ("p if is_string(input.a)", {"p if is_null(input.a)"}),
        ("p if is_null(input.a)", {"p if is_string(input.a)"}),
        ('p if input.a in {"x", "y"}', {'p if input.a in {"y"}', 'p if input.a in {"x"}', "p if input.a in set()"}),
        ("p := input.a - input.b", {"p := input.a + input.b", "p := input.a"}),
        ("p := input.a & input.b", {"p := input.a | input.b"}),
        ("p := input.a | input.b", {"p := input.a & input.b", "p := input.a"}),
        ("p := [x | some x in input.a; x]", {"p := []", "p := [x | some x in input.a; true]"}),
        ('p := {"a": 1, "b": true}', {"p := {}", 'p := {"b": true}', 'p := {"a": 1}', 'p := {"a": 1, "b": false}'}),
        ("default p := false", {"default p := true"}),
        ('status := "fail" if input.a', {'status := "pass" if input.a'}),
        ('p if input.a == "x y"', {'p if input.a == ""'}),
        ('p if input.a == ""', {'p if input.a == "x"'}),
        ("f(a) := 1 if { a } else := 2", {"f(a) := 1 if { a }", "f(a) := 1 if { a } else := 3"}),
        ("p contains x if { some x in input.a; x > 1 }", {"p contains x if { some x in input.a; true }"}),
        (
            "p if {\n\tevery x in input.a {\n\t\tx == 1\n\t}\n}",
            {"p if {\n\tsome x in input.a\nx == 1\n}", "p if {\n\ttrue\n}"},
        ),
    ],
)
def test_changes_one_place(rules: str, expected: set[str]) -> None:
    assert expected <= changed(rules)


@pytest.mark.parametrize("rules", ['p := sprintf("%s and %d", [input.a, 2])', 'p := "for people"'])
def test_leaves_wording_alone(rules: str) -> None:
    assert not any('""' in text for text in changed(rules))


def test_leaves_patterns_and_what_binds_alone() -> None:
    rules = "p if { some [a, b] in input.a; c := a; c == b }"
    assert not any("some [a]" in text or "some []" in text or "true; c ==" in text for text in changed(rules))


def test_ends_a_rule_at_an_empty_set() -> None:
    found = changed("p := set()\n\nq := 1\n")
    assert "\n\nq := 1\n" in found
    assert "p := set()\n\n\n" in found


def test_a_function_that_is_no_plain_name_keeps_its_arguments() -> None:
    assert "p if regex.match(``, input.a)" not in changed("p if regex.match(`^a`, input.a)")
    assert 'p if regex.match("", input.a)' in changed("p if regex.match(`^a`, input.a)")


def test_says_where_and_what() -> None:
    mutant = by_name("p if {\n\tinput.a > 1\n}\n")["p: input.a > 1: > -> >="]
    assert (mutant.line, mutant.column, mutant.before, mutant.after) == (6, 10, ">", ">=")
    assert mutant.lines(module("p if {\n\tinput.a > 1\n}\n")) == ("input.a > 1", "input.a >= 1")
    assert mutant.advice == "the two sides are equal, or the one is just past the other"


def test_shows_no_new_line_when_the_first_is_the_same() -> None:
    rules = "p if {\n\tevery x in input.a {\n\t\tx == 1\n\t}\n}\n"
    found = module(rules)
    old, new = next(mutant for mutant in mutants(found) if mutant.name.endswith("rule dropped")).lines(found)
    assert (old, new) == ("p if {", "")


def test_names_of_equal_changes_differ() -> None:
    names = by_name("p if { input.a == 1; input.b == 1 }\n\np if input.a == 2\n")
    assert any(name.endswith("1 -> 2") for name in names)
    assert any(name.endswith("1 -> 2 (2)") for name in names)


def test_mutants_of_a_sound_module_mostly_load() -> None:
    found = module('p if { input.a == 1; not input.b in {"x"} }\n\nq := input.c\n')
    loaded = [
        CompiledRules({"a.rego": item.apply(found)}, ["data.a.q"]) for item in mutants(found) if "p:" in item.name
    ]
    assert len(loaded) >= 8
