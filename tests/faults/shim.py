"""The library that is preloaded into a webhook, and the page of memory that tells it what goes wrong."""

from __future__ import annotations

import errno
import functools
import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

SOURCE: Final = Path(__file__).with_name("shim.c")
_FIELDS: Final = ("write_errno", "sync_errno", "sync_count", "sync_ms", "clock_s", "names", "names_ms", "hits")
NO_NAME: Final = -2
TRY_AGAIN: Final = -3
"""EAI_NONAME and EAI_AGAIN, as the C library of Linux has them."""
ERRNOS: Final = {"ENOSPC": errno.ENOSPC, "EROFS": errno.EROFS, "EIO": errno.EIO}


@functools.cache
def library() -> Path:
    """The library, compiled once."""
    compiler = shutil.which("cc")
    assert compiler is not None, "there is no C compiler: apt-get install gcc libc6-dev"
    made = Path(tempfile.mkdtemp(prefix="gate-faults-")) / "shim.so"
    options = ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "-o", str(made), str(SOURCE), "-ldl"], check=True, timeout=120)
    return made


class Shim:
    """What goes wrong in a program. Use it as a context manager."""

    def __init__(self, folder: Path, part: str = "decisions.db") -> None:
        self._path = folder / "faults.page"
        self._path.write_bytes(bytes(mmap.PAGESIZE))
        self._part = part
        with self._path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._page.close()

    @property
    def environment(self) -> dict[str, str]:
        """What preloads it."""
        return {"LD_PRELOAD": str(library()), "FAULTS_PAGE": str(self._path), "FAULTS_PATH": self._part}

    @property
    def hits(self) -> int:
        """How often something was made to fail."""
        return self.get("hits")

    def get(self, name: str) -> int:
        found: int = struct.unpack_from("q", self._page, 8 * _FIELDS.index(name))[0]
        return found

    def set(self, **values: int) -> float:
        """Says what goes wrong from now on; when that was."""
        for name, value in values.items():
            struct.pack_into("q", self._page, 8 * _FIELDS.index(name), value)
        return time.monotonic()

    def clear(self) -> float:
        """Nothing goes wrong any more."""
        return self.set(**{name: 0 for name in _FIELDS if name != "hits"})


def is_root() -> bool:
    return os.geteuid() == 0
