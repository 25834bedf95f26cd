"""Whether the work tree is what was committed, without running what the repository configures."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.collect.changes import collect_changes
from gate.collect.git import Repository
from gate.collect.work_tree import WorkTree
from gate.errors import EvidenceError, HistoryError
from gate.formats.glob import compile_glob
from gate.model.settings import Limits
from tests.support.repos import ENVIRONMENT, Repo, pointer


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.change(tmp_path / "repo")


def is_dirty(
    repo: Repo,
    *globs: str,
    base: str | None = "main",
    artifacts: tuple[str, ...] = (),
    excluded: tuple[str, ...] = (),
) -> bool:
    opened = Repository(repo.path)
    span = None
    if base is not None:
        head, commit = opened.head(), opened.resolve(base)
        assert head is not None
        span = (opened.merge_base(commit, head[0]), head[0], commit)
    patterns = [compile_glob(text) for text in globs]
    return collect_changes(
        opened, repo.path, span, patterns, artifacts=artifacts, excluded=excluded, limits=Limits()
    ).dirty


def test_s23_a_fresh_checkout_is_clean(repo: Repo) -> None:
    assert not is_dirty(repo, "**")
    repo.age()
    assert not is_dirty(repo, "**")
    assert not is_dirty(repo, "**", base=None)


# --- tracked files ---


def _edit(repo: Repo) -> None:
    repo.write("app/other.txt", b"edited\n")


def _edit_same_size(repo: Repo) -> None:
    repo.write("app/other.txt", b"OTHER\n")


def _edit_changed_file(repo: Repo) -> None:
    repo.write("app/system.txt", b"2wo\n")


def _delete(repo: Repo) -> None:
    repo.at("app/other.txt").unlink()


def _delete_folder(repo: Repo) -> None:
    shutil.rmtree(repo.at("app"))


def _make_executable(repo: Repo) -> None:
    repo.at("README.md").chmod(0o755)


def _replace_with_link(repo: Repo) -> None:
    data = repo.at("README.md").read_bytes()
    repo.at("README.md").unlink()
    repo.write(".git/real", data)
    repo.at("README.md").symlink_to(".git/real")


def _replace_with_folder(repo: Repo) -> None:
    repo.at("README.md").unlink()
    repo.at("README.md").mkdir()


def _replace_with_fifo(repo: Repo) -> None:
    repo.at("README.md").unlink()
    os.mkfifo(repo.at("README.md"))


def _move_folder_behind_a_link(repo: Repo) -> None:
    # The files keep all of their status; only the way to them changes.
    repo.at("app").rename(repo.at(".git/app"))
    repo.at("app").symlink_to(".git/app")


def _stage(repo: Repo) -> None:
    _edit(repo)
    repo.git("add", "-A")


def _stage_and_restore(repo: Repo) -> None:
    _stage(repo)
    repo.write("app/other.txt", b"other\n")


def _stage_new(repo: Repo) -> None:
    repo.write("new.txt", b"n")
    repo.git("add", "-A")


def _stage_deletion(repo: Repo) -> None:
    repo.git("rm", "-q", "--cached", "README.md")


def _intend_to_add(repo: Repo) -> None:
    repo.write("new.txt", b"")
    repo.git("add", "-N", "new.txt")


def _assume_unchanged(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "app/other.txt")
    _edit_same_size(repo)


def _assume_unchanged_and_restore_the_time(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "app/other.txt")
    before = repo.at("app/other.txt").stat()
    _edit_same_size(repo)
    os.utime(repo.at("app/other.txt"), ns=(before.st_atime_ns, before.st_mtime_ns))


def _skip_worktree(repo: Repo) -> None:
    repo.git("update-index", "--skip-worktree", "app/other.txt")
    _edit(repo)


def _skip_worktree_and_delete(repo: Repo) -> None:
    repo.git("update-index", "--skip-worktree", "app/other.txt")
    _delete(repo)


def _refresh_with_a_filter_that_hides(repo: Repo) -> None:
    # The filter makes git see the committed bytes, and note the edited file's status as clean.
    repo.write(".git/info/attributes", b"app/system.txt filter=hide\n")
    repo.git("config", "filter.hide.clean", "echo two")
    repo.write("app/system.txt", b"evil")
    repo.git("update-index", "--refresh")
    repo.age()


def _no_index(repo: Repo) -> None:
    repo.at(".git/index").unlink()


def _merge_conflict(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "side", "main")
    repo.commit({"app/system.txt": b"three\n"})
    repo.git("checkout", "-q", "change")
    repo.git("merge", "side", check=False)


DAMAGES = [
    _edit,
    _edit_same_size,
    _edit_changed_file,
    _delete,
    _delete_folder,
    _make_executable,
    _replace_with_link,
    _replace_with_folder,
    _replace_with_fifo,
    _move_folder_behind_a_link,
    _stage,
    _stage_and_restore,
    _stage_new,
    _stage_deletion,
    _intend_to_add,
    _assume_unchanged,
    _assume_unchanged_and_restore_the_time,
    _skip_worktree,
    _skip_worktree_and_delete,
    _refresh_with_a_filter_that_hides,
    _no_index,
    _merge_conflict,
]


@pytest.mark.parametrize("aged", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_s23_a_difference_from_the_head_is_found(repo: Repo, damage: Callable[[Repo], None], aged: bool) -> None:
    if aged:
        repo.age()
    damage(repo)
    assert is_dirty(repo)


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage is not _refresh_with_a_filter_that_hides])
def test_s23_without_a_base_too(repo: Repo, damage: Callable[[Repo], None]) -> None:
    repo.age()
    damage(repo)
    assert is_dirty(repo, base=None)


def test_s23_only_the_conflict_s_content_is_restored(repo: Repo) -> None:
    _merge_conflict(repo)
    repo.write("app/system.txt", b"two\n")
    assert is_dirty(repo)


def test_s23_an_unmerged_file_is_a_difference_even_with_the_head_s_content(repo: Repo) -> None:
    entry = repo.git("ls-files", "--stage", "README.md").replace(" 0\t", " 2\t")
    repo.git("update-index", "--index-info", data=f"0 {'0' * 40}\tREADME.md\n{entry}\n".encode())
    assert repo.git("ls-files", "--unmerged")
    assert is_dirty(repo)


def test_large_files_are_compared_as_they_are(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.collect.work_tree._LINES_BYTES", 2)
    repo.commit({".gitattributes": b"*.bat text eol=crlf\n"})
    assert not is_dirty(repo)
    repo.commit({"run.bat": b"a\r\nb\r\n"})
    assert is_dirty(repo)


def test_touching_a_file_is_no_difference(repo: Repo) -> None:
    repo.age()
    repo.at("app/other.txt").touch()
    repo.at("app/system.txt").touch()
    assert not is_dirty(repo)


def test_a_link_is_compared_by_where_it_points(repo: Repo) -> None:
    repo.at("link").symlink_to("README.md")
    repo.commit()
    assert not is_dirty(repo)
    repo.age()
    assert not is_dirty(repo)
    repo.at("link").unlink()
    repo.at("link").symlink_to("app/system.txt")
    assert is_dirty(repo)


def test_an_unchanged_link_is_proved_by_its_status(repo: Repo) -> None:
    repo.at("link").symlink_to("README.md")
    repo.commit()
    repo.age()
    assert not is_dirty(repo, base="change")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_blobs_are_hashed_as_the_repository_does(tmp_path: Path, object_format: str) -> None:
    repo = Repo.change(tmp_path / "repo", f"--object-format={object_format}")
    for path in repo.at("app").iterdir():
        path.touch()
    assert not is_dirty(repo)
    _edit_same_size(repo)
    assert is_dirty(repo)


# --- what git changes on checkout ---


def test_line_ends_that_git_writes_are_no_difference(repo: Repo) -> None:
    repo.commit({".gitattributes": b"*.bat text eol=crlf\n", "run.bat": b"a\r\nb\r\n", "app/other.txt": b"x\n"})
    assert repo.raw("cat-file", "blob", "HEAD:run.bat") == b"a\nb\n"
    assert not is_dirty(repo)
    repo.age()
    assert not is_dirty(repo)
    assert not is_dirty(repo, base="change")
    repo.write("run.bat", b"a\r\nc\r\n")
    assert is_dirty(repo)
    assert is_dirty(repo, base="change")


def test_a_file_that_has_crlf_in_the_head_is_compared_as_it_is(repo: Repo) -> None:
    repo.commit({"dos.txt": b"a\r\n"})
    assert not is_dirty(repo)
    repo.at("dos.txt").touch()
    assert not is_dirty(repo, base="change")
    repo.write("dos.txt", b"a\n")
    assert is_dirty(repo)


def test_the_content_of_a_pointer_is_no_difference(repo: Repo) -> None:
    repo.commit({"model.bin": pointer(b"weights")})
    repo.write("model.bin", b"weights")
    assert not is_dirty(repo)
    assert not is_dirty(repo, base="change")
    assert not is_dirty(repo, base=None)
    repo.write("model.bin", b"WEIGHTS")
    for base in ("main", "change", None):
        assert is_dirty(repo, base=base)


# --- nothing runs ---


def test_s21_no_filter_runs_though_git_itself_would_run_it(repo: Repo, tmp_path: Path) -> None:
    marker, program = tmp_path / "marker", tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    program.chmod(0o755)
    repo.write(".git/info/attributes", b"* filter=evil\n")
    for name in ("clean", "smudge", "process"):
        repo.git("config", f"filter.evil.{name}", str(program))
    # Dated like the index, each file may have changed within the same tick.
    future = repo.at(".git/index").stat().st_mtime_ns
    for name in ("README.md", "app/other.txt", "app/system.txt"):
        os.utime(repo.at(name), ns=(future, future))
    repo.git("config", "filter.evil.required", "false")
    assert not is_dirty(repo, "**")
    assert not is_dirty(repo, "**", base=None)
    assert not marker.exists()
    repo.git("config", "--unset", "filter.evil.process")
    repo.git("-c", "core.checkStat=minimal", "update-index", "--refresh", check=False)
    assert marker.exists()


def test_s21_nothing_in_the_repository_is_written(repo: Repo) -> None:
    def state() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for path in repo.path.rglob("*")
            if not path.is_dir()
        }

    repo.at("README.md").touch()
    before = state()
    is_dirty(repo, "**")
    is_dirty(repo, "**", base=None)
    assert state() == before


def test_s21_the_index_s_own_monitor_and_caches_are_not_believed(repo: Repo) -> None:
    repo.git("update-index", "--split-index")
    repo.git("update-index", "--untracked-cache")
    repo.git("update-index", "--index-version", "4")
    assert not is_dirty(repo, "**")
    _edit(repo)
    assert is_dirty(repo)


# --- files that git does not track ---


@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("app/new.txt", True),
        ("models/x/weights.bin", True),
        ("models/x", True),
        ("models/xyz", False),
        ("other/new.txt", False),
        ("app.txt", False),
        ("app/debug.log", True),
        ("models/x/debug.log", True),
        ("App/new.txt", True),
        ("ap\u200bp/new.txt", True),
        ("other/debug.log", False),
        ("app/reports/r.json", False),
        ("app/out-1.sarif", False),
        (".gate/attestations/a.json", False),
    ],
)
def test_s23_untracked_files_count_when_somebody_names_them(repo: Repo, name: str, dirty: bool) -> None:
    repo.commit({".gitignore": b"*.log\n"})
    repo.write(name, b"x")
    excluded = (".gate/attestations", "app/reports", "app/*.sarif")
    for base in ("main", None):
        assert is_dirty(repo, "app/**", ".gate/**", base=base, artifacts=("models/x",), excluded=excluded) is dirty


def test_s23_what_is_ignored_outside_of_the_work_tree_counts(repo: Repo) -> None:
    repo.write(".git/info/exclude", b"*.txt\n")
    repo.config(core__excludesFile=str(repo.at(".git/info/exclude")))
    repo.write("app/new.txt", b"x")
    assert is_dirty(repo, "app/**")


@pytest.mark.parametrize("base", ["main", None])
@pytest.mark.parametrize("committed", [False, True])
def test_s23_ignore_files_hide_nothing_that_somebody_names(repo: Repo, committed: bool, base: str | None) -> None:
    repo.write("app/.gitignore", b"*\n")
    repo.write("models/x/.gitignore", b"*\n")
    if committed:
        repo.git("add", "-f", "app/.gitignore", "models/x/.gitignore")
        repo.git("commit", "-q", "-m", "ignore")
        assert not is_dirty(repo, "app/**", base=base, artifacts=("models/x",))
    repo.write("app/evil.txt", b"evil")
    assert is_dirty(repo, "app/*.txt", base=base)
    assert not is_dirty(repo, "app/*.md", base=base)
    repo.write("models/x/evil.txt", b"evil")
    repo.write("elsewhere", b"x")
    assert is_dirty(repo, base=base, artifacts=("models/x/evil.txt",))
    assert not is_dirty(repo, base=base, artifacts=("models/y",))


def test_s23_what_the_gate_itself_keeps_may_be_ignored(repo: Repo) -> None:
    for name in (".gate/keys/a.key", ".gate/statements/a.json", ".gate/attestations/a.json"):
        repo.write(name, b"x")
    excluded = (".gate/attestations",)
    assert is_dirty(repo, "**", excluded=excluded)
    repo.write(".gate/.gitignore", b"*\n")
    assert not is_dirty(repo, "**", excluded=excluded)
    repo.write(".gate/other", b"x")
    assert is_dirty(repo, "**", excluded=excluded)


@pytest.mark.parametrize("glob", ["**/system.txt", "app/*/prompts/**"])
def test_s23_an_untracked_link_above_what_a_gate_names_counts(repo: Repo, glob: str) -> None:
    repo.write("app/plain", b"x")
    assert not is_dirty(repo, glob)
    repo.at("app/new").symlink_to("../stuff")
    assert is_dirty(repo, glob)
    assert not is_dirty(repo, "lib/*/prompts/**")


def _forge_index(repo: Repo, name: str) -> None:
    """Gives the index the status of the file as it lies there now."""
    status, index = repo.at(name).stat(), repo.at(".git/index")
    data = bytearray(index.read_bytes())
    numbers = [*divmod(status.st_ctime_ns, 10**9), *divmod(status.st_mtime_ns, 10**9), status.st_dev, status.st_ino]
    numbers += [status.st_mode, status.st_uid, status.st_gid, status.st_size]
    at = data.index(name.encode()) - 62
    data[at : at + 40] = struct.pack(">10I", *(number & 0xFFFFFFFF for number in numbers))
    data[-20:] = hashlib.sha1(data[:-20], usedforsecurity=False).digest()
    index.write_bytes(data)
    future = status.st_mtime_ns + 10**10
    os.utime(index, ns=(future, future))


@pytest.mark.parametrize("base", ["main", "change"])
def test_s23_a_forged_index_hides_nothing_that_somebody_names(repo: Repo, base: str) -> None:
    repo.age()
    _edit(repo)
    _forge_index(repo, "app/other.txt")
    assert is_dirty(repo, "app/**", base=base)
    assert is_dirty(repo, "App/Other.txt", base=base)
    assert is_dirty(repo, base=base, artifacts=("app",))
    # For what nobody names, the index is believed.
    assert not is_dirty(repo, "models/**", base=base)


def test_s23_files_of_a_nested_repository_count(repo: Repo) -> None:
    inner = Repo.init(repo.path / "app" / "inner")
    assert not is_dirty(repo, "app/**")
    inner.commit({"x.txt": b"x"})
    assert is_dirty(repo, "app/**")
    assert not is_dirty(repo, "models/**")


def test_s23_a_deleted_file_that_still_lies_there_counts_even_when_ignored(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit({"m/a": b"a", "m/b": b"b", "m/c": b"c"})
    repo.git("checkout", "-q", "-b", "delete")
    repo.git("rm", "-q", "--cached", "m/a")
    repo.write(".gitignore", b"m/a\n")
    repo.git("add", ".gitignore")
    repo.git("commit", "-q", "-m", "x")
    assert is_dirty(repo)
    assert not is_dirty(repo, excluded=("m",))
    repo.at("m/a").unlink()
    assert not is_dirty(repo)
    repo.at("m/a").mkdir()
    assert not is_dirty(repo)


def test_s23_evidence_that_is_tracked_may_be_renewed(repo: Repo) -> None:
    repo.commit({"reports/scan.json": b"old", "reports/gone.json": b"old"})
    repo.write("reports/scan.json", b"new")
    repo.at("reports/gone.json").unlink()
    assert is_dirty(repo, "app/**")
    assert not is_dirty(repo, "app/**", excluded=("reports",))
    assert not is_dirty(repo, "app/**", excluded=("reports/*.json",))


# --- submodules ---


@pytest.fixture
def outer(repo: Repo, tmp_path: Path) -> Repo:
    inner = Repo.change(tmp_path / "inner")
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    repo.commit()
    return repo


def test_a_submodule_as_committed_is_clean_checked_out_or_not(outer: Repo) -> None:
    assert not is_dirty(outer, "**")
    outer.git("submodule", "--quiet", "deinit", "-f", "sub")
    assert not is_dirty(outer, "**")
    outer.at("sub").rmdir()
    assert not is_dirty(outer, "**")


def _commit_inside(sub: Repo) -> None:
    sub.commit({"x": b"x"})


def _edit_inside(sub: Repo) -> None:
    sub.write("app/other.txt", b"edited")


def _new_inside(sub: Repo) -> None:
    sub.write("new.txt", b"new")


def _no_head_inside(sub: Repo) -> None:
    sub.git("symbolic-ref", "HEAD", "refs/heads/unborn")


@pytest.mark.parametrize("change", [_commit_inside, _edit_inside, _new_inside, _no_head_inside])
def test_s23_a_difference_in_a_submodule_is_found(outer: Repo, change: Callable[[Repo], None]) -> None:
    outer.git("config", "-f", ".gitmodules", "submodule.sub.ignore", "all")
    outer.config(submodule__sub__ignore="all", diff__ignoreSubmodules="all")
    outer.commit()
    assert not is_dirty(outer, "**")
    change(Repo(outer.path / "sub"))
    assert is_dirty(outer, "**")


def test_s23_files_without_repository_in_a_submodule_s_place(outer: Repo) -> None:
    outer.git("submodule", "--quiet", "deinit", "-f", "sub")
    outer.write("sub/planted.txt", b"x")
    assert is_dirty(outer)


def test_s22_a_broken_submodule_is_an_error(outer: Repo) -> None:
    outer.write("sub/.git", b"gitdir: /nonexistent\n")
    with pytest.raises(HistoryError):
        is_dirty(outer)


# --- what cannot be read ---


def test_s22_a_damaged_index_is_an_error(repo: Repo) -> None:
    repo.write(".git/index", b"junk" * 10)
    with pytest.raises(HistoryError):
        is_dirty(repo)


def _git_that(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, answer: str) -> None:
    real, program = shutil.which("git"), tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$*" in {case}) {answer}; exit;; esac\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    assert repo.head


@pytest.mark.parametrize("answer", ["printf 'junk\\0'", "printf '100644 blob 12\\ta\\0'"])
def test_s22_a_listing_of_the_head_that_is_not_understood(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    _git_that(repo, tmp_path, monkeypatch, "*ls-tree*", answer)
    with pytest.raises(HistoryError, match="ls-tree"):
        is_dirty(repo)


def test_s22_a_listing_of_the_index_that_is_not_understood(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _git_that(repo, tmp_path, monkeypatch, "*--stage*", "printf 'junk'")
    with pytest.raises(HistoryError, match="ls-files"):
        is_dirty(repo)


def test_without_status_information_every_file_is_hashed(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.age()
    _git_that(repo, tmp_path, monkeypatch, "*--debug*", f"printf '100644 {'1' * 40} 0\\ta\\0  other: 1\\n'")
    assert not is_dirty(repo)
    _edit_same_size(repo)
    assert is_dirty(repo)


def test_a_file_that_cannot_be_read_is_an_error(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("gate.collect.work_tree.os.readv", fail)
    with pytest.raises(EvidenceError, match="cannot be read: Input/output error"):
        is_dirty(repo)


def test_a_file_that_changes_while_it_is_read_is_an_error(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.readv

    def change(descriptor: int, buffers: list[memoryview]) -> int:
        with repo.at("app/system.txt").open("ab") as file:
            file.write(b"x")
        return real(descriptor, buffers)

    monkeypatch.setattr("gate.collect.work_tree.os.readv", change)
    with pytest.raises(EvidenceError, match="changed while it was read"):
        is_dirty(repo)


def test_names_that_are_too_long_for_the_system_are_an_error(tmp_path: Path) -> None:
    with WorkTree(tmp_path) as work_tree:
        with pytest.raises(EvidenceError, match="cannot be read"):
            work_tree.status(b"x" * 300)
        assert work_tree.read(b"none") is None
        assert work_tree.status(b"none/below") is None


def test_a_folder_that_goes_away_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    with WorkTree(tmp_path) as work_tree:
        work_tree.status(b"folder")
        monkeypatch.setattr(work_tree, "status", lambda _path: os.stat(tmp_path))  # noqa: PTH116
        with pytest.raises(EvidenceError, match="'gone' cannot be read"):
            work_tree.entries(b"gone", 10, lambda _: True)
        with pytest.raises(EvidenceError, match="'gone' cannot be read"):
            work_tree.names(b"gone")


def test_the_environment_of_the_tests_is_not_the_caller_s() -> None:
    done = subprocess.run(["git", "config", "--list"], env=ENVIRONMENT, cwd="/", capture_output=True, check=False)
    assert done.stdout == b""
