"""The policy bundle: what it holds, and that its digest covers every byte of it (SECURITY 27)."""

from __future__ import annotations

import re

import pytest

from gate import resources
from gate.app.policy_new import NewControl, control_files
from gate.errors import PolicyError
from gate.evaluate.bundle import make_bundle, packaged_bundle, with_own_controls
from gate.evaluate.syntax import parse
from tests.support.cases import packaged

CONTROL = "gate/controls/a/one/one.rego"
TEST = "gate/controls/a/one/one_test.rego"
MAIN = "gate/main/main.rego"


def test_the_packaged_bundle_is_what_is_installed() -> None:
    bundle = packaged_bundle()
    assert dict(bundle.files) == {path: data for path, data in resources.rego_files().items() if path != ".manifest"}
    assert bundle.digest == packaged().digest


@pytest.mark.parametrize("path", sorted(packaged().files))
def test_s27_the_digest_changes_with_each_file(path: str) -> None:
    files = dict(packaged().files)
    data = files.pop(path)
    variants = [files, {**files, path: data + b" "}, {**files, path: data[:-1]}]
    found = {make_bundle(variant).digest for variant in variants}
    assert len(found) == 3
    assert packaged().digest not in found


def test_s27_the_digest_changes_with_an_extra_file() -> None:
    assert make_bundle({**packaged().files, "gate/extra.rego": b""}).digest != packaged().digest


def test_s27_contents_that_changed_places_give_another_digest() -> None:
    first, second = make_bundle({CONTROL: b"1", MAIN: b"2"}), make_bundle({CONTROL: b"2", MAIN: b"1"})
    assert first.digest != second.digest


def test_what_is_not_evaluated_is_not_part_of_the_policy() -> None:
    more = {"notes.md": b"", "gate/a/a_test.rego": b"", "docs/data.json": b"", ".manifest": b"{}"}
    bundle = make_bundle({**packaged().files, **more})
    assert bundle == packaged()


def test_the_digest_does_not_depend_on_the_order() -> None:
    turned = dict(reversed(list(packaged().files.items())))
    assert make_bundle(turned).digest == packaged().digest


@pytest.mark.parametrize(
    "files",
    [
        {},
        {MAIN: b"package gate.main"},
        {TEST: b"package gate.controls.a.one_test"},
        {TEST: b"", "gate/controls/a/one/one.json": b"{}", MAIN: b""},
        {"controls/a/one/one.rego": b""},
        {"gate/controls/a/one/one.rego.bak": b""},
    ],
    ids=["empty", "no control", "tests only", "tests and data", "another root", "another name"],
)
def test_s25_a_policy_without_a_control_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(PolicyError, match="holds no control") as caught:
        make_bundle(files)
    assert (caught.value.exit_code, caught.value.hint) == (4, "the installation is damaged: install gate again")


def test_tests_and_other_files_are_no_modules() -> None:
    bundle = make_bundle({CONTROL: b"package a", TEST: b"package a_test", "gate/profiles/p/data.json": b"{}"})
    assert dict(bundle.modules) == {CONTROL: "package a"}


def test_a_module_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(PolicyError, match="not UTF-8"):
        _ = make_bundle({CONTROL: b"\xff"}).modules


def test_profiles_are_found_by_name() -> None:
    files = {
        CONTROL: b"",
        "gate/profiles/p/data.json": b"1",
        "gate/profiles/p/readme.md": b"2",
        "gate/x/data.json": b"3",
    }
    assert dict(make_bundle(files).profiles) == {"p": b"1"}


def test_a_bundle_does_not_change_after_it_was_made() -> None:
    files = {CONTROL: b"1"}
    bundle = make_bundle(files)
    files[CONTROL] = b"2"
    assert bundle.files[CONTROL] == b"1"
    with pytest.raises(TypeError):
        bundle.files[CONTROL] = b"3"  # type: ignore[index]


OWN = control_files(NewControl("team.evaluated"))
PLACE = "gate/controls/team/evaluated/evaluated.rego"
RULES = {PLACE: OWN[PLACE]}
MODES = b'{"extends": "baseline", "controls": {}}'
OWN_FILES = {
    PLACE: OWN[PLACE],
    PLACE.replace(".rego", "_test.rego"): b"package no",
    "gate/profiles/team/data.json": MODES,
}
PINNED = "gate/controls/artifact/pinned/pinned.rego"
WRONG: dict[str, tuple[dict[str, bytes], str]] = {
    "a module in the library's package": (
        {"custom/team/main/main.rego": b"package gate.main\n"},
        "has the package gate.main",
    ),
    "a module in another control's package": (
        {"custom/team/x/x.rego": b"package gate.controls.artifact.signed\n"},
        "has the package gate.controls.artifact.signed",
    ),
    "a file in the library's lib": ({"gate/lib/result/result.rego": b"package gate.lib.result\n"}, "no part of"),
    "a file in the library's main": ({"gate/main/main.rego": b"package gate.main\n"}, "no part of"),
    "a new file in the library's lib": ({"gate/lib/more/more.rego": b"package gate.lib.more\n"}, "no part of"),
    "two files in one package": (
        {"custom/lib/a/b.rego": b"package custom.lib.a\n"},
        "no part of",
    ),
    "a package within another": ({"custom/lib/a/b/b.rego": b"package custom.lib.a.b\n"}, "no part of"),
    "a control of the library": (
        {"gate/controls/artifact/signed/signed.rego": b"package gate.controls.artifact.signed\n"},
        "the control artifact.signed is there already",
    ),
    "a profile of the library": ({"gate/profiles/baseline/data.json": MODES}, "is there already"),
    "a control in the wrong folder": ({"gate/controls/a/b/c.rego": b"package gate.controls.a.b\n"}, "lies in"),
    "a control named like a test": (
        {"gate/controls/a/b_test/b_test.rego": b"package gate.controls.a.b_test\n"},
        "taken for a test",
    ),
    "data": ({"gate/controls/a/b/data.json": b"{}"}, "lies in"),
    "data at the top": ({"data.json": b"{}"}, "no part of"),
    "data in YAML": ({"gate/profiles/team/data.yaml": b"{}"}, "no part of"),
    "a module that is not UTF-8": ({"custom/lib/a/a.rego": b"package custom.lib.a\n\xff"}, "not UTF-8"),
    "a module without a package": ({"custom/lib/a/a.rego": b"x := 1\n"}, "does not start with its package"),
    "an empty module": ({"custom/lib/a/a.rego": b"# only a comment\n"}, "does not start with its package"),
    "more behind the package": ({"custom/lib/a/a.rego": b"package custom.lib.a; x := 1\n"}, "does not start with"),
    "another package in a comment": (
        {"custom/lib/a/a.rego": b"# package custom.lib.a\npackage gate.main\n"},
        "has the package gate.main",
    ),
    "a control without METADATA": ({"custom/team/x/x.rego": b"package custom.team.x\n"}, "no METADATA"),
}


@pytest.mark.parametrize(("files", "words"), WRONG.values(), ids=WRONG)
def test_s27_what_is_no_own_control_is_refused(files: dict[str, bytes], words: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(words)):
        _ = with_own_controls(packaged(), [RULES, files]).catalogue


def test_own_controls_stand_beside_the_library() -> None:
    shared = {"custom/lib/words/words.rego": b"package custom.lib.words\n"}
    bundle = with_own_controls(packaged(), [OWN_FILES, shared])
    assert bundle.own == ("team.evaluated",)
    assert bundle.replaced == ()
    assert set(bundle.catalogue) == {*packaged().catalogue, "team.evaluated"}
    assert set(bundle.profiles) == {*packaged().profiles, "team"}
    assert set(bundle.modules) == {*packaged().modules, PLACE, "custom/lib/words/words.rego"}
    assert bundle.digest != packaged().digest


def test_no_own_control_is_the_library() -> None:
    assert with_own_controls(packaged(), []) == packaged()
    assert with_own_controls(packaged(), [{}]) == packaged()


def test_a_control_of_the_library_is_replaced_only_when_that_is_said() -> None:
    files = {PINNED: packaged().files[PINNED] + b"\n"}
    bundle = with_own_controls(packaged(), [files], ["artifact.pinned"])
    assert (bundle.own, bundle.replaced) == (("artifact.pinned",), ("artifact.pinned",))
    assert bundle.files[PINNED] == files[PINNED]
    with pytest.raises(PolicyError, match=r"artifact\.pinned is there already") as caught:
        with_own_controls(packaged(), [files])
    assert "policy.replaces" in caught.value.hint


@pytest.mark.parametrize("control", ["artifact.pinned", "team.evaluated", "scan.malwre"])
def test_replaces_of_nothing_is_refused(control: str) -> None:
    with pytest.raises(PolicyError, match=f"{control} replaces nothing"):
        with_own_controls(packaged(), [RULES], [control])


@pytest.mark.parametrize("files", [RULES, {PINNED: packaged().files[PINNED]}], ids=["own", "replaced"])
def test_no_directory_takes_the_place_of_anothers_file(files: dict[str, bytes]) -> None:
    replaces = ["artifact.pinned"] if PINNED in files else []
    with pytest.raises(PolicyError, match="is there already") as caught:
        with_own_controls(packaged(), [files, files], replaces)
    assert "replaces" not in caught.value.hint


@pytest.mark.parametrize(
    "source",
    ["# a\rpackage gate.main\npackage custom.lib.a\n", "# package gate.main\n\n  package custom.lib.a # x\nx := 1\n"],
)
def test_the_package_is_the_one_that_the_engine_sees(source: str) -> None:
    path = "custom/lib/a/a.rego"
    try:
        seen = parse(path, source).package
    except PolicyError:
        return
    try:
        with_own_controls(packaged(), [{path: source.encode()}])
    except PolicyError:
        return
    assert seen == ("custom", "lib", "a")
