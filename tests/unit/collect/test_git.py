"""Names, roots, merge bases and files at a commit, in good and hostile repositories."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gate.collect.git import Repository, find_root, git_version
from gate.collect.git_command import GitCommand, ObjectReader
from gate.errors import ConfigError, EvidenceError, GateError, HistoryError, LimitError
from tests.support.repos import ENVIRONMENT, Repo

LIMIT = 1 << 20


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.change(tmp_path / "repo")


def fake_git(folder: Path, script: str) -> str:
    """A PATH on which git is a shell script."""
    folder.mkdir(exist_ok=True)
    program = folder / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


# --- roots ---


def test_the_root_is_found_from_below_and_none_outside(repo: Repo, tmp_path: Path) -> None:
    assert find_root(repo.path) == repo.path
    assert find_root(repo.path / "app") == repo.path
    outside = tmp_path / "outside"
    outside.mkdir()
    assert find_root(outside) is None


def test_a_linked_work_tree_is_a_root(repo: Repo, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", str(linked), "main")
    assert find_root(linked / "app") == linked
    opened = Repository(linked)
    assert opened.head() == (repo.git("rev-parse", "main"), repo.git("rev-parse", "main^{tree}"))
    assert opened.index != Repository(repo.path).index


def test_a_submodule_is_a_root_of_its_own(repo: Repo, tmp_path: Path) -> None:
    inner = Repo.change(tmp_path / "inner")
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    assert (repo.path / "sub" / ".git").is_file()
    assert find_root(repo.path / "sub" / "app") == repo.path / "sub"
    head = Repository(repo.path / "sub").head()
    assert head is not None
    assert head[0] == inner.head


@pytest.mark.parametrize("where", ["bare.git", "bare.git/objects", "repo/.git", "repo/.git/refs"])
def test_s22_a_bare_repository_or_git_folder_is_an_error(repo: Repo, tmp_path: Path, where: str) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    with pytest.raises(HistoryError, match="bare repository"):
        find_root(tmp_path / where)


def _empty_folder(at: Path) -> None:
    at.mkdir()


def _junk_file(at: Path) -> None:
    at.write_text("junk")


def _dangling_file(at: Path) -> None:
    at.write_text("gitdir: /nonexistent/repository\n")


def _dangling_link(at: Path) -> None:
    at.symlink_to("/nonexistent/repository")


@pytest.mark.parametrize("make", [_empty_folder, _junk_file, _dangling_file, _dangling_link])
def test_s22_a_broken_repository_is_an_error_even_inside_a_good_one(repo: Repo, make: Callable[[Path], None]) -> None:
    make(repo.path / "app" / ".git")
    with pytest.raises(HistoryError):
        find_root(repo.path / "app")
    with pytest.raises(HistoryError):
        Repository(repo.path / "app")


def test_s21_the_configured_work_tree_does_not_move_the_root(repo: Repo, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    repo.config(core__worktree=str(elsewhere))
    assert find_root(repo.path / "app") == repo.path
    assert Repository(repo.path).head() is not None


def test_an_answer_that_is_no_description_of_a_repository(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", "echo true"))
    with pytest.raises(HistoryError, match="not a repository"):
        Repository(repo.path)


# --- names ---

REFUSED = [
    "",
    "-O",
    "--output=pwned",
    "--upload-pack=touch pwned",
    "main..change",
    "main...change",
    "main\n",
    "main change",
    "main\tx",
    "main\0",
    "main\x1b[31m",
    "\u00a0main",
    "\u202emain",
    "HEAD:README.md",
    ":/hello",
    ":0:README.md",
    "HEAD@{0}",
    "@{-1}",
    "@{upstream}",
    "HEAD^{/hello}",
    "refs/heads/*",
    "mai?",
    "[m]ain",
    "ma\\in",
    "main:..",
    "a" * 1025,
    "\ud800",
]


@pytest.mark.parametrize("ref", REFUSED)
def test_s21_what_is_no_plain_name_is_refused_before_git_sees_it(repo: Repo, ref: str) -> None:
    with pytest.raises(ConfigError):
        Repository(repo.path).resolve(ref)
    assert not list(repo.path.rglob("pwned"))


@pytest.mark.parametrize(
    "ref", ["main", "change", "refs/heads/main", "HEAD", "@", "HEAD~1", "HEAD^", "v1", "refs/tags/v1", "x/y"]
)
def test_a_name_stands_for_a_full_id(repo: Repo, ref: str) -> None:
    repo.git("tag", "-a", "v1", "-m", "x", "main")
    repo.git("branch", "x/y")
    assert Repository(repo.path).resolve(ref) == repo.git("rev-parse", f"{ref}^{{commit}}")


def test_an_id_stands_for_itself_and_may_be_short(repo: Repo) -> None:
    assert Repository(repo.path).resolve(repo.head) == repo.head
    assert Repository(repo.path).resolve(repo.head[:10]) == repo.head
    assert Repository(repo.path).resolve(repo.head.upper()) == repo.head


@pytest.mark.parametrize(
    "ref", ["no-such", "refs/heads/no-such", "a" * 40, "f" * 64, "HEAD~99", "HEAD^9", "HEAD^!", "'x'"]
)
def test_s22_an_unknown_commit_is_an_error_that_says_what_to_fetch(repo: Repo, ref: str) -> None:
    with pytest.raises(HistoryError) as caught:
        Repository(repo.path).resolve(ref)
    assert "git fetch origin" in caught.value.hint
    assert "fetch-depth: 0" in caught.value.hint


def test_s22_a_tree_or_blob_is_no_commit(repo: Repo) -> None:
    for name in ("HEAD^{tree}", repo.git("rev-parse", "HEAD^{tree}"), repo.blob(b"x")):
        with pytest.raises(HistoryError):
            Repository(repo.path).resolve(name)


@pytest.mark.parametrize(("kind", "name"), [("tag", "main"), ("branch", "v1"), ("branch", "HEAD")])
def test_s21_a_name_for_two_things_is_refused(repo: Repo, kind: str, name: str) -> None:
    repo.git("tag", "v1")
    repo.git("update-ref", f"refs/{'tags' if kind == 'tag' else 'heads'}/{name}", "main")
    with pytest.raises(ConfigError, match="ambiguous"):
        Repository(repo.path).resolve(name)


def test_s21_a_branch_named_like_an_id_is_refused(repo: Repo) -> None:
    repo.git("update-ref", f"refs/heads/{repo.head}", "main")
    repo.git("update-ref", f"refs/heads/{repo.head[:8]}", "main")
    for name in (repo.head, repo.head[:8]):
        with pytest.raises(ConfigError, match="ambiguous"):
            Repository(repo.path).resolve(name)
    assert Repository(repo.path).resolve(f"refs/heads/{repo.head}") == repo.git("rev-parse", "refs/heads/main")


def test_s21_the_configuration_cannot_silence_ambiguity(repo: Repo) -> None:
    repo.config(core__warnAmbiguousRefs="false")
    repo.git("tag", "main")
    with pytest.raises(ConfigError, match="ambiguous"):
        Repository(repo.path).resolve("main")


# --- the head ---


def test_the_head_is_a_commit_and_its_tree(repo: Repo) -> None:
    assert Repository(repo.path).head() == (repo.head, repo.git("rev-parse", "HEAD^{tree}"))
    repo.git("checkout", "-q", "--detach")
    assert Repository(repo.path).head() == (repo.head, repo.git("rev-parse", "HEAD^{tree}"))


def test_an_unborn_branch_has_no_head(tmp_path: Path) -> None:
    assert Repository(Repo.init(tmp_path / "new").path).head() is None


def _junk_branch(repo: Repo) -> None:
    repo.write(".git/refs/heads/change", b"junk\n")


def _missing_commit(repo: Repo) -> None:
    repo.write(".git/refs/heads/change", b"1" * 40 + b"\n")


def _missing_packed_commit(repo: Repo) -> None:
    repo.git("pack-refs", "--all")
    packed = repo.path / ".git" / "packed-refs"
    packed.write_text(packed.read_text().replace(repo.head, "1" * 40))


def _lost_commit(repo: Repo) -> None:
    repo.remove_object(repo.head)


def _detached_at_nothing(repo: Repo) -> None:
    repo.write(".git/HEAD", b"1" * 40 + b"\n")


def _outside_of_heads(repo: Repo) -> None:
    repo.write(".git/HEAD", b"ref: refs/tags/none\n")


def _folder_for_branch(repo: Repo) -> None:
    (repo.path / ".git/refs/heads/change").unlink()
    (repo.path / ".git/refs/heads/change").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        _junk_branch,
        _missing_commit,
        _missing_packed_commit,
        _lost_commit,
        _detached_at_nothing,
        _outside_of_heads,
        _folder_for_branch,
    ],
)
def test_s22_a_damaged_head_is_no_unborn_branch(repo: Repo, damage: Callable[[Repo], None]) -> None:
    damage(repo)
    with pytest.raises(HistoryError):
        Repository(repo.path).head()


# --- merge bases ---


def merge_base(repo: Repo, base: str = "main", head: str = "change") -> str:
    opened = Repository(repo.path)
    return opened.merge_base(opened.resolve(base), opened.resolve(head))


def test_the_merge_base_is_where_histories_part(repo: Repo) -> None:
    expected = repo.git("rev-parse", "main")
    repo.git("checkout", "-q", "main")
    repo.commit({"later.txt": b"x"})
    assert merge_base(repo) == expected
    assert merge_base(repo, head="main") == repo.head


def test_s22_unrelated_histories(repo: Repo) -> None:
    repo.git("checkout", "-q", "--orphan", "alien")
    repo.commit({"x": b"x"})
    with pytest.raises(HistoryError, match="no common history") as caught:
        merge_base(repo, head="alien")
    assert "fetch-depth: 0" in caught.value.hint


def test_s22_several_merge_bases(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    one = repo.commit({"one": b"1"})
    repo.git("checkout", "-q", "change")
    two = repo.commit({"two": b"2"})
    repo.git("merge", "-q", "-m", "x", one)
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "-m", "x", two)
    with pytest.raises(HistoryError, match="2 merge bases"):
        merge_base(repo)


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_s22_a_shallow_clone_is_refused_however_deep(repo: Repo, tmp_path: Path, depth: int) -> None:
    for number in range(60):
        repo.commit(message=str(number))
    shallow = Repo(tmp_path / "shallow")
    repo.git("clone", "-q", f"--depth={depth}", "--no-single-branch", f"file://{repo.path}", str(shallow.path))
    with pytest.raises(HistoryError, match="shallow") as caught:
        merge_base(shallow, "origin/main", "HEAD")
    assert "fetch-depth: 0" in caught.value.hint


def test_s22_grafts_are_refused(repo: Repo) -> None:
    repo.write(".git/info/grafts", f"{repo.head}\n".encode())
    with pytest.raises(HistoryError, match="grafts"):
        merge_base(repo)


def test_s22_grafts_of_the_main_work_tree_are_refused_in_a_linked_one(repo: Repo, tmp_path: Path) -> None:
    repo.write(".git/info/grafts", f"{repo.head}\n".encode())
    repo.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    with pytest.raises(HistoryError, match="grafts"):
        merge_base(Repo(tmp_path / "linked"))


def test_s22_replace_refs_are_refused(repo: Repo) -> None:
    repo.git("replace", repo.head, repo.git("rev-parse", "main"))
    with pytest.raises(HistoryError, match="replace"):
        merge_base(repo)


def test_s22_a_broken_replace_ref_is_refused_too(repo: Repo) -> None:
    repo.write(f".git/refs/replace/{repo.head}", b"junk")
    with pytest.raises(HistoryError, match="replace"):
        merge_base(repo)


def test_s22_a_lost_ancestor_is_an_error(repo: Repo) -> None:
    base, head = repo.commit({"x": b"1"}), repo.commit({"x": b"2"})
    repo.remove_object(base)
    opened = Repository(repo.path)
    with pytest.raises(HistoryError):
        opened.merge_base(repo.git("rev-parse", "main"), head)


def without_parents(graph: bytes) -> bytes:
    """A commit graph file that says of every commit that it has no parent."""
    data = bytearray(graph)
    chunks = {bytes(data[at : at + 4]): int.from_bytes(data[at + 4 : at + 12]) for at in range(8, 8 + 12 * data[6], 12)}
    fan_out, commits = chunks[b"OIDF"], chunks[b"CDAT"]
    for number in range(int.from_bytes(data[fan_out + 255 * 4 : fan_out + 256 * 4])):
        at = commits + number * 36 + 20
        data[at : at + 8] = bytes.fromhex("7000000070000000")
    return bytes(data)


def test_s22_a_commit_graph_that_lies_is_not_read(repo: Repo) -> None:
    repo.commit({"x": b"1"})
    repo.git("commit-graph", "write", "--reachable")
    graph = repo.path / ".git/objects/info/commit-graph"
    graph.chmod(0o644)
    graph.write_bytes(without_parents(graph.read_bytes()))
    assert repo.git("merge-base", "main", "change", check=False) == ""
    assert merge_base(repo) == repo.git("rev-parse", "main")


@pytest.mark.parametrize("wrong", ["main", "HEAD", "--all", "", "f" * 41])
def test_s21_only_full_ids_go_on(repo: Repo, wrong: str) -> None:
    opened = Repository(repo.path)
    with pytest.raises(HistoryError, match="not a full commit id"):
        opened.merge_base(wrong, repo.head)
    with pytest.raises(HistoryError, match="not a full commit id"):
        opened.read_file(wrong, "README.md", LIMIT)


# --- files at a commit ---


def test_s24_a_file_is_read_as_it_was_at_a_commit(repo: Repo) -> None:
    opened = Repository(repo.path)
    main = opened.resolve("main")
    repo.write("app/system.txt", b"on disk\n")
    assert opened.read_file(main, "app/system.txt", LIMIT) == b"one\n"
    assert opened.read_file(repo.head, "app/system.txt", LIMIT) == b"two\n"
    assert opened.read_file(main, "app/none.txt", LIMIT) is None
    assert opened.read_file(main, "none/none/none.txt", LIMIT) is None


def test_s24_a_link_submodule_or_folder_is_no_configuration(repo: Repo, tmp_path: Path) -> None:
    inner = Repo.change(tmp_path / "inner")
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    repo.at("link").symlink_to("app")
    repo.at("gate.yaml").symlink_to("app/system.txt")
    head = repo.commit()
    opened = Repository(repo.path)
    for path in ("gate.yaml", "sub", "app"):
        with pytest.raises(ConfigError, match="not a regular file"):
            opened.read_file(head, path, LIMIT)
    for path in ("link/system.txt", "sub/README.md", "README.md/x"):
        with pytest.raises(ConfigError, match="behind a link"):
            opened.read_file(head, path, LIMIT)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", ".", "a//b", "a\\b", "a\nb", "\ud800"])
def test_s24_a_path_that_is_not_plain(repo: Repo, path: str) -> None:
    with pytest.raises(ConfigError, match="not a plain path"):
        Repository(repo.path).read_file(repo.head, path, LIMIT)


def test_a_large_file_is_refused_before_it_is_read(repo: Repo) -> None:
    head = repo.commit({"large": b"x" * 5000})
    assert Repository(repo.path).read_file(head, "large", 5000) == b"x" * 5000
    with pytest.raises(LimitError, match="5000 bytes"):
        Repository(repo.path).read_file(head, "large", 4999)


def test_s24_a_folder_is_read_as_it_was_at_a_commit(repo: Repo) -> None:
    head = repo.commit({"app/deep/er/a.txt": b"deep\n"})
    opened = Repository(repo.path)
    repo.write("app/system.txt", b"on disk\n")
    found = opened.read_folder(head, "app", lambda path: path != "other.txt", 3, LIMIT)
    assert found == {"deep/er/a.txt": b"deep\n", "system.txt": b"two\n"}
    assert opened.read_folder(head, "app/deep/er", lambda _: True, 1, LIMIT) == {"a.txt": b"deep\n"}
    for path in ("none", "app/none", "none/none"):
        assert opened.read_folder(head, path, lambda _: True, 3, LIMIT) is None


def test_s24_a_link_submodule_or_file_is_no_folder_and_is_not_in_one(repo: Repo, tmp_path: Path) -> None:
    inner = Repo.change(tmp_path / "inner")
    repo.git("submodule", "--quiet", "add", str(inner.path), "subs/sub")
    repo.at("link").symlink_to("app")
    repo.at("links").mkdir()
    repo.at("links/link").symlink_to("../app")
    head = repo.commit()
    opened = Repository(repo.path)
    for path in ("link", "subs/sub", "subs/sub/app", "README.md", "README.md/x", "link/deep"):
        with pytest.raises(ConfigError, match="is, or lies behind, a link, submodule or file"):
            opened.read_folder(head, path, lambda _: True, 9, LIMIT)
    for path, mode in (("subs", "160000"), ("links", "120000")):
        # Refused whether wanted by its name or not: what is wanted could lie behind it.
        with pytest.raises(ConfigError, match=f"'{path}/.*' is not a regular file at {head} \\(mode {mode}\\)"):
            opened.read_folder(head, path, lambda _: False, 9, LIMIT)


@pytest.mark.parametrize("path", ["", "/etc", "../x", "a/../b", ".", "a//b", "a/", "\ud800"])
def test_s24_a_folder_whose_path_is_not_plain(repo: Repo, path: str) -> None:
    with pytest.raises(ConfigError, match="is not a plain path relative to the root"):
        Repository(repo.path).read_folder(repo.head, path, lambda _: True, 9, LIMIT)


def test_a_folder_of_too_many_or_too_large_files_is_refused(repo: Repo) -> None:
    opened = Repository(repo.path)
    assert len(opened.read_folder(repo.head, "app", lambda _: True, 2, 6) or {}) == 2
    with pytest.raises(LimitError, match="more than 1 files in 'app'"):
        opened.read_folder(repo.head, "app", lambda _: False, 1, LIMIT)
    with pytest.raises(LimitError, match="more than the 5 that are read"):
        opened.read_folder(repo.head, "app", lambda path: path == "other.txt", 2, 5)


def test_a_file_whose_content_is_lost(repo: Repo) -> None:
    repo.remove_object(repo.git("rev-parse", "HEAD:README.md"))
    with pytest.raises(HistoryError):
        Repository(repo.path).read_file(repo.head, "README.md", LIMIT)


def test_an_id_of_another_kind_of_object(repo: Repo) -> None:
    with pytest.raises(HistoryError, match="is a tree, not a commit"):
        Repository(repo.path).read_file(repo.git("rev-parse", "HEAD^{tree}"), "README.md", LIMIT)


def test_s22_a_commit_object_that_is_junk(repo: Repo) -> None:
    junk = repo.git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", data=b"junk\n")
    with pytest.raises(HistoryError, match="does not begin with its tree"):
        Repository(repo.path).read_file(junk, "README.md", LIMIT)


def test_a_sha256_repository(tmp_path: Path) -> None:
    repo = Repo.change(tmp_path / "repo", "--object-format=sha256")
    opened = Repository(repo.path)
    assert opened.object_format == "sha256"
    assert merge_base(repo) == opened.resolve("main")
    assert len(opened.resolve("main")) == 64
    assert opened.read_file(repo.head, "app/system.txt", LIMIT) == b"two\n"


# --- the environment ---

VARIABLES = {
    "GIT_DIR": "/nonexistent",
    "GIT_WORK_TREE": "/nonexistent",
    "GIT_INDEX_FILE": "/nonexistent",
    "GIT_OBJECT_DIRECTORY": "/nonexistent",
    "GIT_COMMON_DIR": "/nonexistent",
    "GIT_NAMESPACE": "evil",
    "GIT_CONFIG_COUNT": "x",
    "GIT_CONFIG_PARAMETERS": "'core.bare=true'",
    "GIT_CONFIG": "/nonexistent",
    "GIT_EXEC_PATH": "/nonexistent",
    "GIT_REPLACE_REF_BASE": "refs/evil/",
    "GIT_GRAFT_FILE": "/nonexistent",
    "GIT_SHALLOW_FILE": "/nonexistent",
    "GIT_CEILING_DIRECTORIES": "/",
    "GIT_ICASE_PATHSPECS": "1",
    "GIT_DEFAULT_HASH": "evil",
    "GIT_EXTERNAL_DIFF": "false",
}


@pytest.mark.parametrize("name", VARIABLES)
def test_s21_the_environment_does_not_reach_git(repo: Repo, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = repo.git("rev-parse", "main")
    monkeypatch.setenv(name, VARIABLES[name])
    assert find_root(repo.path) == repo.path
    assert merge_base(repo) == expected


def test_s21_trace_files_of_the_environment_are_not_written(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_TRACE", "GIT_TRACE2", "GIT_TRACE2_EVENT", "GIT_TRACE_SETUP"):
        monkeypatch.setenv(name, str(tmp_path / "trace"))
    merge_base(repo)
    assert not (tmp_path / "trace").exists()


def test_s21_git_is_not_taken_from_the_current_folder(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_git(repo.path / "bin", f"touch {tmp_path / 'marker'}")
    shutil.copy(repo.path / "bin" / "git", repo.path / "git")
    monkeypatch.chdir(repo.path)
    monkeypatch.setenv("PATH", f".:bin::{ENVIRONMENT['PATH']}")
    assert merge_base(repo)
    assert not (tmp_path / "marker").exists()


# --- running git ---


def test_the_version_is_numbers() -> None:
    assert git_version() >= (2, 36)


@pytest.mark.parametrize("script", ["echo git version unknown", "exit 1", "kill -9 $$"])
def test_a_git_without_version(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", script))
    with pytest.raises(EvidenceError, match="git --version"):
        git_version()


def test_no_git_at_all(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent:relative")
    for call in (git_version, lambda: Repository(repo.path)):
        with pytest.raises(EvidenceError, match="no git") as caught:
            call()
        assert "install git" in caught.value.hint


def test_a_folder_that_is_gone(repo: Repo) -> None:
    command = GitCommand(repo.path)
    shutil.rmtree(repo.path)
    with pytest.raises(HistoryError, match="cannot be run"):
        command.run("rev-parse")


def test_a_command_that_takes_too_long_is_ended_with_its_children(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", "sleep 60 & sleep 60"))
    with pytest.raises(HistoryError, match=r"more than 0\.2 seconds"):
        GitCommand(repo.path, seconds=0.2).run("rev-parse")


def test_a_system_without_files_in_memory(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with pytest.raises(HistoryError, match="Needed a single revision"):
        GitCommand(repo.path).run("rev-parse", "--verify", "none")


def test_an_answer_without_end_is_cut_off(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", "yes"))
    with pytest.raises(LimitError, match="more than 5000 bytes"):
        GitCommand(repo.path, output_bytes=5000).run("rev-parse")


def test_a_failure_without_words_tells_its_code(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", "exit 7"))
    with pytest.raises(HistoryError, match="exit 7"):
        GitCommand(repo.path).run("rev-parse")


ID = "1" * 40


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 0", "cannot be read"),
        ("echo words on stderr >&2; exit 1", "words on stderr"),
        ("read id; echo $id missing", "cannot be read"),
        ("read id; echo $id blob many", "not a blob|cannot be read"),
        ("read id; echo $id blob 5; printf abc", "cannot be read"),
        ("read id; echo $id blob 3; printf abcdef", "cannot be read"),
        ("sleep 60", "more than 0.5 seconds"),
    ],
)
def test_s22_an_object_that_git_does_not_give(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", script))
    command = replace(GitCommand(repo.path), batch_seconds=0.5)
    with pytest.raises(HistoryError, match=message), command.objects() as objects:
        objects.read(ID, "blob", 100)


def test_s22_a_git_that_died_is_noticed_when_it_is_asked(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", fake_git(tmp_path / "bin", "exec 0<&-; exit 3"))
    with pytest.raises(HistoryError), GitCommand(repo.path).objects() as objects:
        _ask_until_it_fails(objects)


def _ask_until_it_fails(objects: ObjectReader) -> None:
    while True:
        objects.blob(ID)


@pytest.mark.parametrize("name", ["HEAD", "--batch", f"{ID}\n{ID}", ID[:-1], ID.replace("1", "A")])
def test_s21_objects_are_asked_for_by_full_id_only(repo: Repo, name: str) -> None:
    with GitCommand(repo.path).objects() as objects, pytest.raises(HistoryError, match="not a full object id"):
        objects.blob(name)


def test_every_error_is_one_of_the_gate(repo: Repo) -> None:
    # Exit 2 is for what a person wrote, exit 3 for history.
    assert ConfigError.exit_code == 2
    assert HistoryError.exit_code == 3
    with pytest.raises(GateError):
        Repository(repo.path).resolve("")
