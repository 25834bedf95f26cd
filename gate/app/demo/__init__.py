"""`gate demo run`: what the gate says to every tampering that is known to have gone unnoticed elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from gate.app.demo.attacks import ATTACKS
from gate.app.demo.tamper import TAMPER
from gate.app.demo.world import Case, World, prepare
from gate.model.demo import Shown

CASES: tuple[Case, ...] = (*TAMPER, *ATTACKS)


def run_demo(
    now_s: int, folder: Path, progress: Callable[[str], AbstractContextManager[object]] = nullcontext
) -> Iterator[Shown]:
    """Plays every case on an application of its own in `folder`, one after the other."""
    with progress("attesting and signing the example"):
        files = prepare(folder / "start", now_s)
    for case in CASES:
        world = World.lay(folder / case.id, files, now_s)
        code, why = world.outcome(case.play)
        yield Shown(case.id, case.what, case.expected, code, why)
