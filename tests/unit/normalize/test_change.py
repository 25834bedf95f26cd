"""`change` and `gates`: which statements cover a changed file, and which only seem to (DOCUMENTS 6)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.model.change import ChangeSet, ChangeSource, ChangeStatus, FileChange, FileSide
from gate.model.digest import Digest
from gate.model.evidence import Statement, Subject, Verified
from gate.model.settings import GateSettings, Steering
from gate.normalize.sections.change import change_sections
from tests.support.cases import change_of
from tests.support.evidence import digest_of

G1 = GateSettings("G001", ("app/**",), ("prompt", "eval"), "message")


def said(
    payload: str, claim: str, names: Mapping[str, str | None] | Sequence[tuple[str, str | None]], *ancestors: str
) -> Verified:
    """A verified statement that names some contents."""
    pairs = names.items() if isinstance(names, Mapping) else names
    resources = tuple(Subject(name, digest_of(text) if text is not None else None) for name, text in pairs)
    body = Statement(claim, "type", resources, resources, False, (), None, {}, {})
    line = tuple(sorted(digest_of(item) for item in ancestors))
    return Verified(digest_of(payload), digest_of(payload + "e"), "x.json", body, (), (), line)


def sections(change: ChangeSet, *verified: Verified, gates: Sequence[GateSettings] = (G1,), **roles: str) -> Any:
    named = {path.replace("__", "/").replace("_dot_", "."): role for path, role in roles.items()}
    return change_sections(change, {gate.id: gate for gate in gates}, Steering(named, ()), verified)


def covering(change: ChangeSet, *verified: Verified, path: str = "app/a", claim: str = "prompt") -> list[Digest]:
    return list(sections(change, *verified)[0]["files"][path]["covered_by"][claim])


ADDED = change_of(added={"app/a": "new"})
MODIFIED = change_of(modified={"app/a": ("old", "new")})


@pytest.mark.parametrize("change", [ADDED, MODIFIED])
def test_a_statement_that_names_the_bytes_covers_the_file(change: ChangeSet) -> None:
    assert covering(change, said("s", "prompt", {"app/a": "new"})) == [digest_of("s")]


@pytest.mark.parametrize("name", ["app/a", "a", "", "anything", "./app/a"])
def test_the_name_does_not_have_to_be_the_path(name: str) -> None:
    assert covering(ADDED, said("s", "prompt", {name: "new"})) == [digest_of("s")]


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        ("eval", {"app/a": "new"}),
        ("prompt.x", {"app/a": "new"}),
        ("prompt", {"app/a": "old"}),
        ("prompt", {"app/a": None}),
        ("prompt", {}),
        ("prompt", {"app/a": "old", "app/b": "new"}),
        ("prompt", {"a": "old", "b": "new"}),
        ("prompt", {"./app/a": "old", "./app/b": "new"}),
        ("prompt", {"./a": "old", "./b": "new"}),
        ("prompt", {"repo/app/a": "old", "repo/app/b": "new"}),
        ("prompt", {"/build/repo/app/a": "old", "/build/repo/app/b": "new"}),
        ("prompt", {"app/a": "old", "a": "new"}),
        ("prompt", {"app/a": "old", "repo/app/a": "new"}),
        ("prompt", {"a": "old", "repo/app/a": "new"}),
        ("prompt", {"a": "new", "repo/app/a": "old"}),
    ],
    ids=[
        "other claim",
        "longer claim",
        "old bytes",
        "no sha256",
        "nothing",
        "changed places",
        "changed places, short",
        "changed places, dot in front",
        "changed places, short with a dot",
        "changed places, another root",
        "changed places, absolute",
        "the path itself decides",
        "the path itself decides, another root",
        "short name says other bytes",
        "another root says other bytes",
    ],
)
def test_what_does_not_name_the_bytes_as_this_file_does_not_cover_it(claim: str, names: Mapping[str, Any]) -> None:
    assert covering(MODIFIED, said("s", claim, names)) == []


def test_a_relative_name_that_stands_for_two_files_may_have_either_bytes() -> None:
    assert covering(ADDED, said("s", "prompt", [("a", "new"), ("a", "other")])) == [digest_of("s")]


def test_all_covering_statements_are_listed_in_order() -> None:
    found = covering(ADDED, *(said(name, "prompt", {"app/a": "new"}) for name in "zyx"))
    assert found == sorted(digest_of(name) for name in "zyx")


# -- chains ------------------------------------------------------------------------------------------------------------


def test_a_statement_covers_what_the_statements_it_builds_on_cover() -> None:
    parent = said("p", "prompt", {"app/a": "new"})
    child = said("c", "eval", {"results": "r"}, "p")
    grandchild = said("g", "eval", {"report": "r2"}, "p", "c")
    found = covering(ADDED, parent, child, grandchild, claim="eval")
    assert found == sorted([digest_of("c"), digest_of("g")])


def test_a_chain_passes_nothing_down() -> None:
    parent, child = said("p", "prompt", {"x": "x"}), said("c", "eval", {"app/a": "new"}, "p")
    assert covering(ADDED, parent, child) == []


def test_a_chain_does_not_pass_on_bytes_under_a_foreign_name() -> None:
    parent = said("p", "prompt", {"app/a": "old", "app/b": "new"})
    child = said("c", "eval", {"results": "r"}, "p")
    assert covering(MODIFIED, parent, child, claim="eval") == []


# -- deletions ---------------------------------------------------------------------------------------------------------


def deletion(*left: str, old: str = "gone") -> ChangeSet:
    return change_of(deleted={"app/a": old}, folders={"app/a": frozenset(digest_of(text) for text in left)})


def test_a_deletion_is_covered_by_a_statement_about_the_folder_as_it_is_now() -> None:
    assert covering(deletion("b", "c"), said("s", "prompt", {"app/b": "b", "app/c": "c"})) == [digest_of("s")]


def test_a_deletion_is_covered_by_a_chain_about_the_folder_as_it_is_now() -> None:
    parent, child = said("p", "prompt", {"app/b": "b"}), said("c", "prompt", {"app/c": "c"}, "p")
    assert covering(deletion("b", "c"), parent, child) == [digest_of("c")]


def test_a_statement_from_before_a_deletion_does_not_cover_it() -> None:
    before = said("s", "prompt", {"app/a": "gone", "app/b": "b", "app/c": "c"})
    assert covering(deletion("b", "c"), before) == []
    assert covering(deletion("b", "c"), before, said("c", "prompt", {}, "s")) == []


@pytest.mark.parametrize("name", ["app/a", "a", "./app/a", "repo/app/a", "/build/repo/app/a"])
def test_a_statement_from_before_a_deletion_of_a_copy_does_not_cover_it(name: str) -> None:
    before = said("s", "prompt", {name: "b", "app/b": "b"})
    after = said("t", "prompt", {"app/b": "b"})
    assert covering(deletion("b", old="b"), before, after) == [digest_of("t")]


@pytest.mark.parametrize(
    "names", [{"app/b": "b"}, {"app/c": "c"}, {"x": "x"}, {}], ids=["part", "other part", "foreign", "nothing"]
)
def test_a_statement_about_part_of_the_folder_does_not_cover_a_deletion(names: Mapping[str, str]) -> None:
    assert covering(deletion("b", "c"), said("s", "prompt", names)) == []


def test_two_statements_do_not_cover_a_deletion_together() -> None:
    halves = said("s", "prompt", {"app/b": "b"}), said("t", "prompt", {"app/c": "c"})
    assert covering(deletion("b", "c"), *halves) == []


def test_the_deletion_of_the_last_file_is_covered_by_nothing() -> None:
    assert covering(deletion(), said("s", "prompt", {"app/a": "gone"}), said("t", "prompt", {})) == []


def test_a_deletion_whose_folder_is_unknown_is_covered_by_nothing() -> None:
    change = dataclasses.replace(deletion("b"), folders={})
    assert covering(change, said("s", "prompt", {"app/b": "b"})) == []


def test_a_deleted_link_is_covered_like_a_deleted_file() -> None:
    entry = FileChange(ChangeStatus.DELETED, FileSide("120000", None), None)
    change = dataclasses.replace(deletion("b"), files={"app/a": entry})
    assert covering(change, said("s", "prompt", {"app/b": "b"})) == [digest_of("s")]


def test_a_change_without_sides_is_covered_by_nothing_of_its_own() -> None:
    change = dataclasses.replace(deletion("b"), files={"app/a": FileChange(ChangeStatus.DELETED, None, None)})
    assert covering(change, said("s", "prompt", {"app/x": "x"})) == []


def test_what_has_no_content_is_covered_by_nothing() -> None:
    entry = FileChange(ChangeStatus.ADDED, None, FileSide("120000", None))
    change = dataclasses.replace(ADDED, files={"app/a": entry})
    assert covering(change, said("s", "prompt", {"app/a": "target"}), said("t", "prompt", {"app/a": None})) == []


TEXTS = st.sampled_from(["1", "2", "3"])
NAMES = st.sampled_from(["app/a", "./app/a", "repo/app/a", "app/b", "a", "other"])


@given(TEXTS, st.lists(st.tuples(NAMES, TEXTS), max_size=4), st.lists(st.tuples(NAMES, TEXTS), max_size=4))
def test_a_file_is_covered_by_the_plain_rule(now: str, first: Any, second: Any) -> None:
    """A statement, or one it builds on, has the bytes and does not give the names of the file to other bytes."""

    def holds(pairs: list[tuple[str, str]]) -> bool:
        groups = {"app/a", "./app/a"}, {"repo/app/a"}, {"a"}
        exact, *others = ([text for name, text in pairs if name in names] for names in groups)
        denied = now not in exact if exact else any(own and now not in own for own in others)
        return now in [text for _, text in pairs] and not denied

    parent, child = said("p", "prompt", first), said("c", "prompt", second, "p")
    expected = {digest_of("p")} if holds(first) else set()
    expected |= {digest_of("c")} if holds(first) or holds(second) else set()
    assert set(covering(change_of(added={"app/a": now}), parent, child)) == expected


# -- gates and roles ---------------------------------------------------------------------------------------------------


def test_gates_name_the_files_that_match_and_files_name_their_gates() -> None:
    gates = (
        G1,
        GateSettings("G002", ("app/a", "*.md"), ("eval",), ""),
        GateSettings("G003", ("none/**",), ("slo",), ""),
    )
    change, found = sections(change_of(added={"app/a": "1", "app/b": "2", "x.md": "3", "y": "4"}), gates=gates)
    assert {name: entry["files"] for name, entry in found.items()} == {
        "G001": ["app/a", "app/b"], "G002": ["app/a", "x.md"], "G003": [],
    }  # fmt: skip
    assert {name: entry["triggered"] for name, entry in found.items()} == {"G001": True, "G002": True, "G003": False}
    assert {path: entry["gates"] for path, entry in change["files"].items()} == {
        "app/a": ["G001", "G002"], "app/b": ["G001"], "x.md": ["G002"], "y": [],
    }  # fmt: skip


def test_a_file_is_asked_for_the_claims_of_its_gates() -> None:
    change, _ = sections(change_of(added={"app/a": "1", "y": "2"}))
    assert {path: set(entry["covered_by"]) for path, entry in change["files"].items()} == {
        "app/a": {"prompt", "eval"}, "y": set(),
    }  # fmt: skip


def test_a_file_that_steers_the_gate_is_asked_for_an_approval() -> None:
    approval = said("s", "approval", {"gate.yaml": "1"})
    change, _ = sections(change_of(added={"gate.yaml": "1", "y": "2"}), approval, gate_dot_yaml="configuration")
    assert change["files"]["gate.yaml"]["role"] == "configuration"
    assert change["files"]["gate.yaml"]["covered_by"] == {"approval": [digest_of("s")]}
    assert change["files"]["y"]["role"] is None


@pytest.mark.parametrize(
    ("names", "covers"),
    [
        ({"keys/a.pub": "1"}, True),
        ({"./keys/a.pub": "1"}, True),
        ({"keys/a.pub": "1", "keys/b.pub": "2"}, True),
        ({"a.pub": "1"}, False),
        ({"repo/keys/a.pub": "1"}, False),
        ({"other": "1"}, False),
        ({"keys/a.pub": "2"}, False),
        ({"keys/a.pub": "2", "other": "1"}, False),
        ({"keys/a.pub": None}, False),
    ],
)
def test_an_approval_of_a_file_that_steers_the_gate_names_it_in_full(names: Mapping[str, Any], covers: bool) -> None:
    change, _ = sections(change_of(added={"keys/a.pub": "1"}), said("s", "approval", names), keys__a_dot_pub="key")
    assert change["files"]["keys/a.pub"]["covered_by"] == {"approval": [digest_of("s")] if covers else []}


def test_no_other_statement_and_no_chain_approves_a_file_that_steers_the_gate() -> None:
    parent, child = said("p", "prompt", {"gate.yaml": "1"}), said("c", "approval", {"x": "x"}, "p")
    change, _ = sections(change_of(added={"gate.yaml": "1"}), parent, child, gate_dot_yaml="configuration")
    assert change["files"]["gate.yaml"]["covered_by"] == {"approval": []}


def test_the_resources_of_an_approval_that_are_no_subjects_do_not_count() -> None:
    approval = said("s", "approval", {"gate.yaml": "1"})
    without = dataclasses.replace(approval, statement=dataclasses.replace(approval.statement, subjects=()))
    change, _ = sections(change_of(added={"gate.yaml": "1"}), without, gate_dot_yaml="configuration")
    assert change["files"]["gate.yaml"]["covered_by"] == {"approval": []}


def test_a_link_that_steers_the_gate_is_approved_by_nothing() -> None:
    entry = FileChange(ChangeStatus.ADDED, None, FileSide("120000", None))
    change = dataclasses.replace(ADDED, files={"gate.yaml": entry})
    found, _ = sections(change, said("s", "approval", {"gate.yaml": "1"}), gate_dot_yaml="configuration")
    assert found["files"]["gate.yaml"]["covered_by"] == {"approval": []}


@pytest.mark.parametrize(
    ("names", "folders", "approves"),
    [
        ({"keys/b.pub": "2"}, ("keys",), True),
        ({"keys/b.pub": "2"}, (), False),
        ({"keys/b.pub": "2"}, ("other",), False),
        ({"keys/b.pub": "2", "keys/a.pub": "1"}, ("keys",), False),
    ],
)
def test_the_deletion_of_a_file_that_steers_the_gate_is_approved_by_its_whole_folder(
    names: dict[str, str], folders: tuple[str, ...], approves: bool
) -> None:
    change = change_of(deleted={"keys/a.pub": "1"}, folders={"keys/a.pub": frozenset({digest_of("2")})})
    item = said("s", "approval", names)
    item = dataclasses.replace(item, statement=dataclasses.replace(item.statement, located=True, folders=folders))
    found, _ = sections(change, item, keys__a_dot_pub="key")
    assert found["files"]["keys/a.pub"]["covered_by"] == {"approval": [digest_of("s")] if approves else []}


def test_a_statement_that_names_paths_covers_no_copy_at_another_path() -> None:
    item = said("s", "prompt", {"app/a.txt": "1"})
    located = dataclasses.replace(item, statement=dataclasses.replace(item.statement, located=True))
    for path, covered in (("app/a.txt", True), ("app/b.txt", False), ("app/app/a.txt", False)):
        found = covering(change_of(added={path: "1"}), located, path=path)
        assert found == ([digest_of("s")] if covered else []), path


def test_a_deletion_is_covered_by_paths_only_if_their_folder_is_attested_whole() -> None:
    change = change_of(deleted={"app/old.txt": "1"}, folders={"app/old.txt": frozenset({digest_of("2")})})
    item = said("s", "prompt", {"app/new.txt": "2"})
    for folders, covered in (((), False), (("app",), True), (("lib",), False)):
        changed = dataclasses.replace(item.statement, located=True, folders=folders)
        found = covering(change, dataclasses.replace(item, statement=changed), path="app/old.txt")
        assert found == ([digest_of("s")] if covered else [])


# -- what triggers a gate ----------------------------------------------------------------------------------------------

PLAIN, LINK, SUBMODULE = FileSide("100644", digest_of("1")), FileSide("120000", None), FileSide("160000", None)


@pytest.mark.parametrize(
    ("old", "new", "gates"),
    [
        (None, PLAIN, []),
        (PLAIN, None, []),
        (PLAIN, FileSide("100755", digest_of("2")), []),
        (None, LINK, ["G001", "G002"]),
        (None, SUBMODULE, ["G001", "G002"]),
        (LINK, None, ["G001", "G002"]),
        (SUBMODULE, PLAIN, ["G001", "G002"]),
        (PLAIN, LINK, ["G001", "G002"]),
    ],
)
def test_s21_a_link_or_submodule_above_what_a_gate_names_triggers_it(
    old: FileSide | None, new: FileSide | None, gates: list[str]
) -> None:
    settings = [
        GateSettings("G001", ("**/system.txt",), (), ""),
        GateSettings("G002", ("none", "app/*/prompts/**"), (), ""),
        GateSettings("G003", ("lib/**",), (), ""),
    ]
    change = dataclasses.replace(ADDED, files={"app/new": FileChange(ChangeStatus.MODIFIED, old, new)})
    assert sections(change, gates=settings)[0]["files"]["app/new"]["gates"] == gates


@pytest.mark.parametrize("path", ["App/a", "ap\u200bp/a", "APP/x/Y", "\uff41pp/a"], ids=ascii)
def test_s20_a_look_alike_of_a_path_that_a_gate_names_triggers_it(path: str) -> None:
    change, gates = sections(change_of(added={path: "1"}))
    assert change["files"][path]["gates"] == ["G001"]
    assert gates["G001"]["files"] == [path]


@pytest.mark.parametrize("source", ChangeSource)
def test_the_section_says_where_the_change_comes_from(source: ChangeSource) -> None:
    change, _ = sections(change_of(source=source, dirty=True))
    assert change["status"] == source.value
    assert change["dirty"] is True
    assert (change["base"] is None) == (source is ChangeSource.EVERYTHING)


@pytest.mark.parametrize("status", ChangeStatus)
def test_both_sides_are_shown(status: ChangeStatus) -> None:
    entry = FileChange(status, FileSide("100644", digest_of("o")), FileSide("120000", None))
    change, _ = sections(dataclasses.replace(ADDED, files={"app/a": entry}))
    found = change["files"]["app/a"]
    assert found["status"] == status.value
    assert found["old"] == {"mode": "100644", "digest": digest_of("o")}
    assert found["new"] == {"mode": "120000", "digest": None}
