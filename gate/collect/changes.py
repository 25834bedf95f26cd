"""What changed, and whether the work tree is what was committed: `ChangeSet` (DOCUMENTS 1 and 2, SECURITY 21 to 23)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from gate.collect.dirty import Judged, is_dirty
from gate.collect.files import plain_segments
from gate.collect.git import Repository
from gate.collect.git_diff import Contents, diff_trees, listed_tree, remaining_folders
from gate.collect.work_tree import GIT, WorkTree
from gate.errors import ConfigError, EvidenceError, HistoryError, LimitError
from gate.formats.glob import Glob, compile_glob, is_glob
from gate.model.change import ChangeSet, ChangeSource, ChangeStatus, FileChange, FileSide
from gate.model.digest import Digest
from gate.model.path import fold, path_text
from gate.model.settings import Limits

# Files that are looked at for each one that may be found, while searching for those that a gate names.
_LOOKED_AT: Final = 10
_SUBMODULE: Final = "160000"


def collect_changes(
    repository: Repository | None,
    root: Path,
    span: tuple[str, str, str] | None,
    globs: Sequence[Glob],
    *,
    artifacts: Sequence[str] = (),
    excluded: Sequence[str] = (),
    steering: Container[str] | None = None,
    limits: Limits,
) -> ChangeSet:
    """The change being judged.

    With `span`, the full ids of merge base, head and base, it is the difference between the first two. Without, it
    is every file on disk that a glob names, as if added, in a repository or a plain folder; git's own folders are
    left out and links are not followed. A link, or a submodule of the head, counts where a match may lie below it.

    `artifacts` are paths whose untracked files make the work tree dirty, as those that a glob names do; `excluded`
    are folders, files or globs that never do. `folders` is given for every deleted path or, with `steering`, for
    those that a glob or `steering` names, and empty for the others.

    Raises `HistoryError` when git cannot say what changed, `EvidenceError` for files that cannot be read,
    `LimitError` for more than `limits.files` of them, `ConfigError` when the repository has another root.
    """
    if repository is not None and repository.root != root.resolve():
        raise ConfigError(f"{str(root)!r} is not the top level of its repository {str(repository.root)!r}")
    object_format = "sha1" if repository is None else repository.object_format
    with WorkTree(root, object_format) as work_tree:
        collection = _Collection(work_tree, globs, artifacts, _path_filter(excluded), limits)
        if span is None:
            return collection.everything(repository)
        if repository is None:
            raise HistoryError("without a git repository there is no base to compare with")
        return collection.between(repository, span, steering)


def submodules_of(repository: Repository) -> tuple[str, ...]:
    """The paths of the submodules of the head; raises `HistoryError`."""
    head = repository.head()
    if head is None:
        return ()
    listed = listed_tree(repository.command, head[1])
    return tuple(path_text(path) for path, entry in listed if entry.mode == _SUBMODULE)


class _Collection:
    def __init__(
        self,
        work_tree: WorkTree,
        globs: Sequence[Glob],
        artifacts: Sequence[str],
        excluded: Callable[[str], bool],
        limits: Limits,
    ) -> None:
        self._work_tree: Final = work_tree
        self._globs: Final = globs
        self._artifacts: Final = artifacts
        self._excluded: Final = excluded
        self._limits: Final = limits

    def _triggers(self, path: str, is_plain: bool) -> bool:
        return any(glob.triggers(path, is_plain=is_plain) for glob in self._globs)

    def _is_named(self, path: str, is_plain: bool) -> bool:
        return any(_is_at_or_below(path, top) for top in self._artifacts) or self._triggers(path, is_plain)

    def _is_wanted(self, path: bytes) -> bool:
        return self._triggers(path_text(path), not self._work_tree.is_link(path))

    def between(self, repository: Repository, span: tuple[str, str, str], steering: Container[str] | None) -> ChangeSet:
        merge_base, head, base = span
        current = repository.head()
        if current is None or current[0] != head:
            raise HistoryError("the work tree is not that of the head being judged", hint="check out the head")
        with repository.command.objects() as objects:
            contents = Contents(objects, self._work_tree)
            files = diff_trees(repository.command, objects, contents, (merge_base, head), self._limits)
            deleted = {path: change.old for path, change in files.items() if change.status is ChangeStatus.DELETED}
            asked = [
                path
                for path, old in deleted.items()
                if steering is None
                or path in steering
                or self._triggers(path, old is not None and old.digest is not None)
            ]
            folders: dict[str, frozenset[Digest]] = dict.fromkeys(deleted, frozenset())
            folders |= remaining_folders(objects, contents, head, asked, self._limits)
        dirty = self._is_dirty(repository, current[1], files)
        return ChangeSet(
            source=ChangeSource.COLLECTED,
            base=base,
            merge_base=merge_base,
            head=head,
            tree=current[1],
            dirty=dirty,
            files=files,
            folders=folders,
        )

    def everything(self, repository: Repository | None) -> ChangeSet:
        files = self._files_on_disk()
        head = repository.head() if repository is not None else None
        dirty = False
        if repository is not None and head is not None:
            self._add_submodules(files, repository, head[1])
            # What was found lies on disk and is no side of the head: every tracked file is compared as any other.
            dirty = self._is_dirty(repository, head[1], {})
        return ChangeSet(
            source=ChangeSource.EVERYTHING,
            base=None,
            merge_base=None,
            head=head[0] if head else None,
            tree=head[1] if head else None,
            dirty=dirty,
            files=dict(sorted(files.items())),
            folders={},
        )

    def _is_dirty(self, repository: Repository, tree: str, files: Mapping[str, FileChange]) -> bool:
        new = {path: change.new for path, change in files.items()}
        judged = Judged(new, self._is_named, self._excluded, self._limits.files * _LOOKED_AT)
        return is_dirty(repository, self._work_tree, tree, judged)

    def _files_on_disk(self) -> dict[str, FileChange]:
        found: dict[str, FileChange] = {}
        for start in _starts(self._globs, self._work_tree):
            for path in self._work_tree.entries(start, self._limits.files * _LOOKED_AT, self._is_wanted):
                disk = self._work_tree.read(path)
                if disk is None:
                    raise EvidenceError(f"{path_text(path)!r} is neither a regular file nor a link")
                self._add(found, path_text(path), FileSide(disk.mode, disk.digest))
        return found

    def _add_submodules(self, found: dict[str, FileChange], repository: Repository, tree: str) -> None:
        for path, entry in listed_tree(repository.command, tree):
            text = path_text(path)
            if entry.mode == _SUBMODULE and text not in found and self._triggers(text, is_plain=False):
                self._add(found, text, FileSide(_SUBMODULE, None))

    def _add(self, found: dict[str, FileChange], path: str, side: FileSide) -> None:
        if len(found) >= self._limits.files:
            raise LimitError(f"the gates name more than {self._limits.files} files")
        found[path] = FileChange(ChangeStatus.ADDED, None, side)


def _starts(globs: Sequence[Glob], work_tree: WorkTree) -> list[bytes]:
    """What lies on disk, none below another, outside of which no glob triggers."""
    found: list[bytes] = []
    resembling: set[bytes] = set()
    for start in {glob.start for glob in globs}:
        if GIT.decode() not in start:
            resembling.update(_resembling(start, work_tree))
    for path in sorted(resembling):
        if not any(top in {b"", path} or path.startswith(top + b"/") for top in found):
            found.append(path)
    return found


def _resembling(start: Sequence[str], work_tree: WorkTree) -> Iterator[bytes]:
    """The paths that look like a start, and what is no folder where the way to it would lie."""
    if not start:
        yield b""
        return
    wanted = fold("/".join(start)).split("/")
    folders = [b""]
    while folders:
        folder = folders.pop()
        for name in work_tree.names(folder):
            path = folder + b"/" + name if folder else name
            folded = fold(path_text(path)).split("/")
            # The shorter of both is the beginning of the longer. Some names look like more than one segment.
            if any(one != other for one, other in zip(folded, wanted, strict=False)):
                continue
            if len(folded) < len(wanted) and work_tree.is_folder(path):
                folders.append(path)
            else:
                yield path


def _is_at_or_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top + "/")


def _path_filter(texts: Sequence[str]) -> Callable[[str], bool]:
    globs, tops = [], []
    for text in texts:
        if is_glob(text):
            globs.append(_compiled(text))
        else:
            tops.append(path_text(b"/".join(plain_segments(text))))

    def is_meant(path: str) -> bool:
        return any(_is_at_or_below(path, top) for top in tops) or any(glob.matches(path) for glob in globs)

    return is_meant


def _compiled(text: str) -> Glob:
    try:
        return compile_glob(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is not a valid pattern: {error}") from error
