"""Checkpoints of a log that a server holds open: signed by the side, so that no answer waits for a key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gate.app.record import checkpoint_now, nobody_to_ask
from gate.errors import GateError
from gate.model.settings import CheckpointSettings
from gate.record.interface import DecisionLog

_FIRST_S: Final = 1.0
_LONGEST_S: Final = 60.0


class Checkpoints:
    """Signs the head of a log when so many records came that one is due, in a thread that ends with the process.

    What goes wrong is told by `problem`, and tried again after a while that grows.
    """

    def __init__(
        self,
        settings: CheckpointSettings,
        open_log: Callable[[], DecisionLog],
        sign: Callable[[DecisionLog], int],
        *,
        pause_s: float = _FIRST_S,
    ) -> None:
        """`sign` makes the checkpoint of an open log; how many records that signed."""
        self._every, self._open_log, self._sign, self._pause_s = settings.every, open_log, sign, pause_s
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._size, self._signed, self._count = 0, 0, 0
        self._problem: str | None = None
        self._is_closing = False

    @property
    def problem(self) -> str | None:
        """Why the last one could not be made."""
        return self._problem

    @property
    def count(self) -> int:
        """How many were made here."""
        return self._count

    def appended(self, size: int) -> None:
        """The log has so many records now."""
        with self._changed:
            self._size = max(self._size, size)
            if self._thread is None and self._is_due():
                self._thread = threading.Thread(target=self._run, name="gate-checkpoint", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, timeout_s: float) -> None:
        """Tries once more where one is due."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _is_due(self) -> bool:
        return self._size - self._signed >= self._every

    def _run(self) -> None:
        pause_s = 0.0
        while self._wait(pause_s):
            try:
                self._signed = self._make()
            except Exception as error:  # noqa: BLE001 - told, and tried again
                self._problem = str(error) if isinstance(error, GateError) else f"a bug: {type(error).__name__}"
                pause_s = min(max(2 * pause_s, self._pause_s), _LONGEST_S)
                if self._is_closing:
                    return
            else:
                self._problem, pause_s = None, 0.0

    def _wait(self, pause_s: float) -> bool:
        """Waits until a checkpoint is due, and for so long at least; whether there is one to be made."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing, pause_s)
            self._changed.wait_for(lambda: self._is_closing or self._is_due())
            return self._is_due()

    def _make(self) -> int:
        """Signs, unless another gate that records in the same log did; how many records are signed."""
        log = self._open_log()
        try:
            last = log.last_checkpoint()
            signed = 0 if last is None else last.size
            if self._size - signed < self._every:
                return signed
            signed = self._sign(log)
            self._count += 1
            return signed
        finally:
            log.close()


def signing(settings: CheckpointSettings, root: Path) -> Callable[[DecisionLog], int]:
    """Signs as the settings say; see `Checkpoints`."""

    def sign(log: DecisionLog) -> int:
        made = checkpoint_now(log, settings, root, nobody_to_ask)
        return 0 if made is None else made.size

    return sign
