"""Reading lock files in tests."""

from __future__ import annotations

import base64
import json

from gate.formats.locks import read_lock
from gate.model.dependencies import Dependency, Lock

ONE, TWO = "a1" * 32, "b2" * 32
LONG = "c3" * 64
SRI = "sha512-" + base64.b64encode(bytes.fromhex(LONG)).decode()
H1 = "h1:" + base64.b64encode(bytes.fromhex(ONE)).decode()


def read(name: str, content: str | bytes | object) -> Lock:
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    return read_lock(name, content.encode() if isinstance(content, str) else content)


def only(name: str, content: str | bytes | object) -> Dependency:
    lock = read(name, content)
    assert lock.problems == ()
    (found,) = lock.packages.values()
    return found


def problem(name: str, content: str | bytes | object) -> str:
    lock = read(name, content)
    assert not lock.packages
    (found,) = lock.problems
    return found
