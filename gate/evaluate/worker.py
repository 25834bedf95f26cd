"""The process that evaluates one untrusted policy. `IsolatedEngine` starts it, and it never imports what it need not.

Standard input holds the modules as a line of JSON, then the document up to the end. Standard output gets one answer:
a line with its kind, the SHA-256 of the whole input and the length of what follows, then the report, or a message and
a hint as JSON. Whoever ends without such an answer and exit code 0 has not answered.

Before it looks at the policy it gives up what the policy could abuse: it can open no file and no connection, write no
file and leave no core, and has limits of memory and processor time. The limits of the address space are Linux's only.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate.regorus import RegorusEngine
from gate.model.digest import Digest
from gate.model.document import InputDocument

_OPEN_FILES: Final = 3
"""Standard input, output and error, and nothing more."""


@dataclass(frozen=True, slots=True)
class _Policy:
    modules: Mapping[str, str]


def main() -> None:
    """Confines the process, reads the request, answers. Arguments: bytes of memory, CPU seconds, seconds for rules."""
    memory_bytes, cpu_s, evaluation_s = sys.argv[-3:]
    confine(int(memory_bytes), int(cpu_s))
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), float(evaluation_s)))
    sys.stdout.buffer.flush()


def confine(memory_bytes: int, cpu_s: int) -> None:
    """Sets the limits of this process for good."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    # At the first limit the process gets SIGXCPU, which says what happened; at the second it is killed.
    _limit(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)
    if sys.platform == "linux":
        _limit(resource.RLIMIT_AS, memory_bytes)


def _limit(what: int, soft: int, hard: int | None = None) -> None:
    """A limit may be lowered by anybody and raised by nobody, so one that is lower already stays."""
    wanted = (soft, soft if hard is None else hard)
    allowed = resource.getrlimit(what)[1]
    if allowed != resource.RLIM_INFINITY:
        wanted = (min(wanted[0], allowed), min(wanted[1], allowed))
    resource.setrlimit(what, wanted)


def answer(request: bytes, evaluation_s: float) -> bytes:
    """The answer to one request."""
    kind, body = _evaluate(request, evaluation_s)
    return f"{kind} {hashlib.sha256(request).hexdigest()} {len(body)}\n".encode("ascii") + body


def _evaluate(request: bytes, evaluation_s: float) -> tuple[str, bytes]:
    modules, _, document = request.partition(b"\n")
    try:
        engine = RegorusEngine(_Policy(json.loads(modules)), time_limit_s=evaluation_s)
        # The engine reads the bytes and nothing else of a document.
        return "report", engine.text(InputDocument({}, document, Digest("")))
    except PolicyError as error:
        kind = "timeout" if isinstance(error, PolicyTimeout) else "error"
        return kind, json.dumps([str(error), error.hint]).encode("ascii")
