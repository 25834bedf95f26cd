"""The embedded engine in a process of its own, for policies that nobody vouches for.

A policy can do worse than fail: it can fill the memory, stay in one builtin function where no time limit looks, or
find a hole in the engine. In a worker process all of that ends at a limit, and the gate goes on.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate.interface import REPORT_BYTES, TIME_LIMIT_S, Modules
from gate.evaluate.regorus import ENGINE_VERSION, canonical_report
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.document import InputDocument

# Without site packages, environment and current folder: the worker finds the standard library and this very gate.
_START: Final = "import sys; sys.path.append(sys.argv[1]); from gate.evaluate.worker import main; main()"
_OPTIONS: Final = ("-I", "-S", "-B", "-c", _START)
_FOLDER: Final = str(Path(__file__).resolve().parents[2])
# A Python that is linked to a shared library may need these to start at all.
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_CHUNK_BYTES: Final = 1 << 16
_WORKER: Final = "the policy's worker process"
_HINT: Final = "look for a control that loops over too much or builds too large a value"


@dataclass(frozen=True, slots=True)
class IsolationLimits:
    """What one evaluation in a worker process may use. Times are in seconds, sizes in bytes.

    `evaluation_s` is for the rules, as in the embedded engine, and `loading_s` for starting the process and loading
    the policy; their sum is the deadline at which the process is killed, and the limit of its processor time.
    `memory_bytes` is address space, 256 MiB of which the engine reserves for its stack. `answer_bytes` is the
    longest report.
    """

    evaluation_s: float = TIME_LIMIT_S
    loading_s: float = 20.0
    memory_bytes: int = 1 << 30
    answer_bytes: int = REPORT_BYTES

    @property
    def deadline_s(self) -> float:
        """Seconds from the start of the process to its end."""
        return self.evaluation_s + self.loading_s


class IsolatedEngine:
    """The embedded engine, in a new process for each evaluation: its answers are byte-equal.

    One process an evaluation costs some 60 ms and leaves nothing behind that could pass from one document to the
    next. The policy is loaded there too, so what an engine refuses at load is said by `report`.
    """

    name = "regorus"
    version = ENGINE_VERSION

    def __init__(self, bundle: Modules, *, limits: IsolationLimits = IsolationLimits()) -> None:
        self._limits = limits
        self._modules = json.dumps(dict(bundle.modules)).encode("ascii") + b"\n"

    def report(self, document: InputDocument) -> bytes:
        """See `Engine.report`; also raises `PolicyError` when the process crashes or answers with something else."""
        request = self._modules + document.canonical
        limits = self._limits
        deadline = time.monotonic() + limits.deadline_s
        with _started(limits) as process:
            try:
                answer = _converse(process, request, deadline, limits.answer_bytes)
                code = process.wait(max(0.0, deadline - time.monotonic()))
            except (TimeoutError, subprocess.TimeoutExpired):
                took = f"{_WORKER} took longer than {limits.deadline_s:g} seconds and was stopped"
                raise PolicyTimeout(took, hint=_HINT) from None
        if code != 0:
            raise _ended(code, limits)
        return canonical_report(_report(answer, hashlib.sha256(request).hexdigest()))


@contextmanager
def _started(limits: IsolationLimits) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a session of its own, which has ended for sure when the context ends."""
    numbers = (str(limits.memory_bytes), str(math.ceil(limits.deadline_s)), str(limits.evaluation_s))
    try:
        process = subprocess.Popen(
            [sys.executable, *_OPTIONS, _FOLDER, *numbers],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise PolicyError(f"{_WORKER} cannot be started: {error}") from None
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _converse(process: subprocess.Popen[bytes], request: bytes, deadline: float, answer_bytes: int) -> bytes:
    """What the process answers to a request, up to the end of its output.

    Raises `TimeoutError` at the deadline, and `PolicyError` as soon as the answer is too long. It never waits for one
    pipe alone, so nothing that the process does or leaves undone keeps it.
    """
    # `_started` made both of them pipes.
    requests, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    rest, answer = memoryview(request), bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe, event in ((requests, selectors.EVENT_WRITE), (answers, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while (left := deadline - time.monotonic()) > 0:
            ready = [key.fileobj for key, _ in selector.select(left)]
            if requests in ready:
                rest = rest[_send(requests, rest) :]
                if not rest:
                    selector.unregister(requests)
                    requests.close()
            if answers in ready:
                block = os.read(answers.fileno(), _CHUNK_BYTES)
                if not block:
                    return bytes(answer)
                answer += block
                if len(answer) > answer_bytes:
                    raise PolicyError(f"{_WORKER} answered with more than {answer_bytes} bytes", hint=_HINT)
    raise TimeoutError


def _send(pipe: IO[bytes], data: memoryview) -> int:
    """How much of the data is off: as much as fits, or all of it when the process reads no more."""
    try:
        return os.write(pipe.fileno(), data[:_CHUNK_BYTES])
    except BrokenPipeError:
        return len(data)


def _ended(code: int, limits: IsolationLimits) -> PolicyError:
    if code == -signal.SIGXCPU:
        used = f"{_WORKER} used more than {math.ceil(limits.deadline_s)} seconds of processor time and was stopped"
        return PolicyTimeout(used, hint=_HINT)
    how = f"exit code {code}" if code > 0 else f"signal {-code} ({signal.strsignal(-code)})"
    why = f"it crashed, or needed more than {limits.memory_bytes >> 20} MiB of memory"
    return PolicyError(f"{_WORKER} ended with {how}: {why}", hint=_HINT)


def _report(answer: bytes, request: str) -> bytes:
    """The report in an answer to the request with this SHA-256; raises the error that is in it instead."""
    head, _, body = answer.partition(b"\n")
    words = head.decode("ascii", "replace").split(" ")
    if len(words) != 3 or words[2] != str(len(body)):
        raise PolicyError(f"{_WORKER} gave {'another answer than a report' if answer else 'no answer'}")
    if words[1] != request:
        raise PolicyError(f"{_WORKER} answered for another document")
    if words[0] == "report":
        return body
    try:
        said = loads(body, limit=len(body))
    except StrictJsonError:
        said = None
    match words[0], said:
        case "timeout", [str(message), str(hint)]:
            raise PolicyTimeout(message, hint=hint)
        case "error", [str(message), str(hint)]:
            raise PolicyError(message, hint=hint)
        case _:
            raise PolicyError(f"{_WORKER} gave another answer than a report")
