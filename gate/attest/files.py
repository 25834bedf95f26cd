"""Reading what a person named, and writing results so that nobody sees half of one."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gate.errors import AttestError

_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a regular file; raises `AttestError`, also when there are more than `limit`.

    A FIFO or device is refused without waiting for it.
    """
    data = read_prefix(path, limit + 1)
    if len(data) > limit:
        raise AttestError(f"{path} has more than the {limit} bytes that are read")
    return data


def read_prefix(path: Path, count: int) -> bytes:
    """The first `count` bytes of a regular file; raises `AttestError`."""
    return open_regular(path, count)[0]


def open_regular(path: Path, count: int) -> tuple[bytes, os.stat_result]:
    """The first bytes of a regular file and its status, both of the same opened file; raises `AttestError`."""
    try:
        descriptor = os.open(path, _READ)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise AttestError(f"{path} is no regular file")
        with os.fdopen(descriptor, "rb") as file:
            return file.read(count), status
    except OSError as error:
        raise AttestError(f"cannot read {path}: {error.strerror}") from None


def create_file(path: Path, data: bytes, mode: int) -> None:
    """Makes a file that did not exist, with its mode from the first moment; raises `AttestError`."""
    _make_folder(path)
    try:
        descriptor = os.open(path, _CREATE, mode)
    except FileExistsError:
        raise AttestError(f"{path} exists already and is not overwritten", hint="choose another name") from None
    except OSError as error:
        raise AttestError(f"cannot write {path}: {error.strerror}") from None
    try:
        _write_out(descriptor, data)
    except OSError as error:
        path.unlink()
        raise AttestError(f"cannot write {path}: {error.strerror}") from None


def create_whole(path: Path, data: bytes) -> None:
    """Makes a file that did not exist, in one step and for its owner alone; raises `AttestError`."""
    temporary: Path | None = None
    _make_folder(path)
    try:
        # Made with mode 0600. A link to it is refused where something lies already, so nothing is overwritten.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".gate-")
        temporary = Path(name)
        _write_out(descriptor, data)
        path.hardlink_to(temporary)
    except FileExistsError:
        raise AttestError(f"{path} exists already and is not overwritten", hint="choose another name") from None
    except OSError as error:
        raise AttestError(f"cannot write {path}: {error.strerror}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file in one step, synced to disk; raises `AttestError` and leaves what was there."""
    replace_files({path: data})


def replace_files(files: Mapping[Path, bytes]) -> None:
    """Writes files, each in one step and synced to disk, once all of them fit; raises `AttestError`.

    Until the last one lies there beside its place, nothing is replaced. They are synced after the last one is written:
    then the disk is waited for about once, and not once a file.
    """
    staged: dict[Path, Path] = {}
    path = Path()
    for path in files:
        _make_folder(path)
    try:
        for path, data in files.items():
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".gate-")
            staged[path] = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o644)
                file.write(data)
        for temporary in staged.values():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        for path, temporary in staged.items():
            temporary.replace(path)
    except OSError as error:
        raise AttestError(f"cannot write {path}: {error.strerror}") from None
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AttestError(f"cannot write {path}: {error.strerror}") from None


def _write_out(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
