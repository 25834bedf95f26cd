"""`gate policy new`: what is written works, nothing is overwritten, and it is all or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.app.policy_lint import lint_policy
from gate.app.policy_new import NewControl, control_files, new_control
from gate.attest.files import create_file
from gate.errors import AttestError, ConfigError
from gate.evaluate.catalogue import read_control
from gate.formats.schema import problem
from gate.model.artifact import ArtifactKind
from gate.model.claim import CLAIMS


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("control", ["team.tested", "custom.team.tested", "scan.mine", "a.b"])
def test_a_new_control_is_written_and_clean(tmp_path: Path, control: str) -> None:
    begun = new_control(tmp_path, NewControl(control))
    assert sorted(begun.written) == sorted(tree(tmp_path))
    assert begun.profile == "team"
    assert lint_policy(tmp_path).findings == ()
    profile = json.loads((tmp_path / "policy/gate/profiles/team/data.json").read_text())
    assert (profile["extends"], profile["controls"]) == ("baseline", {control: {"mode": "enforce"}})


def test_a_second_control_leaves_the_profile(tmp_path: Path) -> None:
    new_control(tmp_path, NewControl("team.one"))
    before = tree(tmp_path)
    begun = new_control(tmp_path, NewControl("team.two", title='Two: it\'s "quoted" # here'))
    assert begun.profile is None
    assert before.items() <= tree(tmp_path).items()
    assert lint_policy(tmp_path).controls == 2
    assert lint_policy(tmp_path).findings == ()


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_every_claim_gives_valid_documents(claim: str) -> None:
    for kind in ArtifactKind:
        files = control_files(NewControl("a.b", claim=claim, kind=kind.value))
        control = read_control("gate/controls/a/b/b.rego", files["gate/controls/a/b/b.rego"].decode())
        assert (control.claims, control.artifacts) == ((claim,), (kind.value,))
        for path, data in files.items():
            if path.endswith("input.json"):
                assert problem("input.json", json.loads(data)) is None


WRONG: dict[str, tuple[NewControl, str]] = {
    "one word": (NewControl("team"), "no name for a control"),
    "three words": (NewControl("a.b.c"), "no name for a control"),
    "capitals": (NewControl("Team.x"), "no name for a control"),
    "a path": (NewControl("../x.y"), "no name for a control"),
    "nothing": (NewControl(""), "no name for a control"),
    "a line break": (NewControl("a.b\n"), "no name for a control"),
    "custom with two": (NewControl("custom.b"), "no name for a control"),
    "custom.lib": (NewControl("custom.lib.b"), "share rules"),
    "a word of Rego": (NewControl("some.b"), "a word of Rego"),
    "a test": (NewControl("a.b_test"), "holds tests"),
    "the library's": (NewControl("artifact.signed"), "the library has a control"),
    "an unknown claim": (NewControl("a.b", claim="evaluation"), "--claim"),
    "an unknown kind": (NewControl("a.b", kind="weight"), "did you mean 'weights'?"),
    "an empty title": (NewControl("a.b", title=" "), "--title"),
    "a long title": (NewControl("a.b", title="x" * 81), "--title"),
    "a title of two lines": (NewControl("a.b", title="x\ny"), "--title"),
    "a directory above": (NewControl("a.b", directory="../x"), "--directory"),
    "an absolute directory": (NewControl("a.b", directory="/x"), "--directory"),
}


@pytest.mark.parametrize(("wanted", "words"), WRONG.values(), ids=WRONG)
def test_a_request_that_cannot_be_is_refused(tmp_path: Path, wanted: NewControl, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        new_control(tmp_path, wanted)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    new_control(tmp_path, NewControl("a.b"))
    before = tree(tmp_path)
    with pytest.raises(ConfigError, match="exists already"):
        new_control(tmp_path, NewControl("a.b"))
    assert tree(tmp_path) == before


def test_one_file_that_exists_stops_all(tmp_path: Path) -> None:
    page = tmp_path / "policy/docs/a/b.md"
    page.parent.mkdir(parents=True)
    page.symlink_to("nowhere")
    with pytest.raises(ConfigError, match=r"b\.md exists already"):
        new_control(tmp_path, NewControl("a.b"))
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("kind", ["link", "file"])
def test_nothing_is_written_through_a_link_or_a_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "else").mkdir()
    if kind == "link":
        (tmp_path / "policy").symlink_to("else")
    else:
        (tmp_path / "policy").write_bytes(b"")
    with pytest.raises(ConfigError, match="policy is a link or a file"):
        new_control(tmp_path, NewControl("a.b"))
    assert list((tmp_path / "else").iterdir()) == []


def test_what_was_written_is_taken_back_when_a_file_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy").mkdir()

    def failing(path: Path, data: bytes, mode: int) -> None:
        if path.name == "expected.json":
            raise AttestError("the disk is full")
        create_file(path, data, mode)

    monkeypatch.setattr("gate.app.policy_new.create_file", failing)
    with pytest.raises(AttestError, match="full"):
        new_control(tmp_path, NewControl("a.b"))
    assert list((tmp_path / "policy").iterdir()) == []
