"""Logs: a line of JSON for each event on standard error, in ASCII, with nothing that could end the line (SECURITY 34).

Lines are written by a thread: whoever does not read them makes nobody wait for an answer. What there is no room for is
left out and counted.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from gate.model.json import JsonValue
from gate.report.escape import terminal

_LINES: Final = 4096
_LIMIT: Final = 4096
_AT_ONCE: Final = 256
_TOGETHER_S: Final = 0.02
"""Lines of so long are written together: each time this thread wakes, others wait for it."""


def write_error(data: bytes) -> None:
    """Writes to standard error; nothing depends on whether that works."""
    try:
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()
    except (OSError, ValueError):
        return


class Log:
    """The log of a server."""

    def __init__(self, write: Callable[[bytes], object] = write_error) -> None:
        self._write = write
        self._lines: queue.Queue[tuple[float, str, str, dict[str, JsonValue]] | None] = queue.Queue(_LINES)
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def say(self, event: str, level: str = "info", **more: JsonValue) -> None:
        """Writes a line, soon. Texts from outside are made safe and secrets in them are taken out."""
        try:
            self._lines.put_nowait((time.time(), level, event, more))
        except queue.Full:
            self.dropped += 1

    def close(self, seconds: float = 2.0) -> None:
        """Writes what is left, for so long at most."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        is_open = True
        while is_open:
            items = [self._lines.get()]
            time.sleep(_TOGETHER_S)
            while len(items) < _AT_ONCE and not self._lines.empty():
                items.append(self._lines.get_nowait())
            is_open = None not in items
            self._write(b"".join(_line(*item) for item in items if item is not None))


def _line(time_s: float, level: str, event: str, more: dict[str, JsonValue]) -> bytes:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s)) + f".{int(time_s % 1 * 1000):03}Z"
    whole: dict[str, JsonValue] = {"time": stamp, "level": level, "event": event}
    for name, value in more.items():
        if value is not None:
            whole[name] = terminal(value, _LIMIT) if isinstance(value, str) else value
    return json.dumps(whole).encode("ascii") + b"\n"


class Handler(logging.Handler):
    """What libraries log goes into the same log: the text of the message, never a traceback."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line."""
        error = record.exc_info[1] if record.exc_info else None
        level = "error" if record.levelno >= logging.ERROR else "warning"
        kind = None if error is None else f"{type(error).__name__}: {error}"
        self._log.say("library", level, logger=record.name, message=record.getMessage(), error=kind)
