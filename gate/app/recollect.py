"""The determinism check: the statement is collected again by fresh processes, and must be the same bytes.

Each process has another hash seed, another locale, another time zone and another current folder. Run as a module, it
is such a process: it reads a request as JSON and writes the payload.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gate.attest.privacy import VARIES
from gate.errors import AttestError, GateError
from gate.formats.strict_json import loads_object
from gate.model.json import JsonValue

if TYPE_CHECKING:
    from gate.app.attest_create import TypedRequest

_TIMEOUT_S: Final = 600
_PLACES: Final = (
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"},
    {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu"},
)
_KEPT: Final = ("PATH", "HOME", "PYTHONPATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


def recollect(request: TypedRequest, expected: bytes, times: int) -> None:
    """Collects again so many times; raises `AttestError` for other bytes, naming the first member that differs."""
    wanted = _settled(expected)
    for number in range(times):
        with tempfile.TemporaryDirectory(prefix="gate-") as folder:
            found = _settled(_fresh(request, _PLACES[number % len(_PLACES)], folder))
        if found != wanted:
            raise AttestError(
                f"{request.config}: collected again, the statement differs in {_difference(wanted, found)}",
                hint="something writes to these files; collect when it has stopped",
            )


def _fresh(request: TypedRequest, place: Mapping[str, str], folder: str) -> bytes:
    start = request.place.start.resolve()
    text = json.dumps(
        {
            "start": str(start),
            "root": None if request.place.root is None else str(start / request.place.root),
            "word": request.word,
            "config": str(request.config),
            "out": None if request.out is None else str(start / request.out),
            "depends_on": [str(path) for path in request.depends_on],
            "created_s": request.created_s,
        }
    )
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    command = [sys.executable, "-m", "gate.app.recollect"]
    try:
        done = subprocess.run(
            command,
            input=os.fsencode(text),
            capture_output=True,
            cwd=folder,
            env={**kept, **place},
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AttestError(f"{request.config}: collecting again took longer than {_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise AttestError(f"{request.config}: collecting again failed: {done.stderr.decode(errors='replace')[-400:]}")
    return done.stdout


def _settled(payload: bytes) -> JsonValue:
    """The statement without what is random in it."""
    value = loads_object(payload, limit=len(payload))
    predicate = value["predicate"]
    privacy = predicate.get("privacy") if isinstance(predicate, Mapping) else None
    payloads = privacy.get("payloads") if isinstance(privacy, Mapping) else None
    for item in payloads.values() if isinstance(payloads, Mapping) else ():
        if isinstance(item, dict):
            for name in VARIES:
                item.pop(name, None)
    return value


def _difference(one: JsonValue, other: JsonValue, place: str = "") -> str:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                return _difference(one.get(key), other.get(key), f"{place}/{key}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            if left != right:
                return _difference(left, right, f"{place}/{number}")
    return place


def main() -> int:
    """Reads a request, writes the payload; on an error its message and the exit code."""
    from gate.app.attest_create import TypedRequest, draft_typed
    from gate.app.produce import Place

    given = json.loads(sys.stdin.buffer.read())
    request = TypedRequest(
        place=Place(Path(given["start"]), None if given["root"] is None else Path(given["root"])),
        word=given["word"],
        config=Path(given["config"]),
        out=None if given["out"] is None else Path(given["out"]),
        depends_on=tuple(Path(path) for path in given["depends_on"]),
        created_s=given["created_s"],
    )
    try:
        payload = draft_typed(request).payload
    except GateError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.buffer.write(payload)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
