"""A git repository as evidence: what a name means, where two histories part, what a file was.

Nothing is repaired, fetched or guessed. History that is not whole (shallow, grafted, replaced, unrelated) is a
`HistoryError`, never "no changes" (SECURITY 22).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gate.collect.git_command import GitCommand, git_version
from gate.collect.git_diff import CommitTrees, Contents, diff_trees
from gate.collect.work_tree import WorkTree
from gate.errors import ConfigError, HistoryError, LimitError
from gate.model.change import FileChange
from gate.model.path import is_plain_relative, path_text
from gate.model.settings import Limits

__all__ = ["Repository", "find_root", "git_version"]

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REFUSED: Final = ("..", ":", "@{", "^{/", "*", "?", "[", "\\")
_REF_CHARACTERS: Final = 1024
_FULL_HISTORY: Final = "check out the full history, for example fetch-depth: 0, or `git fetch --unshallow`"


def find_root(start: Path) -> Path | None:
    """The top level of the repository that holds `start`, `None` when it is in none.

    The nearest folder with an entry `.git` counts, whatever the repository's configuration says about its work
    tree. Raises `HistoryError` when that is no working repository, and inside a bare one.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            GitCommand(folder).run("rev-parse", "--git-dir")
            return folder
        if _looks_bare(folder):
            raise HistoryError(
                f"{str(folder)!r} is a git folder or bare repository without work tree",
                hint="run in a checkout: what is judged has to lie on disk",
            )
    return None


def _looks_bare(folder: Path) -> bool:
    # As git sees it: these three make a repository.
    return (folder / "objects").is_dir() and (folder / "refs").is_dir() and os.path.lexists(folder / "HEAD")


class Repository:
    """A repository opened at its top level `root`; raises `HistoryError` when git cannot open it.

    Ids are full, lower-case and hexadecimal, of 40 or 64 digits. Every method that runs git raises
    `HistoryError` when git fails or takes too long.
    """

    __slots__ = ("_common", "_shallow", "command", "index", "object_format", "root")

    def __init__(self, root: Path) -> None:
        self.root: Final = root.resolve()
        self.command: Final = GitCommand(self.root)
        asked = ("--is-shallow-repository", "--show-object-format", "--path-format=absolute", "--git-common-dir")
        answer = self.command.run("rev-parse", *asked, "--git-path", "index").output.split(b"\n")
        if len(answer) != 5 or answer[1] not in {b"sha1", b"sha256"} or answer[0] not in {b"true", b"false"}:
            raise HistoryError(f"{str(root)!r} is not a repository that can be read")
        self._shallow: Final = answer[0] == b"true"
        self._common: Final = Path(os.fsdecode(answer[2]))
        self.object_format: Final = answer[1].decode()
        """`sha1` or `sha256`."""
        self.index: Final = Path(os.fsdecode(answer[3]))

    def resolve(self, ref: str) -> str:
        """The id of the commit that a name or id stands for.

        Raises `ConfigError` for what is no plain name, such as an option, a range or a search, and for a name that
        stands for several things; `HistoryError` when there is no such commit.
        """
        _check_ref(ref)
        # Naming the ref explicitly is left to the person: git only warns where a tag hides a branch.
        done = self.command.run("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}", allowed=(0, 1, 128))
        if "ambiguous" in done.messages:
            raise ConfigError(
                f"the name {ref!r} is ambiguous in this repository",
                hint=f"give a full name, such as {shlex.quote(f'refs/heads/{ref}')}, or a full commit id",
            )
        found = done.output.decode("ascii", "replace").strip()
        if done.code != 0 or not _OBJECT_ID.fullmatch(found):
            raise HistoryError(
                f"the commit {ref!r} is not in this repository",
                hint=f"git fetch origin {shlex.quote(ref)}; a shallow clone needs {_FULL_HISTORY}",
            )
        return found

    def head(self) -> tuple[str, str] | None:
        """The ids of the commit that is checked out and of its tree; `None` when there is no commit yet."""
        done = self.command.run("rev-parse", "HEAD^{commit}", "HEAD^{tree}", "--", allowed=(0, 128))
        ids = done.output.decode("ascii", "replace").split()
        if done.code == 0 and len(ids) >= 2 and all(_OBJECT_ID.fullmatch(found) for found in ids[:2]):
            return ids[0], ids[1]
        if self._is_unborn():
            return None
        raise HistoryError(f"HEAD cannot be read: {done.messages}", hint=_FULL_HISTORY)

    def _is_unborn(self) -> bool:
        """Whether HEAD names a branch of which there is no trace at all; a damaged branch is not unborn."""
        branch = self.command.run("symbolic-ref", "-q", "HEAD", allowed=(0, 1, 128))
        name = branch.output.removesuffix(b"\n")
        if branch.code != 0 or not name.startswith(b"refs/heads/"):
            return False
        listed = self.command.run("for-each-ref", "--format=%(refname)", os.fsdecode(name), allowed=(0, 128))
        known = name in listed.output.split(b"\n")
        return not (known or listed.messages or listed.code or os.path.lexists(self._common / os.fsdecode(name)))

    def merge_base(self, base: str, head: str) -> str:
        """The one commit at which the histories of two commits part; raises `HistoryError` unless there is exactly one.

        Also raised when the history is not what was committed: shallow, with grafts or with replace refs.
        """
        self._check_history()
        _check_ids(base, head)
        done = self.command.run("merge-base", "--all", base, head, allowed=(0, 1))
        found = done.output.decode("ascii", "replace").split()
        if not found:
            raise HistoryError("base and head have no common history", hint=_FULL_HISTORY)
        if len(found) > 1:
            raise HistoryError(
                f"base and head have {len(found)} merge bases", hint="merge the base branch into the change first"
            )
        _check_ids(*found)
        return found[0]

    def _check_history(self) -> None:
        if self._shallow:
            raise HistoryError("the repository is a shallow clone: its history is cut off", hint=_FULL_HISTORY)
        if os.path.lexists(self._common / "info" / "grafts"):
            raise HistoryError("info/grafts changes the history", hint="remove the file; see `git replace --help`")
        replaced = self.command.run("for-each-ref", "--count=1", "refs/replace/")
        if replaced.output or replaced.messages:
            raise HistoryError("refs/replace changes the history", hint="git replace -d $(git replace -l)")

    def read_file(self, commit: str, path: str, limit: int) -> bytes | None:
        """A regular file as it was at a commit; `None` when there was nothing at its path.

        Raises `ConfigError` for a path that is not plain, and where a link, submodule or folder was, at the path or
        on the way to it; `LimitError` for more than `limit` bytes.
        """
        _check_ids(commit)
        if not is_plain_relative(path) or not _is_encodable(path):
            raise ConfigError(f"{path!r} is not a plain path relative to the root")
        raw = path.encode("utf-8")
        with self.command.objects() as objects:
            trees = CommitTrees(objects, commit)
            for end in (at for at, byte in enumerate(raw) if byte == ord("/")):
                folder = trees.entry(raw[:end])
                if folder is None:
                    return None
                if folder.mode != "040000":
                    raise ConfigError(f"{path!r} lies behind a link, submodule or file at {commit}")
            entry = trees.entry(raw)
            if entry is None:
                return None
            if not entry.mode.startswith("100"):
                raise ConfigError(f"{path!r} is not a regular file at {commit} (mode {entry.mode})")
            return objects.read(entry.id, "blob", limit)

    def read_folder(
        self, commit: str, folder: str, wanted: Callable[[str], bool], count: int, limit: int
    ) -> Mapping[str, bytes] | None:
        """The wanted files below a folder as they were at a commit, by path below it; `None` without such a folder.

        Raises `ConfigError` for a path that is not plain, for a link, submodule or file in the folder's place, and
        for any link or submodule below it, which could hide what is wanted; `LimitError` for more than `count` files
        or `limit` bytes of one.
        """
        _check_ids(commit)
        if not is_plain_relative(folder) or not _is_encodable(folder):
            raise ConfigError(f"{folder!r} is not a plain path relative to the root")
        raw = folder.encode("utf-8")
        found: dict[str, bytes] = {}
        with self.command.objects() as objects:
            trees = CommitTrees(objects, commit)
            for end in (*(at for at, byte in enumerate(raw) if byte == ord("/")), len(raw)):
                entry = trees.entry(raw[:end])
                if entry is None:
                    return None
                if entry.mode != "040000":
                    raise ConfigError(f"{folder!r} is, or lies behind, a link, submodule or file at {commit}")
            for number, (path, entry) in enumerate(trees.files(raw)):
                if number == count:
                    raise LimitError(f"there are more than {count} files in {folder!r}")
                text = path_text(path)
                name = text.removeprefix(f"{folder}/")
                if not entry.mode.startswith("100"):
                    raise ConfigError(f"{text!r} is not a regular file at {commit} (mode {entry.mode})")
                if wanted(name):
                    found[name] = objects.read(entry.id, "blob", limit)
        return found

    def tracked(self) -> frozenset[str]:
        """The paths in the index: what was checked out or added, whatever `.gitignore` says."""
        listed = self.command.run("ls-files", "-z", "--cached").output
        return frozenset(path_text(path) for path in listed.split(b"\0")[:-1])

    def changes(self, merge_base: str, head: str, limits: Limits) -> Mapping[str, FileChange]:
        """What differs between two commits, by path, with the SHA-256 of both sides.

        A Git LFS pointer counts as the content it names when the file in the work tree is just that. Raises
        `HistoryError` for an object that is missing and for trees that git could not have checked out, `LimitError`
        for more changes than `limits.files`.
        """
        _check_ids(merge_base, head)
        with self.command.objects() as objects, WorkTree(self.root, self.object_format) as work_tree:
            contents = Contents(objects, work_tree)
            return diff_trees(self.command, objects, contents, (merge_base, head), limits)


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _check_ids(*ids: str) -> None:
    for found in ids:
        if not _OBJECT_ID.fullmatch(found):
            raise HistoryError(f"{found!r} is not a full commit id")


def _check_ref(ref: str) -> None:
    reason = None
    if not ref:
        reason = "it is empty"
    elif len(ref) > _REF_CHARACTERS:
        reason = "it is too long"
    elif ref.startswith("-"):
        reason = "it begins with a hyphen"
    elif any(not character.isprintable() or character.isspace() for character in ref):
        reason = "it has a space or control character"
    else:
        reason = next((f"it contains {part!r}" for part in _REFUSED if part in ref), None)
    if reason is not None:
        raise ConfigError(
            f"{ref[:80]!r} is not a name of a commit: {reason}", hint="give one branch, tag or full commit id"
        )
