"""What a control reads of the input is found in its rules, in doubt too much; every change of an input is made."""

from __future__ import annotations

from gate.evaluate.bundle import packaged_bundle
from gate.evaluate.reach import Reach
from gate.evaluate.sweep import CHANGES, Entry, Reads, changes, damaged, places, unread_sections
from gate.evaluate.syntax import parse
from gate.model.json import JsonObject

PATH = "gate/controls/a/b/b.rego"
HEAD = """package gate.controls.a.b

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.scanning
import future.keywords.not

default status := "error"

"""
LIBRARY = {path: parse(path, text) for path, text in packaged_bundle().modules.items() if "/lib/" in path}


def reads(rules: str) -> Reads:
    control = parse(PATH, HEAD + rules)
    return Reads({**LIBRARY, PATH: control}, control)


def test_finds_sections_through_the_library() -> None:
    found = reads('status := "pass" if count(things) > 0\n\nthings := {n | some n, _ in document.artifacts}\n')
    assert found.sections() == frozenset({"artifacts"})


def test_what_the_status_does_not_use_is_not_read() -> None:
    assert reads('status := "pass" if input.change\n\nreason := input.scans\n').sections() == frozenset({"change"})


def test_in_doubt_everything_is_read() -> None:
    assert reads('status := "pass" if input[data.gate.lib.x]\n').sections() is None
    assert reads('status := "pass" if { doc := input; doc.change }\n').sections() is None


def test_a_package_that_is_named_as_a_whole_is_read_as_a_whole() -> None:
    found = reads('status := "pass" if data.gate.lib.document[input.change]\n').sections()
    assert found is not None
    assert {"artifacts", "attestations", "change", "claims", "context", "findings", "scans"} <= found


def test_parameters_are_those_of_constant_names() -> None:
    assert reads('status := "pass" if parameters.of("a.b").x\n').parameters() == frozenset({"a.b"})
    assert reads('status := "pass" if scanning.usable("a.c")\n').parameters() == frozenset({"a.c"})
    assert reads('status := "pass" if parameters.of(input.change)\n').parameters() is None
    assert reads('status := "pass" if input.parameters.x\n').parameters() is None


def test_unread_sections_are_left_out() -> None:
    entries = list(
        unread_sections(
            {"scans": {}, "parameters": {"a.b": 1, "x.y": 2}}, reads('status := "pass" if parameters.of("a.b").x\n')
        )
    )
    assert [entry.path for entry in entries] == [
        ("scans",),
        ("scans", "**"),
        ("parameters", "x.y"),
        ("parameters", "x.y", "**"),
    ]


def test_names_the_rule_that_should_have_noticed() -> None:
    found = reads(
        'status := "pass" if { count(kinds) > 0; names }\n\n'
        "names := {n | some n, _ in document.artifacts}\n\n"
        "kinds := {a.kind | some a in document.artifacts}\n"
    )
    assert found.noticing(("artifacts", "x", "kind")).name == ("kinds",)
    assert found.noticing(("artifacts", "x", "path")).name == ("names",)
    assert found.noticing(("scans",)).name == ("status",)


def test_a_module_without_a_status_counts_as_a_whole() -> None:
    control = parse(PATH, "package gate.controls.a.b\n\np if input.x\n")
    assert Reads({PATH: control}, control).sections() == frozenset({"x"})


def test_references_reach_whole_packages() -> None:
    modules = {
        "a.rego": parse("a.rego", "package a\n\nimport data.b\n\np := b[input.x].y if data.c[[d.e(1)][0]]\n"),
        "b.rego": parse("b.rego", "package b.deep\n\nq := 1\n"),
        "c.rego": parse("c.rego", "package c\n\nr := 1\n"),
    }
    assert Reach(modules).direct("a.rego") == {"a.rego", "b.rego", "c.rego"}


def test_makes_every_change() -> None:
    document: JsonObject = {"a": [1, {"b": 0}]}
    assert list(places(document)) == [("a",), ("a", 0), ("a", 1), ("a", 1, "b")]
    made = list(changes(document, []))
    assert len(made) == 4 * len(CHANGES) - 1, "zero for zero is no change"
    assert damaged(document, ("a", 0), "delete") == {"a": [{"b": 0}]}
    assert document == {"a": [1, {"b": 0}]}
    assert (("a", 0), "zero", {"a": [0, {"b": 0}]}) in made


def test_false_for_zero_is_a_change() -> None:
    assert [change for _, change, _ in changes({"a": False}, [])] == sorted(CHANGES)


def test_entries_allow_what_they_say() -> None:
    entry = Entry(("a", "*", "**"), frozenset({"null"}), "reason")
    assert entry.allows(("a", "x", "y"), "null")
    assert entry.allows(("a", "x"), "null")
    assert not entry.allows(("a",), "null")
    assert not entry.allows(("a", "x"), "zero")
    assert entry.names == {"a"}
    assert Entry(("a", "*", "b"), CHANGES, "reason").names == {"b"}
