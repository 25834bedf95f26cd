"""Decisions that somebody saved: files, or the `.json` files below a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gate.collect.files import entries, opened_file, opened_root, read_at_most, unreadable
from gate.errors import EvidenceError, LimitError
from gate.model.path import path_text

_FILES: Final = 1_000_000


def each_saved(given: Path, limit: int) -> Iterator[tuple[str, bytes]]:
    """The files with their places, sorted by path; below a folder links and other names are passed over.

    Raises `EvidenceError` for what cannot be read, `LimitError` for a file of more than `limit` bytes.
    """
    # A person named it, so it may be reached over links; below it none is followed.
    path = Path(os.path.realpath(given))
    shown = path_text(os.fsencode(given))
    if not path.is_dir():
        with opened_root(path.parent) as base:
            yield shown, _read(base, os.fsencode(path.name), shown, limit)
        return
    with opened_root(path) as base:
        for entry in entries(base, _FILES, wanted=lambda name: name.endswith(b".json")):
            place = f"{shown}/{path_text(entry.path)}"
            if stat.S_ISREG(entry.status.st_mode):
                yield place, _read(base, entry.path, place, limit)


def _read(base: int, path: bytes, place: str, limit: int) -> bytes:
    try:
        with opened_file(base, path.split(b"/")) as (descriptor, _):
            data = read_at_most(descriptor, limit)
    except FileNotFoundError:
        raise EvidenceError(f"{place!r} does not exist") from None
    except OSError as error:
        raise unreadable(place, error) from error
    if data is None:
        raise LimitError(f"{place!r} has more than the {limit} bytes that are read of a decision")
    return data
