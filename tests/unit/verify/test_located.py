"""Statements whose subjects are paths below the root, against a naive model of what they say (SECURITY 12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.model.digest import Digest
from gate.model.evidence import Statement, Subject
from gate.verify.located import Place, Places, misplaced, named_paths, named_places
from tests.support.evidence import digest_of

X, Y = digest_of("x"), digest_of("y")
NAMES: Final = ("a", "b", "a/b", "a/c", "a/b/c", "a/b/d", "ab/c", "A/b", "b/a")
FOLDERS: Final = ("a", "a/b", "ab", "b", "A")


def said(files: Mapping[str, Digest], folders: tuple[str, ...] = ()) -> Statement:
    subjects = tuple(Subject(name, digest) for name, digest in files.items())
    return Statement("prompt", "urn:x", subjects, subjects, False, (), None, {}, {}, True, folders)


def folder(path: str, files: Mapping[str, Digest | None]) -> Place:
    return Place(path, folder=True, files={f"{path}/{name}": digest for name, digest in files.items()})


def one(place: Place, files: Mapping[str, Digest], *folders: str) -> tuple[bool, tuple[str, ...]]:
    covers, problems = Places({"k": place}).relate(said(files, folders))
    assert set(covers).isdisjoint(problems)
    return covers == ["k"], problems.get("k", ())


HERE: Final = folder("app", {"a": X, "t/b": Y})
GOOD: Final = {"app/a": X, "app/t/b": Y}


def test_all_files_with_their_digests_cover_a_folder() -> None:
    assert one(HERE, GOOD) == (True, ())
    assert one(HERE, GOOD, "app") == (True, ())
    assert one(HERE, {**GOOD, "elsewhere/c": X}, "app", "elsewhere") == (True, ())


@pytest.mark.parametrize(
    ("place", "files", "folders", "words"),
    [
        (HERE, {**GOOD, "app/a": Y}, (), "attested was"),
        (HERE, {"app/a": Y, "app/t/b": X}, (), "attested was"),
        (HERE, {**GOOD, "app/c": X}, (), "not there"),
        (HERE, {"app/a": X, "app/b": Y}, (), "not there"),
        (HERE, {"app/a": X, "app/T/b": Y}, (), "not there"),
        (HERE, {"app/a": X}, ("app",), "not attested"),
        (HERE, {"app/a": X}, ("app/t",), "not attested"),
        (HERE, {}, ("app",), "not attested"),
        (folder("app", {}), {"app/a": X}, ("app",), "not there"),
        (folder("app", {"a": X, "t/b": None}), GOOD, (), "link or a device"),
        (folder("app", {"a": X, "t/b": Y, "link": None}), GOOD, ("app",), "not attested"),
        (Place("app/a", folder=False, files={"app/a": Y}), GOOD, (), "attested was"),
        (Place("app/a", folder=False, files={}), GOOD, (), "not there"),
        (Place("app/new", folder=False, files={"app/new": X}), GOOD, ("app",), "not attested"),
        (folder("app", {"a": X, "t/b": Y}), {"app": X, **GOOD}, (), "not there"),
    ],
)
def test_what_differs_is_named(place: Place, files: dict[str, Digest], folders: tuple[str, ...], words: str) -> None:
    covered, problems = one(place, files, *folders)
    assert not covered
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("place", "files", "folders"),
    [
        (HERE, {"app/a": X}, ()),
        (HERE, {"other/a": X}, ("other",)),
        (HERE, {"a": X, "t/b": Y}, ()),
        (HERE, {"application/a": X}, ("ap", "app/a2")),
        (folder("app", {}), {}, ("app",)),
        (Place("app/gone", folder=False, files={}), GOOD, ("app",)),
        (Place("app/a", folder=False, files={"app/a": X}), {"app": X}, ()),
        (Place("app/a", folder=False, files={"app/a": X}), {"app/a/b": X}, ()),
    ],
)
def test_what_is_not_all_said_is_not_covered_and_no_contradiction(
    place: Place, files: dict[str, Digest], folders: tuple[str, ...]
) -> None:
    assert one(place, files, *folders) == (False, ())


def test_all_that_differs_is_named_not_only_the_first() -> None:
    files = {"app/a": Y, "app/t/b": X, "app/gone": X}
    covered, problems = one(folder("app", {"a": X, "t/b": Y, "more": X, "most": X}), files, "app")
    assert (covered, len(problems)) == (False, 5)


PLACES = st.builds(
    lambda path, is_folder, found: (
        folder(path, found) if is_folder else Place(path, folder=False, files={path: X} if found else {})
    ),
    st.sampled_from(FOLDERS),
    st.booleans(),
    st.dictionaries(st.sampled_from(("b", "c", "b/c", "b/d")), st.sampled_from((X, Y, None)), max_size=3),
)


@given(
    st.lists(PLACES, max_size=4),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from((X, Y)), max_size=6),
    st.sets(st.sampled_from(FOLDERS), max_size=2),
)
def test_the_index_says_what_the_naive_model_says(
    places: list[Place], files: dict[str, Digest], folders: set[str]
) -> None:
    listed = {str(number): place for number, place in enumerate(places)}
    covers, problems = Places(listed).relate(said(files, tuple(sorted(folders))))
    for key, place in listed.items():
        inside = {name for name in files if name == place.path or (place.folder and name.startswith(place.path + "/"))}
        wrong = {name for name in inside if place.files.get(name) != files[name]}
        added = {
            path for path in place.files if path not in files and any(path.startswith(f"{item}/") for item in folders)
        }
        assert len(problems.get(key, ())) == len(wrong | added)
        assert (key in covers) == (bool(place.files) and not wrong and place.files.keys() <= files.keys())


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../x", "./x", "a//x", "a/", "", ".", "..", "a\\b", "C:x", "a\x00b", "a\nb", "/dev/zero"]
)
def test_a_path_that_leaves_the_root_or_is_none(name: str) -> None:
    assert misplaced(said({"ok": X, name: X})) == name
    assert misplaced(said({"ok": X}, ("ok", name))) == name


def test_paths_below_the_root() -> None:
    assert misplaced(said({"a/b c/\u00e9": X}, ("a",))) is None


# -- places that only statements name ----------------------------------------------------------------------------------


def test_paths_outside_of_artifacts_are_named() -> None:
    approval = said({"sha256:" + "0" * 64: X, "lib/c": X})
    plain = Statement("prompt", "urn:x", (Subject("z", X),), (), False, (), None, {}, {})
    statements = [said({"app/a": X, "app": X, "shared/b": Y}, ("app/t", "shared")), approval, plain]
    assert named_paths(statements, {"app"}) == ({"shared/b", "lib/c"}, {"shared"})
    assert named_paths([], set()) == (set(), set())


def test_what_a_statement_names_elsewhere_has_to_be_there_too() -> None:
    statement = said({**GOOD, "shared/p": Y}, ("shared",))
    for there, wrong in (
        ({"shared/p": Y}, False),
        ({"shared/p": X}, True),
        ({"shared/p": None}, True),
        ({}, True),
        ({"shared/p": Y, "shared/q": X}, True),
    ):
        places = Places({"k": HERE}, named_places({"shared/p"}, {"shared"}, there))
        covers, problems = places.relate(statement)
        assert ("k" in covers, bool(problems)) == (True, wrong), there


def test_a_statement_of_which_nothing_is_here_is_about_another_tree() -> None:
    statement = said({"shared/p": Y}, ("shared",))
    assert Places({"k": HERE}, named_places({"shared/p"}, {"shared"}, {})).relate(statement) == ([], {})
    assert Places({}, named_places({"shared/p"}, {"shared"}, {"shared/q": X})).relate(statement) == ([], {})


def test_named_places_hold_what_is_there() -> None:
    there = {"a": X, "f/b": Y, "g/c": X, "fb": X}
    assert named_places({"a", "z"}, {"f"}, there) == {
        "path:a": Place("a", folder=False, files={"a": X}),
        "path:z": Place("z", folder=False, files={}),
        "path:f/": Place("f", folder=True, files={"f/b": Y}),
    }
