"""What changed between two commits, and what lies on disk: nothing hides, nothing runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gate.collect.changes import collect_changes
from gate.collect.git import Repository
from gate.collect.git_command import ObjectReader
from gate.collect.git_tree import parse_tree
from gate.collect.work_tree import parse_pointer
from gate.errors import ConfigError, EvidenceError, HistoryError, LimitError
from gate.formats.glob import compile_glob
from gate.model.change import ChangeSet, ChangeSource, FileChange
from gate.model.path import path_text
from gate.model.settings import Limits
from tests.support.repos import Repo, pointer, sha

LIMITS = Limits()
EVERYTHING = ("**",)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.change(tmp_path / "repo")


def collect(repo: Repo, *globs: str, base: str = "main", limits: Limits = LIMITS, **more: object) -> ChangeSet:
    opened = Repository(repo.path)
    commit = opened.resolve(base)
    head = opened.head()
    assert head is not None
    span = (opened.merge_base(commit, head[0]), head[0], commit)
    steering = more.get("steering")
    assert steering is None or isinstance(steering, tuple)
    return collect_changes(
        opened, repo.path, span, [compile_glob(text) for text in globs], steering=steering, limits=limits
    )


def on_disk(root: Path, *globs: str, limits: Limits = LIMITS) -> ChangeSet:
    opened = Repository(root) if os.path.lexists(root / ".git") else None
    return collect_changes(opened, root, None, [compile_glob(text) for text in globs], limits=limits)


def raw_changes(repo: Repo, base: str, head: str) -> Mapping[str, FileChange]:
    return Repository(repo.path).changes(base, head, LIMITS)


def statuses(change: ChangeSet) -> dict[str, str]:
    return {path: entry.status.value for path, entry in change.files.items()}


# --- between two commits ---


def test_both_sides_with_ids_and_digests(repo: Repo) -> None:
    change = collect(repo)
    entry = change.files["app/system.txt"]
    assert statuses(change) == {"app/system.txt": "modified"}
    assert entry.old is not None
    assert entry.new is not None
    assert (entry.old.mode, entry.old.digest) == ("100644", sha(b"one\n"))
    assert (entry.new.mode, entry.new.digest) == ("100644", sha(b"two\n"))
    assert change.source is ChangeSource.COLLECTED
    assert change.base == change.merge_base == repo.git("rev-parse", "main")
    assert change.head == repo.head
    assert change.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert not change.dirty
    assert change.folders == {}


def test_s23_all_commits_since_the_merge_base_count_and_the_base_s_own_do_not(repo: Repo) -> None:
    repo.commit({"bad.pkl": b"bad"})
    repo.commit({"good.txt": b"good"})
    repo.git("checkout", "-q", "main")
    repo.commit({"app/system.txt": b"three\n"})
    repo.git("checkout", "-q", "change")
    change = collect(repo)
    assert set(change.files) == {"app/system.txt", "bad.pkl", "good.txt"}
    assert change.base != change.merge_base


def test_no_change_is_an_empty_set(repo: Repo) -> None:
    assert collect(repo, base="change").files == {}


def test_s21_a_rename_is_a_deletion_and_an_addition(repo: Repo) -> None:
    repo.config(diff__renames="copies")
    repo.git("mv", "app/other.txt", "elsewhere.txt")
    repo.commit()
    found = statuses(collect(repo))
    assert found == {"app/other.txt": "deleted", "app/system.txt": "modified", "elsewhere.txt": "added"}


def test_s21_swapped_and_copied_files_all_count(repo: Repo) -> None:
    repo.commit({"app/system.txt": b"other\n", "app/other.txt": b"one\n", "copy.txt": b"hello\n"})
    assert statuses(collect(repo)) == {"app/other.txt": "modified", "app/system.txt": "modified", "copy.txt": "added"}


def test_s21_modes_and_types_are_seen(repo: Repo) -> None:
    repo.at("app/other.txt").chmod(0o755)
    repo.at("README.md").unlink()
    repo.at("README.md").symlink_to("app/system.txt")
    repo.commit()
    change = collect(repo)
    assert statuses(change) == {"README.md": "type_changed", "app/other.txt": "modified", "app/system.txt": "modified"}
    other, readme = change.files["app/other.txt"], change.files["README.md"]
    assert other.old is not None
    assert other.new is not None
    assert (other.old.mode, other.new.mode) == ("100644", "100755")
    assert other.old.digest == other.new.digest
    assert readme.new is not None
    assert (readme.new.mode, readme.new.digest) == ("120000", None)


def test_s21_a_file_that_becomes_a_folder(repo: Repo) -> None:
    repo.at("README.md").unlink()
    repo.commit({"README.md/a": b"a"})
    found = statuses(collect(repo))
    assert found == {"README.md": "deleted", "README.md/a": "added", "app/system.txt": "modified"}


def test_s21_a_submodule_s_new_commit_counts_though_it_asks_to_be_ignored(repo: Repo, tmp_path: Path) -> None:
    inner = Repo.change(tmp_path / "inner")
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    repo.git("config", "-f", ".gitmodules", "submodule.sub.ignore", "all")
    repo.config(diff__ignoreSubmodules="all", submodule__sub__ignore="all")
    before = repo.commit()
    inner.commit({"x": b"x"})
    repo.git("-C", "sub", "pull", "-q")
    repo.git("update-index", "--cacheinfo", f"160000,{inner.head},sub")
    repo.git("commit", "-q", "--allow-empty", "-m", "x")
    found = raw_changes(repo, before, repo.head)
    assert set(found) == {"sub"}
    assert found["sub"].new is not None
    assert (found["sub"].new.mode, found["sub"].new.digest) == ("160000", None)


NAMES = [
    b"models/a\nb.txt",
    b"models/a\tb.txt",
    b"models/\xff\xfe.txt",
    b"models/ lead.txt",
    b"models/trail .txt",
    b"--output=pwned",
    b"-",
    b"models/\xc3\xa9.txt",
    b"models/e\xcc\x81.txt",
    b'models/"quoted".txt',
    b"models/back\\slash.txt",
    b"models/\x1b[31mred.txt",
    b"models/:(glob)*",
    b"models/*.txt",
    b"models/\x7f",
    b"~",
    b"models/CON",
    b"models/Case.txt",
    b"models/case.txt",
    b"models/\xe2\x80\xae.txt",
]


@pytest.mark.parametrize("name", NAMES, ids=[repr(name) for name in NAMES])
def test_s21_no_name_hides_a_change(repo: Repo, name: bytes) -> None:
    repo.commit({name: b"content"})
    change = collect(repo, "models/**")
    assert set(change.files) == {path_text(name), "app/system.txt"}
    side = change.files[path_text(name)].new
    assert side is not None
    assert side.digest == sha(b"content")
    assert not change.dirty
    assert not list(repo.path.rglob("pwned"))


HOSTILE = [
    "core.fsmonitor",
    "core.hooksPath",
    "core.pager",
    "core.sshCommand",
    "core.gitProxy",
    "core.askPass",
    "core.editor",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.x.textconv",
    "diff.x.command",
    "filter.x.clean",
    "filter.x.smudge",
    "filter.x.process",
    "merge.x.driver",
    "pager.diff-tree",
    "pager.ls-files",
    "alias.diff-tree",
    "alias.cat-file",
    "gpg.program",
    "uploadpack.packObjectsHook",
    "interactive.diffFilter",
    "sequence.editor",
    "trailer.x.command",
]


def hostile_program(tmp_path: Path) -> tuple[Path, Path]:
    marker, program = tmp_path / "marker", tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    program.chmod(0o755)
    return program, marker


@pytest.mark.parametrize("key", HOSTILE)
def test_s21_the_repository_s_configuration_runs_nothing(repo: Repo, tmp_path: Path, key: str) -> None:
    repo.commit({".gitattributes": b"* diff=x filter=x merge=x\n"})
    program, marker = hostile_program(tmp_path)
    value = f"!{program}" if key.startswith("alias") else str(program)
    repo.git("config", key, value)
    expected = collect(repo, *EVERYTHING)
    assert set(expected.files) == {".gitattributes", "app/system.txt"}
    on_disk(repo.path, *EVERYTHING)
    assert not marker.exists()


def test_s21_hooks_do_not_run(repo: Repo, tmp_path: Path) -> None:
    program, marker = hostile_program(tmp_path)
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout", "pre-commit"):
        shutil.copy(program, repo.path / ".git" / "hooks" / hook)
    collect(repo, *EVERYTHING)
    assert not marker.exists()


def test_s21_configuration_that_is_included_runs_nothing(repo: Repo, tmp_path: Path) -> None:
    program, marker = hostile_program(tmp_path)
    (tmp_path / "more").write_text(f"[core]\n\tfsmonitor = {program}\n")
    repo.config(include__path=str(tmp_path / "more"))
    collect(repo, *EVERYTHING)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.quotePath", "true"),
        ("diff.relative", "true"),
        ("diff.noprefix", "true"),
        ("diff.orderFile", "/nonexistent"),
        ("core.bare", "true"),
        ("core.worktree", "/nonexistent"),
        ("core.ignoreCase", "true"),
        ("core.precomposeUnicode", "true"),
        ("core.fileMode", "false"),
        ("core.symlinks", "false"),
        ("core.trustctime", "false"),
        ("core.checkStat", "minimal"),
        ("core.untrackedCache", "true"),
        ("core.excludesFile", "/etc/passwd"),
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("status.showUntrackedFiles", "no"),
        ("diff.ignoreSubmodules", "all"),
        ("core.abbrev", "4"),
        ("color.ui", "always"),
        ("core.useReplaceRefs", "true"),
    ],
)
def test_s21_the_repository_s_configuration_changes_nothing(repo: Repo, key: str, value: str) -> None:
    repo.commit({"app/é.txt": b"x"})
    expected = collect(repo, *EVERYTHING)
    repo.git("config", key, value)
    assert collect(repo, *EVERYTHING) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIR", "/nonexistent"),
        ("GIT_EXTERNAL_DIFF", "false"),
        ("GIT_DIFF_OPTS", "--stat"),
        ("GIT_LITERAL_PATHSPECS", "0"),
        ("GIT_GLOB_PATHSPECS", "1"),
        ("GIT_INDEX_FILE", "/nonexistent"),
        ("GIT_ATTR_SOURCE", "HEAD"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nonexistent"),
    ],
)
def test_s21_the_environment_changes_nothing(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    expected = collect(repo, *EVERYTHING)
    monkeypatch.setenv(name, value)
    assert collect(repo, *EVERYTHING) == expected


@pytest.mark.parametrize(
    "attributes", [b"* -diff\n", b"* binary\n", b"* text eol=crlf\n", b"* ident\n", b"* export-ignore\n"]
)
def test_s21_attributes_do_not_change_what_is_hashed(repo: Repo, attributes: bytes) -> None:
    repo.write(".git/info/attributes", attributes)
    assert collect(repo).files["app/system.txt"].new is not None
    assert statuses(collect(repo)) == {"app/system.txt": "modified"}


# --- trees that no checkout could hold ---

HOSTILE_NAMES = [b"..", b".", b"", b".git", b".GIT", b".gIt", b"a/b", b"/", b"../x", b"a/"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("mode", ["100644", "40000", "160000", "120000"])
def test_s21_an_impossible_name_is_refused(repo: Repo, name: bytes, mode: str) -> None:
    blob = repo.blob(b"x")
    inside = repo.tree(("100644", blob, b"x"))
    target = {"40000": inside, "160000": "1" * 40}.get(mode, blob)
    base = repo.commit_tree(repo.tree(("100644", blob, b"a.txt")))
    for tree in (
        repo.tree((mode, target, name)),
        repo.tree(("40000", repo.tree((mode, target, name)), b"below")),
    ):
        with pytest.raises(HistoryError):
            raw_changes(repo, base, repo.commit_tree(tree, base))


@pytest.mark.parametrize(
    "entries",
    [
        (("100644", b"a"), ("100644", b"a")),
        (("100644", b"a"), ("40000", b"a")),
        (("40000", b"a"), ("100644", b"a")),
        (("100644", b"b"), ("100644", b"a")),
        (("40000", b"a"), ("100644", b"a.b")),
        (("100600", b"a"),),
        (("0100644", b"a"),),
        (("100777", b"a"),),
        (("040000", b"a"),),
        (("170000", b"a"),),
        (("0", b"a"),),
        (("junk", b"a"),),
    ],
)
def test_s21_duplicate_names_wrong_order_and_unknown_modes_are_refused(
    repo: Repo, entries: tuple[tuple[str, bytes], ...]
) -> None:
    blob = repo.blob(b"x")
    inside = repo.tree(("100644", blob, b"x"))
    base = repo.commit_tree(repo.tree(("100644", blob, b"z")))
    tree = repo.tree(*((mode, inside if mode.endswith("40000") else blob, name) for mode, name in entries))
    with pytest.raises(HistoryError):
        raw_changes(repo, base, repo.commit_tree(tree, base))


@pytest.mark.parametrize(
    "data", [b"100644", b"100644 a", b"100644 a\0short", b" a\0" + bytes(20), b"100644\0a " + bytes(20)]
)
def test_s21_a_damaged_tree_is_refused(data: bytes) -> None:
    with pytest.raises(HistoryError):
        parse_tree(data, 20)


def test_names_that_differ_in_case_only_are_fine(repo: Repo) -> None:
    change = collect(repo, base=repo.commit({"A.txt": b"1", "a.txt": b"2"}) and "main")
    assert {"A.txt", "a.txt"} <= set(change.files)


def test_old_modes_count_as_git_shows_them(repo: Repo) -> None:
    blob = repo.blob(b"x")
    base = repo.commit_tree(repo.tree(("100644", blob, b"z")))
    head = repo.commit_tree(repo.tree(("100664", blob, b"a"), ("100664", blob, b"z")), base)
    assert set(raw_changes(repo, base, head)) == {"a"}


# --- objects that are not there ---


def test_s22_a_partial_clone_fetches_nothing_and_is_an_error(repo: Repo, tmp_path: Path) -> None:
    repo.config(uploadpack__allowFilter="true", uploadpack__allowAnySHA1InWant="true")
    partial = Repo(tmp_path / "partial")
    repo.git(
        "clone", "-q", "--filter=blob:none", "--no-checkout", "-b", "change", f"file://{repo.path}", str(partial.path)
    )
    objects = partial.path / ".git" / "objects"
    before = sorted(path.name for path in objects.rglob("*"))
    partial.config(protocol__file__allow="always")
    with pytest.raises(HistoryError) as caught:
        raw_changes(partial, partial.git("rev-parse", "origin/main"), partial.head)
    assert "partial clone" in caught.value.hint
    assert sorted(path.name for path in objects.rglob("*")) == before


@pytest.mark.parametrize("protocol", ["ext", "file", "ssh", "none"])
def test_s21_a_promised_object_starts_no_transport(repo: Repo, tmp_path: Path, protocol: str) -> None:
    program, marker = hostile_program(tmp_path)
    lost = repo.git("rev-parse", "HEAD:app/system.txt")
    repo.config(
        core__repositoryFormatVersion="1",
        extensions__partialClone="origin",
        remote__origin__promisor="true",
        remote__origin__url={"ext": f"ext::{program}", "file": f"file://{repo.path}"}.get(protocol, "ssh://x@y/z"),
        remote__origin__uploadpack=str(program),
        core__sshCommand=str(program),
        protocol__allow="always",
        protocol__ext__allow="always",
        protocol__file__allow="always",
        protocol__ssh__allow="always",
    )
    if protocol == "none":
        repo.git("config", "remote.origin.vcs", "evil")
    repo.remove_object(lost)
    with pytest.raises(HistoryError):
        collect(repo)
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["HEAD:app/system.txt", "HEAD:app", "HEAD^{tree}", "main:app/system.txt", "main^{tree}"]
)
def test_s22_a_lost_object_is_an_error(repo: Repo, name: str) -> None:
    base, head, lost = repo.git("rev-parse", "main"), repo.head, repo.git("rev-parse", name)
    repo.remove_object(lost)
    with pytest.raises(HistoryError):
        raw_changes(repo, base, head)


def test_s22_a_damaged_object_is_an_error(repo: Repo) -> None:
    lost = repo.git("rev-parse", "HEAD:app/system.txt")
    repo.remove_object(lost)
    repo.write(f".git/objects/{lost[:2]}/{lost[2:]}", b"junk")
    with pytest.raises(HistoryError):
        collect(repo)


@pytest.mark.parametrize(
    "answer",
    [
        r":100644 100644 1 2 M\0a\0",
        r":100644 100644 %s %s R100\0a\0b\0",
        r":100644 100644 %s %s U\0a\0",
        r":100644 100644 %s %s M\0a",
        r":100644 100644 %s %s M\0a\0:100644 100644 %s %s M\0a\0",
        r"warning\0",
        "",
    ],
)
def test_s22_an_answer_of_diff_tree_that_is_not_understood(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    real = shutil.which("git")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    text = answer.replace("%s", "1" * 40)
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *diff-tree*) printf \'{text}\'; exit;; esac\nexec {real} "$@"\n'
        if answer
        else f'#!/bin/sh\ncase "$*" in *diff-tree*) echo fatal >&2; exit 128;; esac\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(HistoryError):
        collect(repo)


def test_s22_a_diff_that_contradicts_the_trees(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, program = shutil.which("git"), tmp_path / "bin" / "git"
    program.parent.mkdir()
    zero, one = "0" * 40, repo.blob(b"x")
    program.write_text(
        f"#!/bin/sh\ncase \"$*\" in *diff-tree*) printf ':000000 100644 {zero} {one} A\\0a/b\\0'; exit;; esac\n"
        f'exec {real} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(HistoryError, match="contradict"):
        collect(repo)


# --- large files, limits, Git LFS ---


def test_large_blobs_stream_through_one_process(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(5 << 20)
    repo.commit({"big.bin": data, "same.bin": data})
    seen: list[str] = []
    real = ObjectReader.blob

    def blob(self: ObjectReader, name: str) -> object:
        seen.append(name)
        found = real(self, name)
        assert len(found.start) <= 200
        return found

    monkeypatch.setattr(ObjectReader, "blob", blob)
    found = collect(repo).files
    assert found["big.bin"].new == found["same.bin"].new
    assert found["big.bin"].new is not None
    assert found["big.bin"].new.digest == sha(data)
    assert len(seen) == len(set(seen)) == 3


def test_more_changes_than_the_limit(repo: Repo) -> None:
    repo.commit({f"{number}": b"x" for number in range(5)})
    assert len(collect(repo, limits=Limits(files=6)).files) == 6
    with pytest.raises(LimitError, match="more than 5 files"):
        collect(repo, limits=Limits(files=5))


def test_a_pointer_counts_as_the_file_that_the_work_tree_holds(repo: Repo) -> None:
    head = repo.commit({"model.bin": pointer(b"weights"), "empty.bin": pointer(b""), "other.bin": pointer(b"gone")})
    repo.write("model.bin", b"weights")
    repo.write("empty.bin", b"")
    repo.write("other.bin", b"something else")
    change = collect(repo)
    digests = {path: entry.new.digest for path, entry in change.files.items() if entry.new is not None}
    assert digests["model.bin"] == sha(b"weights")
    assert digests["empty.bin"] == sha(b"")
    assert digests["other.bin"] == sha(pointer(b"gone"))
    assert change.dirty
    assert raw_changes(repo, change.base or "", head)["model.bin"] == change.files["model.bin"]


def test_a_pointer_on_the_old_side_counts_as_its_own_bytes(repo: Repo) -> None:
    before = repo.commit({"model.bin": pointer(b"weights")})
    head = repo.commit({"model.bin": b"weights"})
    entry = raw_changes(repo, before, head)["model.bin"]
    assert entry.old is not None
    assert entry.old.digest == sha(pointer(b"weights"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        pointer(b"x") + b"more",
        pointer(b"x")[:-1],
        pointer(b"x").replace(b"sha256", b"sha512"),
        pointer(b"x").replace(b"size 1", b"size 01"),
        pointer(b"x").replace(b"size 1", b"size -1"),
        pointer(b"x").replace(b"git-lfs.github.com", b"example.com"),
        pointer(b"x").replace(b"\n", b"\r\n"),
        pointer(b"x").upper(),
        b"x" + pointer(b"x"),
        pointer(b"x").replace(b"oid", b"ext-0-evil sha256:00\noid"),
    ],
)
def test_what_is_no_pointer(data: bytes) -> None:
    assert parse_pointer(data) is None


def test_a_pointer_says_what_it_stands_for() -> None:
    found = parse_pointer(pointer(b"weights"))
    assert found is not None
    assert (found.digest, found.size) == (sha(b"weights"), 7)


# --- the folder of a deleted file ---


def delete(repo: Repo, *names: str) -> str:
    for name in names:
        repo.at(name).unlink()
    return repo.commit()


def test_a_deleted_file_s_folder_as_it_is_now(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit({"m/a/x": b"x", "m/a/y": b"y", "m/b/y": b"y", "m/b/z": b"z", "m/b/deep/w": b"w", "lone/l": b"l"})
    repo.git("checkout", "-q", "-b", "delete")
    repo.at("m/b/link").symlink_to("z")
    delete(repo, "m/a/x", "m/b/y", "m/b/z", "lone/l", "README.md", "app/other.txt")
    folders = collect(repo, *EVERYTHING).folders
    assert folders["m/a/x"] == {sha(b"y")}
    assert folders["m/b/y"] == folders["m/b/z"] == {sha(b"w")}
    assert folders["lone/l"] == frozenset()
    assert folders["README.md"] == {sha(b"y"), sha(b"w"), sha(b"one\n")}
    assert folders["app/other.txt"] == {sha(b"one\n")}


def test_the_nearest_folder_that_remains_stands_in(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit({"m/a/b/x": b"x", "m/y": b"y"})
    repo.git("checkout", "-q", "-b", "delete")
    delete(repo, "m/a/b/x")
    assert collect(repo).folders == {"m/a/b/x": {sha(b"y")}}


def test_a_file_in_a_deleted_folder_s_place_is_no_folder(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit({"m/a/x": b"x", "m/y": b"y"})
    repo.git("checkout", "-q", "-b", "delete")
    repo.at("m/a/x").unlink()
    repo.at("m/a").rmdir()
    repo.commit({"m/a": b"a file"})
    assert collect(repo).folders == {"m/a/x": {sha(b"y"), sha(b"a file")}}


def test_folders_are_read_only_for_what_somebody_names(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit(
        {"keys/old.pub": b"1", "keys/new.pub": b"2", "src/a": b"a", "src/b": b"b", "docs/a": b"a", "docs/b": b"b"}
    )
    repo.git("checkout", "-q", "-b", "delete")
    delete(repo, "keys/old.pub", "src/a", "docs/a")
    folders = collect(repo, "src/**", steering=("keys/old.pub",)).folders
    assert folders == {"keys/old.pub": {sha(b"2")}, "src/a": {sha(b"b")}, "docs/a": frozenset()}


def test_a_folder_with_more_files_than_the_limit(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit({f"m/{number}": str(number).encode() for number in range(8)})
    repo.git("checkout", "-q", "-b", "delete")
    delete(repo, "m/0")
    assert len(collect(repo, limits=Limits(files=7)).folders["m/0"]) == 7
    with pytest.raises(LimitError, match="more than 6 files"):
        collect(repo, limits=Limits(files=6))


def test_a_tree_that_is_nested_without_end(repo: Repo) -> None:
    blob = repo.blob(b"x")
    tree = repo.tree(("100644", blob, b"x"))
    for _ in range(300):
        tree = repo.tree(("40000", tree, b"d"))
    one = repo.tree(("100644", blob, b"a"), ("40000", tree, b"d"))
    base = repo.commit_tree(one)
    head = repo.commit_tree(repo.tree(("40000", tree, b"d")), base)
    repo.git("update-ref", "refs/heads/change", head)
    repo.git("reset", "-q", "--hard", head)
    opened = Repository(repo.path)
    with pytest.raises(LimitError, match="nested"):
        collect_changes(opened, repo.path, (base, head, base), [], limits=LIMITS)


# --- everything on disk ---


def plain_folder(tmp_path: Path) -> Path:
    root = tmp_path / "plain"
    (root / "app" / "deep").mkdir(parents=True)
    (root / "app" / "system.txt").write_bytes(b"one\n")
    (root / "app" / "deep" / "run.sh").write_bytes(b"run\n")
    (root / "app" / "deep" / "run.sh").chmod(0o755)
    (root / "app" / "link").symlink_to("/etc/passwd")
    (root / "app" / "folder").symlink_to("deep")
    (root / "README.md").write_bytes(b"hello\n")
    return root


def test_without_a_base_every_file_that_a_gate_names_counts(tmp_path: Path) -> None:
    change = on_disk(plain_folder(tmp_path), "app/**")
    sides = {path: entry.new for path, entry in change.files.items()}
    assert {path: side and (side.mode, side.digest) for path, side in sides.items()} == {
        "app/deep/run.sh": ("100755", sha(b"run\n")),
        "app/folder": ("120000", None),
        "app/link": ("120000", None),
        "app/system.txt": ("100644", sha(b"one\n")),
    }
    assert set(statuses(change).values()) == {"added"}
    assert change.source is ChangeSource.EVERYTHING
    assert (change.base, change.merge_base, change.head, change.tree, change.folders) == (None, None, None, None, {})
    assert not change.dirty


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        ((), set()),
        (("none/**",), set()),
        (("README.md",), {"README.md"}),
        (("app/system.txt", "app/*.txt", "app/**"), {"app/system.txt", "app/link", "app/folder", "app/deep/run.sh"}),
        (("**/*.sh",), {"app/deep/run.sh", "app/link", "app/folder"}),
        (("app/*.sh", "app/deep/*.txt"), set()),
        (("app/link",), {"app/link"}),
        (("app/link/**", "app/folder/**", "README.md/**"), {"app/link", "app/folder"}),
        (("app/folder/deep/er/*.txt",), {"app/folder"}),
        (("app/*/prompts/**",), {"app/link", "app/folder"}),
        (("App/SYSTEM.txt",), {"app/system.txt"}),
        (("app",), set()),
        ((".git/**", ".git"), set()),
        (("app/deep/**", "app/**"), {"app/system.txt", "app/link", "app/folder", "app/deep/run.sh"}),
    ],
)
def test_globs_find_exactly_their_files(tmp_path: Path, globs: tuple[str, ...], expected: set[str]) -> None:
    assert set(on_disk(plain_folder(tmp_path), *globs).files) == expected


def test_a_folder_spelled_in_another_normal_form_is_searched(tmp_path: Path) -> None:
    root = plain_folder(tmp_path)
    for folder in ("cafe\u0301", "\u212aelvin"):
        (root / folder).mkdir()
        (root / folder / "x").write_bytes(b"x")
    assert set(on_disk(root, "café/*").files) == {"cafe\u0301/x"}
    assert set(on_disk(root, "Kelvin/*").files) == {"\u212aelvin/x"}


@pytest.mark.parametrize(
    "name", ["Prompts/p.txt", "prom\u200bpts/p.txt", "prompts\uff0fp.txt", "prompts/P.txt"], ids=ascii
)
@pytest.mark.parametrize("glob", ["prompts/**", "prompts/p.txt", "**/p.txt", "prompts/*.txt"])
def test_s20_a_look_alike_is_found_on_disk(tmp_path: Path, name: str, glob: str) -> None:
    root = plain_folder(tmp_path)
    for path in (name, "prompts/p.txt", "other/p.md", "prompt/q.txt"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(b"x")
    found = set(on_disk(root, glob).files)
    assert {name, "prompts/p.txt"} <= found <= {name, "prompts/p.txt", "app/link", "app/folder"}


def test_s21_a_link_in_the_place_of_a_folder_that_a_gate_names_counts(tmp_path: Path) -> None:
    root = plain_folder(tmp_path)
    (root / "prompts").symlink_to("app")
    for glob in ("prompts/**", "prompts/deep/*.txt", "Prompts/deep/run.sh"):
        change = on_disk(root, glob)
        assert set(change.files) == {"prompts"}
        side = change.files["prompts"].new
        assert side is not None
        assert side.mode == "120000"


@pytest.mark.parametrize("checked_out", [True, False])
def test_s21_a_submodule_above_what_a_gate_names_counts(repo: Repo, tmp_path: Path, checked_out: bool) -> None:
    inner = Repo.change(tmp_path / "inner")
    repo.git("submodule", "--quiet", "add", str(inner.path), "app/new")
    repo.commit()
    if not checked_out:
        repo.git("submodule", "--quiet", "deinit", "-f", "app/new")
    change = on_disk(repo.path, "app/*/prompts/**")
    assert set(change.files) == {"app/new"}
    side = change.files["app/new"].new
    assert side is not None
    assert (side.mode, side.digest) == ("160000", None)
    assert not change.dirty
    assert set(on_disk(repo.path, "lib/**").files) == set()
    with pytest.raises(LimitError, match="more than 0 files"):
        on_disk(repo.path, "app/*/prompts/**", limits=Limits(files=0))


def test_folders_are_read_for_a_deleted_link_above_what_a_gate_names(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.at("app/new").symlink_to("../stuff")
    repo.commit()
    repo.git("checkout", "-q", "-b", "unlink")
    repo.at("app/new").unlink()
    repo.commit()
    assert collect(repo, "app/*/prompts/**", steering=()).folders == {"app/new": {sha(b"one\n"), sha(b"other\n")}}
    assert collect(repo, "lib/**", steering=()).folders == {"app/new": frozenset()}


def test_everything_in_a_repository_has_its_head(repo: Repo) -> None:
    repo.write("untracked.txt", b"u")
    repo.write(".gitignore", b"ignored.txt\n")
    repo.write("ignored.txt", b"i")
    change = on_disk(repo.path, *EVERYTHING)
    assert set(change.files) == {
        ".gitignore",
        "README.md",
        "app/other.txt",
        "app/system.txt",
        "ignored.txt",
        "untracked.txt",
    }
    assert change.head == repo.head
    assert change.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert change.base is None
    assert change.dirty


def test_everything_below_an_unborn_branch(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "new")
    repo.write("a", b"a")
    change = on_disk(repo.path, *EVERYTHING)
    assert set(change.files) == {"a"}
    assert (change.head, change.dirty) == (None, False)


def test_git_s_own_folders_are_left_out_at_every_level(repo: Repo) -> None:
    Repo.init(repo.path / "app" / "inner")
    repo.write("app/inner/x", b"x")
    assert "app/inner/x" in on_disk(repo.path, *EVERYTHING).files
    assert not [path for path in on_disk(repo.path, *EVERYTHING).files if ".git" in path]


def test_a_fifo_that_a_gate_names_is_an_error_at_once(tmp_path: Path) -> None:
    root = plain_folder(tmp_path)
    os.mkfifo(root / "app" / "fifo")
    assert set(on_disk(root, "README.md").files) == {"README.md"}
    with pytest.raises(EvidenceError, match="neither a regular file nor a link"):
        on_disk(root, "app/**")


def test_more_files_on_disk_than_the_limit(tmp_path: Path) -> None:
    root = plain_folder(tmp_path)
    assert len(on_disk(root, "**", limits=Limits(files=5)).files) == 5
    with pytest.raises(LimitError, match="more than 4 files"):
        on_disk(root, "**", limits=Limits(files=4))
    for number in range(30):
        (root / f"{number}").touch()
    with pytest.raises(LimitError, match="more than 30 files"):
        on_disk(root, "**/none", limits=Limits(files=3))


# --- wrong calls ---


def test_s22_a_base_without_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="without a git repository"):
        collect_changes(None, tmp_path, ("1" * 40,) * 3, [], limits=LIMITS)


def test_the_root_has_to_be_the_repository_s(repo: Repo) -> None:
    with pytest.raises(ConfigError, match="not the top level"):
        collect_changes(Repository(repo.path), repo.path / "app", None, [], limits=LIMITS)


def test_s23_the_head_has_to_be_checked_out(repo: Repo, tmp_path: Path) -> None:
    main, head = repo.git("rev-parse", "main"), repo.head
    repo.git("checkout", "-q", "main")
    with pytest.raises(HistoryError, match="not that of the head"):
        collect_changes(Repository(repo.path), repo.path, (main, head, main), [], limits=LIMITS)
    unborn = Repo.init(tmp_path / "new")
    with pytest.raises(HistoryError, match="not that of the head"):
        collect_changes(Repository(unborn.path), unborn.path, (main, head, main), [], limits=LIMITS)


@pytest.mark.parametrize("excluded", ["/abs", "../up", "a//b"])
def test_an_excluded_path_that_is_not_plain(repo: Repo, excluded: str) -> None:
    with pytest.raises(EvidenceError, match="not a plain relative path"):
        collect_changes(Repository(repo.path), repo.path, None, [], excluded=[excluded], limits=LIMITS)


def test_an_excluded_pattern_that_is_none(repo: Repo) -> None:
    with pytest.raises(ConfigError, match="not a valid pattern"):
        collect_changes(Repository(repo.path), repo.path, None, [], excluded=["a/[x]*"], limits=LIMITS)


def test_a_sha256_repository(tmp_path: Path) -> None:
    change = collect(Repo.change(tmp_path / "repo", "--object-format=sha256"), *EVERYTHING)
    assert statuses(change) == {"app/system.txt": "modified"}
    assert len(change.head or "") == 64
    assert not change.dirty


def test_a_linked_work_tree(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked")
    change = collect(linked, *EVERYTHING)
    assert statuses(change) == {"app/system.txt": "modified"}
    assert not change.dirty
    linked.write("app/system.txt", b"x")
    assert collect(linked).dirty


def test_the_result_can_be_compared(repo: Repo) -> None:
    change = collect(repo, *EVERYTHING)
    assert change == collect(repo, *EVERYTHING)
    assert change != replace(change, dirty=True)
