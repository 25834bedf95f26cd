"""Where answers go: standard output, or a file that is never stale (SECURITY 37)."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

from gate.errors import AttestError

_QUIET_S: Final = 2.0


class OutputFile:
    """A file that is emptied before the work and written in one step after it.

    Whoever reads it sees nothing or the whole new answer, never yesterday's. The file is replaced, never written in
    place, and a relative path is not followed over links: the repository that is judged may have laid them.
    """

    def __init__(self, path: Path, option: str = "--output") -> None:
        """Empties the file; raises `AttestError`, which names the option, when it cannot be written.

        A file that another parameter of the running command names is a usage error: it would be gone before it is read.
        """
        self._path = path
        self._option = option
        behind = [] if path.is_absolute() else [parent for parent in path.parents if parent.is_symlink()]
        if behind or path.is_symlink() or (path.exists() and not path.is_file()):
            raise AttestError(f"{option}: {path} is a link, behind a link, or no regular file")
        if path.is_file() and os.path.realpath(path) in _named_files(option):
            raise click.UsageError(f"{option}: {path} is read by this command, and would be emptied.")
        self._replace(b"")

    def write(self, text: str) -> None:
        """Replaces the empty file by the text, synced to disk; raises `AttestError`."""
        self._replace(text.encode("utf-8"))

    def _replace(self, data: bytes) -> None:
        import tempfile

        temporary: Path | None = None
        try:
            with tempfile.NamedTemporaryFile("wb", dir=self._path.parent, delete=False) as file:
                temporary = Path(file.name)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(self._path)
        except OSError as error:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            raise AttestError(f"{self._option}: cannot write {self._path}: {error.strerror}") from None


def _named_files(option: str) -> frozenset[str]:
    """The places that parameters of the running command may name, other than this option."""
    context = click.get_current_context(silent=True)
    if context is None:
        return frozenset()
    found: set[str] = set()
    for parameter in context.command.params:
        if option not in parameter.opts and not isinstance(parameter.type, click.Choice):
            value = context.params.get(parameter.name or "")
            found.update(str(item) for item in (value if isinstance(value, tuple) else (value,)) if item is not None)
    root = Path(context.params.get("root") or "")
    return frozenset(os.path.realpath(root / item) for item in found)


def show(text: str) -> None:
    """Prints a finished report; an answer that could not be printed is no success."""
    whole = text if text.endswith("\n") else f"{text}\n"
    try:
        sys.stdout.write(whole)
    except UnicodeEncodeError:
        sys.stdout.buffer.write(whole.encode("utf-8"))
    sys.stdout.flush()


def wants_colour(stream_is_terminal: bool) -> bool:
    """Colour only on a terminal that can show it, and not against NO_COLOR."""
    return stream_is_terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM", "") != "dumb"


class _Meter:
    """How long something takes, and how many bytes were read for it, told by any number of threads.

    Where it is a number of items that is done, how many of them are is told instead, by one thread.
    """

    def __init__(self, what: str, items: int) -> None:
        self._what = what
        self._items = items
        self._done = 0
        self._began = time.monotonic()
        self._next_s = _QUIET_S
        self._bytes = 0
        self._lock = threading.Lock()

    def tell(self, count: int) -> None:
        with self._lock:
            self._bytes += count

    def tell_and_show(self, count: int) -> None:
        """So many bytes more are read; shown at most once a second."""
        with self._lock:
            self._bytes += count
            self._show()

    def count(self, count: int) -> None:
        """So many items more are done; shown at most once a second."""
        self._done += count
        self._show()

    def _show(self) -> None:
        if self.seconds >= self._next_s:
            self._next_s = self.seconds + 1.0
            click.echo(self.line(0), err=True, nl=False)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def line(self, decimals: int) -> str:
        seconds = self.seconds
        read = f", {size_text(self._bytes)}, {size_text(int(self._bytes / seconds))}/s" if self._bytes else ""
        read += f", {self._done} of {self._items}" if self._items else ""
        # What a longer line left there is overwritten.
        return f"\r{self._what} ... {seconds:.{decimals}f} s{read}".ljust(79)


@contextlib.contextmanager
def progress(what: str, items: int = 0, /) -> Iterator[Callable[[int], object] | None]:
    """Says on standard error what takes so long, once it has taken two seconds and somebody is watching.

    Whoever reads many bytes meanwhile tells how many; then their number and the rate are shown too. Whoever does
    `items` tells how many more are done. That needs no thread, so there is none: other processes may be started. With
    -1 items it is the same for bytes.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    meter = _Meter(what, max(items, 0))
    told = meter.count if items > 0 else meter.tell_and_show
    try:
        with contextlib.nullcontext(told) if items else _ticking(meter) as tell:
            yield tell
    finally:
        if meter.seconds > _QUIET_S:
            click.echo(f"{meter.line(1).rstrip()}, done", err=True)


@contextlib.contextmanager
def _ticking(meter: _Meter) -> Iterator[Callable[[int], object]]:
    done = threading.Event()

    def tick() -> None:
        wait = _QUIET_S
        while not done.wait(wait):
            click.echo(meter.line(0), err=True, nl=False)
            wait = 1.0

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield meter.tell
    finally:
        done.set()
        thread.join()


def size_text(count: int) -> str:
    """A number of bytes for people."""
    if count < 1 << 10:
        return f"{count} B"
    size, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size >= 1024:
            size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"
