"""The one way git is run: plumbing only, a fixed environment, no configuration that can start a program (SECURITY 21).

A repository's own configuration is hostile input: it can name programs for file system monitors, hooks, filters,
diffs and remotes. No command here reads or writes work tree files through git, talks to a remote or starts a
helper; whatever could is switched off besides. Any failure of git is a `HistoryError`, never an empty answer.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from gate.errors import EvidenceError, HistoryError, LimitError
from gate.model.digest import Digest

COMMAND_SECONDS: Final = 60.0
BATCH_SECONDS: Final = 900.0
OUTPUT_BYTES: Final = 256 << 20
_READ_BYTES: Final = 1 << 20
_MESSAGE_BYTES: Final = 1000

_OPTIONS: Final = (
    "--no-pager",
    "--no-replace-objects",
    "--no-optional-locks",
    "--literal-pathspecs",
    # Configuration given here wins over the repository's.
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.pager=cat"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "core.excludesFile=/dev/null"),
    # A commit graph file may lie about parents, and nothing checks it against the commits.
    *("-c", "core.commitGraph=false"),
    *("-c", "core.warnAmbiguousRefs=true"),
    *("-c", "protocol.allow=never"),
)
_ENVIRONMENT: Final = {
    "HOME": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # A missing object of a partial clone is not fetched. Older versions of git do not know the first of these; the
    # second, other than `protocol.allow`, cannot be overruled by `protocol.<name>.allow` in the repository.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
}
_HINT: Final = "if the repository is a partial clone, fetch it in full, for example `git fetch --refetch --no-filter`"
_OBJECT_NAME: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
START_BYTES: Final = 200
"""Bytes of a blob up to which its content is kept; a Git LFS pointer has at most 145."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command said: its exit code, output and messages."""

    code: int
    output: bytes
    messages: str


@dataclass(frozen=True, slots=True)
class Blob:
    """The content of a blob: its SHA-256 and size, and `start`, the whole content of one of at most `START_BYTES`."""

    digest: Digest
    size: int
    start: bytes


@dataclass(frozen=True, slots=True)
class GitCommand:
    """Git for one work tree. `top` is its absolute top level; the repository is `top/.git`, be it folder or file.

    Naming both makes git look nowhere else, whatever `core.worktree` or the folders above say. The time limits are
    in seconds; `output_bytes` limits what one command may answer. Raises `EvidenceError` when there is no git.
    """

    top: Path
    seconds: float = COMMAND_SECONDS
    batch_seconds: float = BATCH_SECONDS
    output_bytes: int = OUTPUT_BYTES
    _binary: str = field(default_factory=lambda: find_git(search_path()))

    def run(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> Completed:
        """Run one command to its end.

        Raises `HistoryError` for an exit code that is not allowed or when the time is up, `LimitError` when the
        answer is too long.
        """
        with self._started(arguments, self.seconds) as running:
            data = bytearray()
            while block := running.output.read(_READ_BYTES):
                data += block
                if len(data) > self.output_bytes:
                    raise LimitError(f"git {arguments[0]} answers with more than {self.output_bytes} bytes")
            code = running.finish()
            messages = running.messages()
        if code not in allowed:
            raise HistoryError(f"git {arguments[0]} failed: {messages or f'exit {code}'}", hint=_HINT)
        return Completed(code, bytes(data), messages)

    @contextmanager
    def objects(self) -> Iterator[ObjectReader]:
        """One `git cat-file --batch` process for any number of objects."""
        with self._started(("cat-file", "--batch"), self.batch_seconds) as running:
            yield ObjectReader(running)

    @contextmanager
    def _started(self, arguments: tuple[str, ...], seconds: float) -> Iterator[_Running]:
        line = [self._binary, *_OPTIONS, "-c", f"safe.directory={self.top}"]
        line += [f"--git-dir={self.top / '.git'}", f"--work-tree={self.top}", *arguments]
        with _messages_file() as messages:
            try:
                process = subprocess.Popen(
                    line,
                    cwd=self.top,
                    env=_ENVIRONMENT | {"PATH": search_path()},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=messages,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise HistoryError(f"git cannot be run in {str(self.top)!r}: {error}") from error
            with process:
                running = _Running(process, messages, arguments[0], seconds)
                try:
                    yield running
                finally:
                    running.stop()


class _Running:
    """A process with a deadline. Its output ends early when the time is up; `finish` then says so."""

    def __init__(self, process: subprocess.Popen[bytes], messages: IO[bytes], name: str, seconds: float) -> None:
        # `_started` made both of them pipes.
        self.input, self.output = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        self._process = process
        self._messages = messages
        self._name = name
        self._seconds = seconds
        self._late = threading.Event()
        self._timer = threading.Timer(seconds, self._give_up)
        self._timer.daemon = True
        self._timer.start()

    def _give_up(self) -> None:
        self._late.set()
        # The whole group: a child that holds the pipe open would keep the reader waiting.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def finish(self) -> int:
        """The exit code, once the process has ended by itself; raises `HistoryError` when its time was up."""
        code = self._process.wait()
        if self._late.is_set():
            raise HistoryError(f"git {self._name} took more than {self._seconds:g} seconds")
        return code

    def messages(self) -> str:
        """What git wrote to standard error, shortened."""
        self._messages.seek(0)
        return self._messages.read(_MESSAGE_BYTES).decode("utf-8", "backslashreplace").strip()

    def stop(self) -> None:
        """Ends the process if it still runs."""
        self._timer.cancel()
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(BrokenPipeError):
            self.input.close()


class ObjectReader:
    """Reads objects by full id, each in one pass. Every failure is a `HistoryError`."""

    def __init__(self, running: _Running) -> None:
        self._running = running

    def read(self, name: str, kind: str, limit: int) -> bytes:
        """The content of an object of a kind; raises `LimitError` when it has more than `limit` bytes."""
        size = self._ask(name, kind)
        if size > limit:
            raise LimitError(f"git object {name} has {size} bytes, more than the {limit} that are read")
        return b"".join(self._content(name, size))

    def blob(self, name: str) -> Blob:
        """The SHA-256 of a blob's content, whatever its size."""
        size = self._ask(name, "blob")
        digest = hashlib.sha256()
        start = b""
        for block in self._content(name, size):
            digest.update(block)
            if size <= START_BYTES:
                start += block
        return Blob(Digest("sha256:" + digest.hexdigest()), size, start)

    def _ask(self, name: str, kind: str) -> int:
        if not _OBJECT_NAME.fullmatch(name):
            raise HistoryError(f"{name!r} is not a full object id")
        try:
            self._running.input.write(f"{name}\n".encode("ascii"))
            self._running.input.flush()
        except BrokenPipeError:
            raise self._failed(name) from None
        answer = self._running.output.readline(200).decode("ascii", "replace").split()
        if len(answer) != 3 or answer[1] != kind or not answer[2].isdecimal():
            if len(answer) == 3:
                raise HistoryError(f"git object {name} is a {answer[1]}, not a {kind}")
            raise self._failed(name)
        return int(answer[2])

    def _content(self, name: str, size: int) -> Iterator[bytes]:
        left = size
        while left:
            block = self._running.output.read(min(left, _READ_BYTES))
            if not block:
                raise self._failed(name)
            left -= len(block)
            yield block
        if self._running.output.read(1) != b"\n":
            raise self._failed(name)

    def _failed(self, name: str) -> HistoryError:
        # Closing the input lets a process that still runs come to its end, and tells whether its time was up.
        with suppress(BrokenPipeError):
            self._running.input.close()
        self._running.finish()
        detail = self._running.messages()
        return HistoryError(f"git object {name} cannot be read{f': {detail}' if detail else ''}", hint=_HINT)


def search_path() -> str:
    """The folders of PATH that are absolute: git, and what it runs, never comes from the current folder."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())


def find_git(path: str) -> str:
    """The absolute path of git; raises `EvidenceError` when it is not there."""
    for folder in filter(None, path.split(os.pathsep)):
        candidate = os.path.join(folder, "git")  # noqa: PTH118 - as PATH writes it
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):  # noqa: PTH113
            return candidate
    raise EvidenceError("there is no git on the PATH", hint="install git 2.36 or newer")


def _messages_file() -> BinaryIO:
    """A file without a name: in memory where the system has that, which also spares an import at every start."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("git-messages"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()


def git_version() -> tuple[int, ...]:
    """The version of the git that would be used, such as `(2, 39, 5)`; raises `EvidenceError` when there is none."""
    line = [find_git(search_path()), "--version"]
    try:
        done = subprocess.run(line, env=_ENVIRONMENT, capture_output=True, timeout=COMMAND_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EvidenceError(f"git --version failed: {error}") from error
    found = re.match(rb"git version (\d{1,6}(?:\.\d{1,6}){1,3})", done.stdout)
    if found is None:
        raise EvidenceError("git --version answers with something else than a version")
    return tuple(int(part) for part in found[1].split(b"."))
