"""Loading what was admitted: the bytes that are loaded are those that were judged, whoever writes in between."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import gate
from gate.app.admit import Admission
from gate.collect import snapshot as copying
from gate.formats.rfc3339 import parse_time
from gate.loading import snapshot
from gate.model.digest import sha256_digest
from tests.acceptance.world import MODEL, NOW, SETTINGS, WEIGHTS, World, safetensors

NOW_S = parse_time(NOW)


@pytest.fixture
def here(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """The good world, and a temporary folder that is empty before and after."""
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    monkeypatch.chdir(world.root)
    return world


@pytest.fixture
def admission(here: World) -> Admission:
    assert here.root.is_dir()
    return gate.admit(MODEL, base="main", now=NOW_S)


def left() -> list[str]:
    return [path.name for path in Path(tempfile.gettempdir()).iterdir()]


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- a whole model -----------------------------------------------------------------------------------------------------


def test_a_copy_of_what_was_judged_is_handed_out(here: World) -> None:
    with gate.verified_model(MODEL, base="main", now=NOW_S) as folder:
        assert folder != here.root / MODEL
        assert folder.name == "summarizer"
        assert bytes_below(folder) == here.model_files()
        assert folder.parent.stat().st_mode & 0o077 == 0
        assert folder.stat().st_mode & 0o777 == 0o500
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o400}
        here.write(WEIGHTS, safetensors("changed while it is loaded"))
        assert (folder / "model.safetensors").read_bytes() == safetensors("two")
    assert left() == []


def test_a_refused_model_is_never_handed_out(here: World) -> None:
    here.write(WEIGHTS, safetensors("other"))
    with pytest.raises(gate.Refused), gate.verified_model(MODEL, base="main", now=NOW_S):
        pytest.fail("handed out")
    assert left() == []


def test_what_fails_within_the_block_is_told_and_the_copy_is_gone(here: World) -> None:
    assert here.root.is_dir()
    with pytest.raises(KeyError, match="mine"), gate.verified_model(MODEL, base="main", now=NOW_S):
        raise KeyError("mine")
    assert left() == []


def test_a_file_and_another_folder_for_the_copy(here: World, tmp_path: Path) -> None:
    into = tmp_path / "large"
    into.mkdir()
    with gate.verified_model(WEIGHTS, base="main", now=NOW_S, into=into) as file:
        assert file.parent.parent == into
        assert file.read_bytes() == here.model_files()["model.safetensors"]
    assert list(into.iterdir()) == []
    with (
        pytest.raises(gate.ConfigError, match="no private folder can be made"),
        gate.verified_model(WEIGHTS, base="main", now=NOW_S, into=tmp_path / "none"),
    ):
        pytest.fail("handed out")


# -- between the decision and the copy ---------------------------------------------------------------------------------

Change = Callable[[World], object]


def _link(world: World) -> None:
    (world.root / "moved").write_bytes((world.root / WEIGHTS).read_bytes())
    (world.root / WEIGHTS).unlink()
    (world.root / WEIGHTS).symlink_to("../../moved")


def _linked_folder(world: World) -> None:
    (world.root / MODEL).rename(world.root / "moved")
    (world.root / MODEL).symlink_to("../moved")


def _pipe(world: World) -> None:
    (world.root / WEIGHTS).unlink()
    os.mkfifo(world.root / WEIGHTS)


def _folder(world: World) -> None:
    (world.root / SETTINGS).unlink()
    (world.root / SETTINGS).mkdir()


CHANGES: dict[str, Change] = {
    "changed": lambda world: world.write(WEIGHTS, safetensors("one")),
    "emptied": lambda world: world.write(WEIGHTS, b""),
    "longer": lambda world: world.write(WEIGHTS, safetensors("two") + b"x"),
    "removed": lambda world: (world.root / SETTINGS).unlink(),
    "a link": _link,
    "behind a link": _linked_folder,
    "a pipe": _pipe,
    "a folder": _folder,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_model_that_changed_after_the_decision_is_not_loaded(
    here: World, admission: Admission, change: Change
) -> None:
    change(here)
    with pytest.raises(gate.EvidenceError), snapshot(admission):
        pytest.fail("handed out")
    assert left() == []


def test_a_file_that_was_added_after_the_decision_is_not_loaded(here: World, admission: Admission) -> None:
    judged = here.model_files()
    here.write(f"{MODEL}/modeling_evil.py", b"raise SystemExit")
    with snapshot(admission) as folder:
        assert bytes_below(folder) == judged


def test_a_disk_that_is_full_is_an_error(admission: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, mode: str) -> object:
        os.close(descriptor)
        assert mode == "wb"
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr("gate.loading.os.fdopen", full)
    with pytest.raises(gate.EvidenceError, match="the copy cannot be written: No space left"), snapshot(admission):
        pytest.fail("handed out")
    monkeypatch.undo()


def test_a_copy_that_cannot_be_made_is_an_error(admission: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.loading._CREATE", os.O_WRONLY)
    with pytest.raises(gate.EvidenceError, match="cannot be written: No such file"), snapshot(admission):
        pytest.fail("handed out")
    assert left() == []


def test_large_files_are_copied_in_blocks(here: World, admission: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_READ_BYTES", 7)
    with snapshot(admission) as folder:
        assert bytes_below(folder) == here.model_files()


# -- without a copy ----------------------------------------------------------------------------------------------------


def test_without_a_copy_a_change_is_seen_only_afterwards(here: World) -> None:
    with gate.verified_model(MODEL, base="main", now=NOW_S, copy=False) as folder:
        assert folder == here.root / MODEL
    with (
        pytest.raises(gate.EvidenceError, match="changed while it was in use"),
        gate.verified_model(MODEL, base="main", now=NOW_S, copy=False),
    ):
        here.write(f"{MODEL}/more.json", b"{}")
    assert left() == []


def test_one_file_without_a_copy(here: World) -> None:
    with gate.verified_model(WEIGHTS, base="main", now=NOW_S, copy=False) as file:
        assert file == here.root / WEIGHTS


# -- one file ----------------------------------------------------------------------------------------------------------


def test_a_file_is_opened_with_the_bytes_that_were_judged(here: World, admission: Admission) -> None:
    with gate.open_verified(WEIGHTS, admission=admission) as file:
        here.write(WEIGHTS, safetensors("later"))
        assert sha256_digest(file.read()) == admission.files["model.safetensors"]
    with gate.open_verified(here.root / SETTINGS, admission=admission) as file:
        assert sha256_digest(file.read()) == admission.files["config.json"]
    with pytest.raises(gate.EvidenceError, match="it changed since the decision"):
        gate.open_verified(WEIGHTS, admission=admission)
    assert left() == []


def test_without_an_admission_the_file_is_judged(here: World) -> None:
    with gate.open_verified(WEIGHTS, base="main", now=NOW_S) as file:
        assert file.read() == (here.root / WEIGHTS).read_bytes()
    here.write(WEIGHTS, safetensors("other"))
    with pytest.raises(gate.Refused):
        gate.open_verified(WEIGHTS, base="main", now=NOW_S)


@pytest.mark.parametrize("path", [MODEL, "gate.yaml", "models/summarizer/none.json", "../world", "keys/release.pub"])
def test_what_is_no_file_of_the_admission_is_not_opened(admission: Admission, path: str) -> None:
    with pytest.raises(gate.ConfigError):
        gate.open_verified(path, admission=admission)


# -- a loader ----------------------------------------------------------------------------------------------------------


def test_a_guarded_loader_loads_only_what_was_admitted(here: World) -> None:
    def from_pretrained(name: str, suffix: str, *, strict: bool) -> tuple[bytes, str]:
        """Loads."""
        assert strict
        return Path(name, f"model.{suffix}").read_bytes(), name

    load = gate.guard(from_pretrained, base="main", now=NOW_S)
    assert (load.__name__, load.__doc__) == ("from_pretrained", "Loads.")
    data, where = load(MODEL, "safetensors", strict=True)
    assert data == (here.root / WEIGHTS).read_bytes()
    assert not where.startswith(str(here.root))
    for name in ("acme/summarizer", "models", "keys"):
        with pytest.raises(gate.ConfigError):
            load(name, "safetensors", strict=True)
    here.write(WEIGHTS, safetensors("other"))
    with pytest.raises(gate.Refused):
        load(MODEL, "safetensors", strict=True)
    assert left() == []
