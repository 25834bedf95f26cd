"""The process in which files are read, hashed and inspected. `gate.collect.crew` starts it as a fork of itself.

It is asked for files by number, one line each, and answers in that order, each with a line of JSON. It has a limit of
memory. Control-C is for the process that started it, and it ends when that one is gone.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.collect.files import Entry, opened_root
from gate.collect.hashing import READ_BYTES, Hashed, Reader, Tell, Unread, Visit, Wanted
from gate.errors import EvidenceError
from gate.formats.inspection import from_json, to_json
from gate.model.digest import parse_digest
from gate.model.json import JsonValue
from gate.model.scan import FileInspection

_TOLD_BYTES: Final = 16 << 20
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Folder:
    """Where files lie: an open descriptor or a path. `prefix` stands in front of their paths in messages."""

    place: int | Path
    prefix: str = ""

    def opened(self) -> AbstractContextManager[int]:
        """Its descriptor; raises `EvidenceError`."""
        return nullcontext(self.place) if isinstance(self.place, int) else opened_root(self.place)


@dataclass(frozen=True, slots=True)
class Item:
    """A regular file to read."""

    folder: Folder
    entry: Entry


@dataclass(frozen=True, slots=True)
class Task:
    """All that is to be done: the files, and what each read is good for."""

    items: Sequence[Item]
    visit: Visit
    wanted: Wanted

    def read(self, number: int, buffer: memoryview, tell: Tell, *, is_inspected: bool = True) -> Hashed | Unread:
        """Reads a file once; what is no regular file any more, changes or cannot be read is `Unread`."""
        item = self.items[number]
        try:
            with item.folder.opened() as folder:
                reader = Reader(folder, item.folder.prefix, tell)
                return reader.hashed(item.entry, self.visit if is_inspected else None, self.wanted, buffer)
        except EvidenceError as error:
            return Unread(str(error))


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a worker: bytes that it read since the last one, and what became of the file if it is done."""

    count: int
    found: Hashed | Unread | None


class NonsenseError(ValueError):
    """The line is not the answer to what was asked."""


def serve(task: Task, channel: socket.socket, inherited: Sequence[socket.socket], memory_bytes: int) -> None:
    """A worker's life: it ends when nobody asks any more, or with the first thing that goes wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # looking at all that is inherited would copy it
    for other in inherited:
        other.close()
    silence()
    confine(memory_bytes)
    worker = _Worker(task, channel)
    with suppress(Exception), channel.makefile("rb") as lines:
        for line in lines:
            worker.answer(line)


def silence() -> None:
    """What inspectors of other packages print is no part of the report, and they can ask nobody."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)


def confine(memory_bytes: int) -> None:
    """No core file, and at most so much memory beside what the process has already (Linux only)."""
    limits = [(resource.RLIMIT_CORE, 0)]
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limits.append((resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE") + memory_bytes))
    for what, value in limits:
        most = resource.getrlimit(what)[1]
        allowed = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(what, (allowed, most))


class _Worker:
    def __init__(self, task: Task, channel: socket.socket) -> None:
        self._task = task
        self._channel = channel
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._count = 0

    def answer(self, line: bytes) -> None:
        """Reads the file that a line asks for, and says what became of it."""
        number, how = line.split()
        self._say(self._task.read(int(number), self._buffer, self._tell, is_inspected=how == b"inspect"))

    def _tell(self, count: int) -> None:
        self._count += count
        if self._count >= _TOLD_BYTES:
            self._say(None)

    def _say(self, found: Hashed | Unread | None) -> None:
        self._channel.sendall(write_line(Said(self._count, found)))
        self._count = 0


def write_line(said: Said) -> bytes:
    """The line for what is said, with its end."""
    value: JsonValue = None
    if isinstance(said.found, Unread):
        value = said.found.reason
    elif said.found is not None:
        found = said.found
        inspection = None if found.inspection is None else to_json(found.inspection)
        value = [found.digest, found.size, inspection, dict(found.others)]
    return _ENCODER.encode([said.count, value]).encode("ascii") + b"\n"


def read_line(line: bytes, size: int) -> Said:
    """What is said in a line about a file of a size; raises `NonsenseError`."""
    try:
        match _DECODER.decode(line.decode("ascii")):
            case [int(count), value] if count >= 0:
                return Said(count, _found(value, size))
    except (ValueError, RecursionError):
        pass
    raise NonsenseError


def _found(value: JsonValue, size: int) -> Hashed | Unread | None:
    match value:
        case None:
            return None
        case str(reason):
            return Unread(reason)
        case [str(text), int(told), inspection, dict(others)] if told == size:
            digest = parse_digest(text)
            if digest is not None:
                return Hashed(digest, size, _inspection(inspection), _texts(others))
    raise NonsenseError


def _inspection(value: JsonValue) -> FileInspection | None:
    return None if value is None else from_json(value)


def _texts(values: Mapping[str, JsonValue]) -> Mapping[str, str]:
    found = {key: value for key, value in values.items() if isinstance(value, str)}
    if len(found) != len(values):
        raise NonsenseError
    return found
