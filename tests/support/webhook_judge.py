"""A server with a judge that does what it is told by the name of the object: `python -m tests.support.webhook_judge`.

It stands for the use case in tests of the server alone. Options are those of `gate webhook serve`; LIMITS is JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gate.errors import ConfigError
from gate.model.admission import Answer, Cause, refusal
from gate.model.admission_settings import AdmissionLimits
from gate.server.interface import ServeOptions
from gate.server.run import serve


@dataclass(frozen=True)
class Told:
    answer: Answer
    decision_id: str | None = None
    verdict: str | None = None
    controls: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    trace: str | None = None


@dataclass(frozen=True)
class Looked:
    changed: bool
    problem: str | None


class Judge:
    """Does `allow`, `deny`, `sleep-<seconds>-allow`, `raise`, `exit`, `trace` (a bug), `wrong` (no answer at all).

    The files `not-ready`, `reload`, `broken` and `explodes` in the folder are what the service says of itself.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.calls, self._lock = folder, 0, threading.Lock()

    def answer(self, body: bytes, ends_at: float) -> Told:
        with self._lock:
            self.calls += 1
        try:
            request = json.loads(body)["request"]
            uid, name = request["uid"], request["name"]
        except (ValueError, KeyError, TypeError):
            return Told(refusal("", Cause.REVIEW, "no review", 400))
        if name.startswith("sleep-"):
            _, seconds, name = name.split("-")
            time.sleep(float(seconds))
        if name == "raise":
            raise ValueError("a fault that the test put in")
        if name == "exit":
            raise SystemExit(0)
        if name == "wrong":
            return None  # type: ignore[return-value]
        if name == "trace":
            return Told(refusal(uid, Cause.BUG, "a bug", 500), trace="Traceback:\n  a line of tests\n")
        if name == "time":
            return Told(refusal(uid, Cause.REFUSED, f"left {ends_at - time.monotonic():.2f}"))
        stages = {"evaluate": 0.001, "invented by a test": 0.001}
        if name == "allow":
            answer = Answer(uid, True, Cause.ALLOWED, "", 200, ("a warning",), {"decision": "01TEST"})
            return Told(answer, "01TEST", "allow", (), stages)
        return Told(refusal(uid, Cause.REFUSED, f"no: {name}"), "01TEST", "deny", ("artifact.signed",), stages)

    def ready(self) -> Sequence[str]:
        file = self._folder / "not-ready"
        return [file.read_text("utf-8")] if file.exists() else []

    def notes(self) -> Sequence[str]:
        file = self._folder / "attention"
        return [file.read_text("utf-8")] if file.exists() else []

    def reload(self) -> Looked:
        if (self._folder / "broken").exists():
            return Looked(False, (self._folder / "broken").read_text("utf-8"))
        if (self._folder / "explodes").exists():
            raise ValueError("a fault that the test put in")
        if (self._folder / "reload").exists():
            (self._folder / "reload").unlink()
            return Looked(True, None)
        return Looked(False, None)

    def figures(self) -> Mapping[str, float]:
        return {"judge_calls": self.calls, "Not a name": 1.0}

    def close(self) -> None:
        (self._folder / "closed").touch()


def main() -> int:
    options, limits = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    files = ("certificate", "key", "client_ca")
    options |= {name: Path(options[name]) for name in files if options.get(name)}
    judge = Judge(Path.cwd())
    try:
        return serve(judge, AdmissionLimits(**limits), ServeOptions(**options))
    except ConfigError as error:
        os.write(2, f"{error}\n".encode())
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
