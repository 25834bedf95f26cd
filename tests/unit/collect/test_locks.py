"""The lock files of an artifact: the bytes that were hashed, and nothing that asks for packages is overlooked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gate.collect import locks
from gate.collect.directory import collect_artifact
from gate.collect.locks import collect_locks
from gate.model.artifact import ArtifactKind
from gate.model.dependencies import Lock
from gate.model.settings import ArtifactSettings, Limits

HASH = f"--hash=sha256:{'a1' * 32}"
LOCKED = f"acme==1 {HASH}\n"
UV = 'version = 1\n[[package]]\nname = "%s"\nversion = "1"\nsource = {%s}\n'


def found(root: Path, files: Mapping[str, str], path: str = "app") -> Mapping[str, Lock]:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, "utf-8")
    settings = ArtifactSettings("deps", ArtifactKind.PACKAGE, path, None, None)
    return collect_locks(root, collect_artifact(root, settings, Limits()))


def problems(root: Path, files: Mapping[str, str], path: str = "app") -> dict[str, tuple[str, ...]]:
    return {name: lock.problems for name, lock in found(root, files, path).items() if lock.problems}


def test_each_lock_in_a_folder_is_read(tmp_path: Path) -> None:
    files = {"app/requirements.txt": LOCKED, "app/web/requirements/dev.lock": LOCKED, "app/notes.txt": "a"}
    locks = found(tmp_path, files)
    assert {path: (lock.format, list(lock.packages), lock.problems) for path, lock in locks.items()} == {
        "requirements.txt": ("requirements", ["acme@1"], ()),
        "web/requirements/dev.lock": ("requirements", ["acme@1"], ()),
    }


def test_a_single_file_is_a_lock_whatever_its_name(tmp_path: Path) -> None:
    assert list(found(tmp_path, {"deps/requirements.lock": LOCKED}, "deps/requirements.lock")) == ["requirements.lock"]
    expected = {"a.whl": ("it is in no format that the gate reads",)}
    assert problems(tmp_path, {"a.whl": "x"}, "a.whl") == expected


def test_without_a_lock_there_is_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, {"app/main.py": "x"}) == {}


def test_an_image_has_no_files_to_look_at(tmp_path: Path) -> None:
    settings = ArtifactSettings("deps", ArtifactKind.PACKAGE, None, f"registry.test/x@sha256:{'a' * 64}", None)
    assert collect_locks(tmp_path, collect_artifact(tmp_path, settings, Limits())) == {}


def test_an_empty_lock_is_a_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, {"app/requirements.txt": "# nothing\n"}) == {"requirements.txt": ("it locks no package",)}
    assert problems(tmp_path, {"uv/uv.lock": "version = 1\n"}, "uv") == {"uv.lock": ("it locks no package",)}


def test_an_empty_file_of_requirements_beside_a_lock_is_no_problem(tmp_path: Path) -> None:
    files = {"app/requirements.txt": LOCKED, "app/requirements-dev.txt": "# nothing\n"}
    assert list(found(tmp_path, files)) == ["requirements.txt"]
    assert problems(tmp_path, {**files, "app/requirements-dev.txt": "-r other.txt\n"})
    assert problems(tmp_path, {"two/requirements.txt": "", "two/requirements-dev.txt": "#\n"}, "two") == {
        "requirements.txt": ("it locks no package",),
        "requirements-dev.txt": ("it locks no package",),
    }
    assert problems(tmp_path, {"own/requirements.txt": "-e .\n", "own/uv/requirements.txt": LOCKED}, "own")


def test_an_empty_file_of_requirements_is_the_lock_of_nothing(tmp_path: Path) -> None:
    files = {"app/web/requirements.txt": LOCKED, "app/requirements.txt": "#\n", "app/pyproject.toml": ""}
    expected = ("it asks for packages, and no lock file lies beside or above it",)
    assert problems(tmp_path, files) == {"pyproject.toml": expected}


def test_what_asks_for_packages_without_a_lock_is_a_problem(tmp_path: Path) -> None:
    files = {"app/requirements.txt": LOCKED, "app/web/package.json": "{}"}
    expected = ("it asks for packages, and no lock file lies beside or above it",)
    assert problems(tmp_path, files) == {"web/package.json": expected}


def test_an_unknown_format_beside_a_known_one_is_a_problem(tmp_path: Path) -> None:
    files = {"app/requirements.txt": LOCKED, "app/bun.lock": "{}"}
    assert problems(tmp_path, files) == {"bun.lock": ("it is in no format that the gate reads",)}


def test_a_link_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/uv.lock").symlink_to("../uv.lock")
    assert problems(tmp_path, {"uv.lock": UV}) == {"uv.lock": ("it is not a regular file",)}


def test_the_bytes_are_those_that_were_hashed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("acme==1\n", "utf-8")
    settings = ArtifactSettings("deps", ArtifactKind.PACKAGE, "requirements.txt", None, None)
    artifact = collect_artifact(tmp_path, settings, Limits())
    (tmp_path / "requirements.txt").write_text(LOCKED, "utf-8")
    (lock,) = collect_locks(tmp_path, artifact).values()
    assert lock == Lock(None, {}, ("it changed while it was read",))
    (tmp_path / "requirements.txt").unlink()
    (lock,) = collect_locks(tmp_path, artifact).values()
    assert len(lock.problems) == 1


def test_a_large_lock_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_BYTES", 10)
    ((said,),) = problems(tmp_path, {"app/requirements.txt": LOCKED}).values()
    assert "10 bytes" in said


@pytest.mark.parametrize(
    ("folder", "is_own"),
    [
        (".", True),
        ("lib", True),
        ("./lib/", True),
        ("../app/lib", False),
        ("../lib", False),
        ("/lib", False),
        ("lib/../..", False),
        ("gone", False),
        ("..", False),
        ("C:/lib", False),
        ("lib\\x", False),
    ],
)
def test_a_folder_of_the_artifact_is_its_own(tmp_path: Path, folder: str, is_own: bool) -> None:
    escaped = folder.replace("\\", "\\\\")
    files = {"app/uv.lock": UV % ("own", f'editable = "{escaped}"'), "app/lib/a.py": "", "lib/a.py": ""}
    (lock,) = found(tmp_path, files).values()
    assert bool(lock.packages) is not is_own
    assert lock.problems == (("it locks no package",) if is_own else ())


def test_a_folder_above_the_lock_may_be_the_artifact_s_own(tmp_path: Path) -> None:
    files = {
        "app/a/uv.lock": UV % ("own", 'editable = "../b"'),
        "app/b/a.py": "",
        "app/c/uv.lock": UV % ("own", 'virtual = ".."'),
    }
    assert all(not lock.packages for lock in found(tmp_path, files).values())


def test_beside_a_single_file_nothing_is_its_own_but_its_project(tmp_path: Path) -> None:
    (lock,) = found(
        tmp_path, {"app/uv.lock": UV % ("own", 'editable = "lib"'), "app/lib/a.py": ""}, "app/uv.lock"
    ).values()
    assert not lock.packages["own@1"].is_pinned
    (lock,) = found(tmp_path, {"app/uv.lock": UV % ("own", 'editable = "."')}, "app/uv.lock").values()
    assert lock.packages == {}


def test_modules_that_go_replaces_are_dependencies(tmp_path: Path) -> None:
    files = {"app/go.mod": "module x\nreplace a.test/a => ../evil\n", "app/go.sum": f"b v1 h1:{'A' * 43}=\n"}
    locks = found(tmp_path, files)
    assert {path: [item.is_pinned for item in lock.packages.values()] for path, lock in locks.items()} == {
        "go.mod": [False],
        "go.sum": [True],
    }
    assert list(found(tmp_path, {"app/go.mod": "module x\n"})) == ["go.sum"]


H1, H2 = "h1:" + "A" * 43 + "=", "h1:" + "B" * 42 + "A="


def test_a_module_in_the_place_of_another_is_locked_under_both_names(tmp_path: Path) -> None:
    files = {
        "app/go.mod": "module x\nreplace torch.test/t => evil.test/e v1.0.0\n",
        "app/go.sum": f"evil.test/e v1.0.0 {H1}\n",
    }
    (item,) = found(tmp_path, files)["go.mod"].packages.values()
    assert (item.name, item.is_pinned, len(item.digests)) == ("torch.test/t", True, 1)
    (item,) = found(tmp_path, {**files, "app/go.sum": f"other.test/e v1.0.0 {H1}\n"})["go.mod"].packages.values()
    assert not item.is_pinned
    (item,) = found(tmp_path, {**files, "app/go.work.sum": f"evil.test/e v1.0.0 {H2}\n"})["go.mod"].packages.values()
    assert not item.is_pinned


def test_folders_of_a_workspace_outside_of_the_artifact_are_told(tmp_path: Path) -> None:
    files = {
        "app/go.mod": "module x\n",
        "app/go.sum": f"a.test/a v1.0.0 {H1}\n",
        "app/go.work": "use .\n",
        "app/go.work.sum": "",
    }
    assert list(found(tmp_path, files)) == ["go.sum"]
    locks = found(tmp_path, {**files, "app/go.work": "use .\nuse ../evil\n"})
    assert [item.folder for item in locks["go.work"].packages.values()] == ["../evil"]
