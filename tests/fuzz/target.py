"""What is fuzzed: targets, their inputs, and the bounds of time and memory that every input has to keep."""

from __future__ import annotations

import contextlib
import signal
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

CPU_S: Final = 3.0
"""Seconds of processor time for an input of any size that is drawn here; ordinary ones take milliseconds."""
TRACED: Final = 12
"""The memory of one input in so many is measured: it makes the input some times slower."""
MEMORY_BYTES: Final = 24 << 20
MEMORY_FACTOR: Final = 100
"""Peak memory: a fixed part, and so many bytes for each byte of the input."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One input: the name it goes by, its bytes, and whether it holds what must never pass for harmless."""

    name: str
    data: bytes = field(repr=False)
    dangerous: bool = False
    least: int = 0
    """Of reports and logs: a complete answer tells at least of so many findings or events."""

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """Hypothesis would print how the bytes were put together, which takes longer than everything else."""
        printer.text(f"{self!r}, {len(self.data)} bytes beginning with {self.data[:200]!r}" if not cycle else "...")


@dataclass(frozen=True, slots=True)
class Target:
    """What reads bytes from outside.

    `covers` are the parts of the gate that it tries, as `tests/fuzz/test_targets.py` counts them. `seeds` are whole
    samples, good and bad; `built` makes further ones. `look` is what is tried, within the bounds; `judge` raises
    `AssertionError` when its answer breaks a promise.
    """

    name: str
    covers: frozenset[str]
    seeds: tuple[Sample, ...]
    built: st.SearchStrategy[Sample]
    look: Callable[[Sample], object]
    judge: Callable[[Sample, object], None]


class HangError(BaseException):
    """The time is up. No `Exception`: nobody between here and there may take it for a fault of their own."""


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextlib.contextmanager
def _memory_limit(size: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    allowed = MEMORY_BYTES + MEMORY_FACTOR * size
    assert peak <= allowed, f"{peak} bytes of memory for {size} bytes, allowed are {allowed}"


def is_traced(sample: Sample) -> bool:
    """Whether the memory of an input is measured: the same answer for the same bytes."""
    return zlib.crc32(sample.data) % TRACED == 0


def run(target: Target, sample: Sample) -> None:
    """Tries one input within the bounds; raises `AssertionError`."""
    traced = is_traced(sample)
    started = time.process_time()
    try:
        with _time_limit(CPU_S * (4 if traced else 1)):
            if traced:
                with _memory_limit(len(sample.data)):
                    answer = target.look(sample)
            else:
                answer = target.look(sample)
    except HangError:
        took = time.process_time() - started
        raise AssertionError(f"no answer after {took:.1f} s of processor time") from None
    target.judge(sample, answer)
