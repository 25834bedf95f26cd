"""Logs of runtime monitors that lie in the workspace, each read by its plugin in a process of its own.

A log is written by whoever ran the monitor, and a plugin may be anybody's code: neither can harm the gate, nor hold it
up for more than a time. Nothing is raised for either: what cannot be read is an observation with a problem, and one
with a problem is never quiet.
"""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from gate.collect.directory import read_reports
from gate.formats.signals.answer import ANSWER_BYTES, AnswerError, from_json
from gate.model.artifact import Artifact
from gate.model.digest import Digest, sha256_digest
from gate.model.scan import Basis, RawReport
from gate.model.settings import Limits, ReportSettings, SignalSettings
from gate.model.signal import Observation, Signal

# Without the environment and the current folder; with site packages, where plugins are installed.
_START: Final = "import sys; sys.path.append(sys.argv[1]); from gate.collect.signal_worker import main; main()"
_OPTIONS: Final = ("-I", "-B", "-c", _START)
_FOLDER: Final = str(Path(__file__).resolve().parents[2])
# A Python that is linked to a shared library may need these to start at all.
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_CHUNK_BYTES: Final = 1 << 16
_MAX_PROBLEM: Final = 300


@dataclass(frozen=True, slots=True)
class PluginLimits:
    """What a plugin may use for one log: seconds in all, bytes of address space (Linux only) and of its answer."""

    seconds: int = 60
    memory_bytes: int = 2 << 30
    answer_bytes: int = ANSWER_BYTES


def collect_signals(
    root: Path,
    settings: Sequence[SignalSettings],
    artifacts: Mapping[str, Artifact],
    limits: Limits,
    plugin_limits: PluginLimits = PluginLimits(),
) -> tuple[Signal, ...]:
    """What each log says of its artifact, in the order of the configuration, the matches of a glob sorted by path.

    Raises like `read_reports`: only for paths and folders that cannot be read at all.
    """
    found = []
    for item in settings:
        for raw in read_reports(root, [ReportSettings(item.plugin, item.path, item.artifact)], limits):
            digest = artifacts[item.artifact].digest
            found.append(
                Signal(
                    plugin=item.plugin,
                    basis=Basis.OBSERVED,
                    artifact=item.artifact,
                    digest=digest,
                    origin=raw.origin,
                    observation=_observation(raw, digest, plugin_limits),
                    report=None if raw.data is None else sha256_digest(raw.data),
                )
            )
    return tuple(found)


def _observation(raw: RawReport, digest: Digest | None, limits: PluginLimits) -> Observation:
    if raw.data is None:
        return _nothing(raw.problem or "it could not be read")
    if digest is None:
        return _nothing("the image has no digest, so nothing can be bound to it")
    try:
        return from_json(_answer(raw.tool, digest, raw.data, limits))
    except AnswerError as error:
        return _nothing(f"the plugin {raw.tool} did not read it: {error}")


def _nothing(problem: str) -> Observation:
    return Observation(problems=(problem[:_MAX_PROBLEM],))


def _answer(plugin: str, digest: Digest, data: bytes, limits: PluginLimits) -> bytes:
    """The observation that the plugin's process answers with; raises `AnswerError` for anything else."""
    head = json.dumps({"plugin": plugin, "digest": digest}).encode("ascii") + b"\n"
    request = hashlib.sha256(head)
    request.update(data)
    deadline = time.monotonic() + limits.seconds
    with tempfile.TemporaryFile() as file:
        file.write(head)
        file.write(data)
        file.seek(0)
        with _started(file, limits) as process:
            try:
                said = _said(process, deadline, limits.answer_bytes)
                code = process.wait(max(0.0, deadline - time.monotonic()))
            except (TimeoutError, subprocess.TimeoutExpired):
                raise AnswerError(f"it took longer than {limits.seconds} seconds") from None
    if code != 0:
        raise AnswerError(f"its process ended with {code}: it crashed, or met a limit of memory or time")
    line, _, body = said.partition(b"\n")
    kind, _, bound = line.partition(b" ")
    if bound.decode("ascii", "replace") != request.hexdigest():
        raise AnswerError("it gave no answer to what it was asked")
    if kind != b"observation":
        raise AnswerError(body.decode("utf-8", "replace"))
    return body


@contextmanager
def _started(file: IO[bytes], limits: PluginLimits) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a session of its own, which has ended for sure when the context ends."""
    try:
        process = subprocess.Popen(
            [sys.executable, *_OPTIONS, _FOLDER, str(limits.memory_bytes), str(limits.seconds)],
            bufsize=0,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise AnswerError(f"its process cannot be started: {error}") from None
    with process:
        try:
            yield process
        finally:
            # Until somebody waited for it the group is its own, whether it has ended or not.
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _said(process: subprocess.Popen[bytes], deadline: float, most: int) -> bytes:
    """What a process writes, up to the end; raises `TimeoutError`, and `AnswerError` as soon as that is too much."""
    pipe, answer = cast("IO[bytes]", process.stdout), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if selector.select(left):
                block = os.read(pipe.fileno(), _CHUNK_BYTES)
                if not block:
                    return bytes(answer)
                answer += block
                if len(answer) > most:
                    raise AnswerError(f"it answered with more than {most} bytes")
    raise TimeoutError
