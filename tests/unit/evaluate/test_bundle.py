"""The policy bundle: what it holds, and that its digest covers every byte of it (SECURITY 27)."""

from __future__ import annotations

import pytest

from gate import resources
from gate.errors import PolicyError
from gate.evaluate.bundle import make_bundle, packaged_bundle
from tests.support.cases import packaged

CONTROL = "gate/controls/a/one/one.rego"
TEST = "gate/controls/a/one/one_test.rego"
MAIN = "gate/main/main.rego"


def test_the_packaged_bundle_is_what_is_installed() -> None:
    bundle = packaged_bundle()
    assert dict(bundle.files) == resources.rego_files()
    assert bundle.digest == packaged().digest


@pytest.mark.parametrize("path", sorted(packaged().files))
def test_s27_the_digest_changes_with_each_file(path: str) -> None:
    files = dict(packaged().files)
    data = files.pop(path)
    variants = [files, {**files, path: data + b" "}, {**files, f"{path}x": data}, {**files, path: data[:-1]}]
    found = {make_bundle(variant).digest for variant in variants}
    assert len(found) == 4
    assert packaged().digest not in found


def test_s27_the_digest_changes_with_an_extra_file() -> None:
    assert make_bundle({**packaged().files, "gate/extra.rego": b""}).digest != packaged().digest


def test_s27_contents_that_changed_places_give_another_digest() -> None:
    first, second = make_bundle({CONTROL: b"1", MAIN: b"2"}), make_bundle({CONTROL: b"2", MAIN: b"1"})
    assert first.digest != second.digest


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
