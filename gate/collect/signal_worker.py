"""The process in which one plugin reads one log. `gate.collect.signals` starts it.

Standard input holds the name of the plugin and the digest of the image as a line of JSON, then the log up to the end.
Standard output gets one answer: a line with its kind and the SHA-256 of the whole input, then the observation as JSON,
or what went wrong. Whoever ends without such an answer and exit code 0 has not answered.

Once the plugin is imported the process can open no file and no connection and start no process (but as root); it has
limits of memory and processor time from the start, and what the plugin prints is thrown away.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
from typing import Final

from gate.formats.signals import PluginError, load_plugin
from gate.formats.signals.answer import to_json
from gate.model.digest import Digest
from gate.model.signal import SignalLog

_OPEN_FILES: Final = 4
"""Standard input, output and error, and where the answer goes."""


def main() -> None:
    """Confines the process, reads the request, answers. Arguments: bytes of memory, seconds of processor time."""
    memory_bytes, cpu_s = sys.argv[-2:]
    out = os.dup(1)
    os.dup2(2, 1)
    confine(int(memory_bytes), int(cpu_s))
    with os.fdopen(out, "wb") as file:
        file.write(answer(sys.stdin.buffer.read()))


def confine(memory_bytes: int, cpu_s: int) -> None:
    """Sets limits of this process for good."""
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_CPU, cpu_s)
    if sys.platform == "linux":
        limit(resource.RLIMIT_AS, memory_bytes)


def limit(what: int, wanted: int) -> None:
    """A limit may be lowered by anybody and raised by nobody, so one that is lower already stays."""
    allowed = resource.getrlimit(what)[1]
    value = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
    resource.setrlimit(what, (value, value))


def answer(request: bytes) -> bytes:
    """The answer to one request."""
    kind, body = _read(request)
    return f"{kind} {hashlib.sha256(request).hexdigest()}\n".encode("ascii") + body


def _read(request: bytes) -> tuple[str, bytes]:
    head, _, data = request.partition(b"\n")
    asked = json.loads(head)
    try:
        plugin = load_plugin(asked["plugin"])
    except PluginError as error:
        return "error", str(error).encode("utf-8", "replace")
    limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    limit(resource.RLIMIT_NPROC, 0)
    try:
        found = to_json(plugin(SignalLog(data, Digest(asked["digest"]))))
        return "observation", json.dumps(found).encode("ascii")
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises, it has observed nothing
        return "error", f"{type(error).__name__}: {str(error)[:300]}".encode("utf-8", "replace")
