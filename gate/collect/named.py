"""What lies at paths that signed statements name: found from the root, never by following a link (SECURITY 12)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gate.collect.work_tree import WorkTree
from gate.errors import LimitError
from gate.model.digest import Digest
from gate.model.path import path_text
from gate.model.settings import Limits


def read_named(root: Path, files: Iterable[str], folders: Iterable[str], limits: Limits) -> dict[str, Digest | None]:
    """The digests of what is there at these paths, and of all below these folders; `None` for what is no regular file.

    The paths are plain and relative; one that is not in the answer is not there. Raises `EvidenceError` for a file
    that cannot be read, `LimitError` for more than `limits.files`.
    """
    found: dict[str, Digest | None] = {}
    with WorkTree(root) as tree:
        wanted = {path.encode("utf-8") for path in files}
        for folder in sorted({path.encode("utf-8") for path in folders}):
            if tree.is_folder(folder):
                wanted.update(tree.entries(folder, limits.files, lambda _: True))
        if len(wanted) > limits.files:
            raise LimitError(f"signed statements name more than {limits.files} files")
        for path in sorted(wanted):
            if tree.status(path) is not None:
                disk = tree.read(path)
                found[path_text(path)] = None if disk is None else disk.digest
    return found
