"""A file's bytes, copied while they are hashed: what was checked is what was copied (SECURITY 12)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Final

from gate.collect.files import opened_file, opened_root, unreadable
from gate.errors import EvidenceError
from gate.model.digest import Digest
from gate.model.path import path_bytes

_READ_BYTES: Final = 1 << 20


def copy_verified(root: Path, path: str, digest: Digest, out: BinaryIO) -> None:
    """Writes the bytes of a regular file below the root, reached over no link, if they are those of a digest.

    `path` is written as in documents; `out` takes whole blocks, as buffered files do. Raises `EvidenceError` when
    the bytes are others, the file is gone, is no regular file or cannot be read, or the copy cannot be written; what
    was written then has to be thrown away. At most one byte more is read than the file had when it was opened.
    """
    try:
        with opened_root(root) as base, opened_file(base, path_bytes(path).split(b"/")) as (descriptor, status):
            found = _copy(descriptor, status.st_size, out)
    except OSError as error:
        raise unreadable(path, error) from error
    if found != digest:
        raise EvidenceError(
            f"{path!r} is not what was judged: it changed since the decision",
            hint="nothing may write to a model between the decision and its loading; judge it again",
        )


def _copy(descriptor: int, size: int, out: BinaryIO) -> Digest:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(min(size + 1, _READ_BYTES)))
    left = size + 1
    while left and (count := os.readv(descriptor, [buffer[:left]])):
        digest.update(buffer[:count])
        _write(out, buffer[:count])
        left -= count
    return Digest("sha256:" + digest.hexdigest())


def _write(out: BinaryIO, data: memoryview) -> None:
    try:
        out.write(data)
    except OSError as error:
        raise EvidenceError(
            f"the copy cannot be written: {error.strerror}", hint="set TMPDIR to a folder with room for the model"
        ) from None
