"""OPA and the embedded engine give the same report, for every input and for hundreds of damaged ones (CONTROLS 2)."""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gate._regorus import PolicyError, PolicySet
from tests.property import rego_library as library

PATH = "/v1/data/gate/main/report?strict-builtin-errors=true"
DAMAGED = 450

pytestmark = pytest.mark.xdist_group("opa-server")


class Opa:
    """One OPA server with the library."""

    def __init__(self) -> None:
        build = [sys.executable, str(library.ROOT / "tools/build.py"), "opa"]
        program = subprocess.run(build, check=True, capture_output=True, text=True).stdout.strip()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [
            program,
            "run",
            "--server",
            "--addr",
            f"127.0.0.1:{self.port}",
            "--log-level",
            "error",
            "--skip-version-check",
        ]
        self.process = subprocess.Popen(
            [*command, str(library.ROOT / "rego")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.wait()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("OPA does not answer")

    def report(self, document: object) -> str:
        body = json.dumps({"input": document})
        self.connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            return "error"
        answered = json.loads(content)
        assert "warning" not in answered
        return canonical(answered["result"]) if "result" in answered else "error"

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait(timeout=30)


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@pytest.fixture(scope="module")
def opa() -> Iterator[Opa]:
    server = Opa()
    yield server
    server.close()


@pytest.fixture(scope="module")
def embedded() -> PolicySet:
    return library.compiled("data.gate.main.report")


def report(policies: PolicySet, document: object) -> str:
    try:
        answer = policies.evaluate(
            "data.gate.main.report", json.dumps(document), time_limit_s=library.TIME_LIMIT_S
        ).json
    except PolicyError:
        return "error"
    return "error" if answer is None else canonical(json.loads(answer))


@pytest.mark.parametrize("name", library.inputs())
def test_passing_inputs_give_equal_reports(opa: Opa, embedded: PolicySet, name: str) -> None:
    document = library.inputs()[name]
    answer = report(embedded, document)
    assert answer != "error"
    assert set(json.loads(answer)["controls"]) == set(library.controls())
    assert answer == opa.report(document)


def test_damaged_inputs_give_equal_reports(opa: Opa, embedded: PolicySet) -> None:
    """Seeded: one to three places of an input deleted or retyped."""
    choose = random.Random(20261120)
    documents = list(library.inputs().values())
    different: list[tuple[int, str, str]] = []
    errors = 0
    statuses: set[str] = set()
    for number in range(DAMAGED):
        document: dict[str, Any] = choose.choice(documents)
        for _ in range(choose.randint(1, 3)):
            place = choose.choice(list(library.places(document)))
            change = choose.choice([library.DELETE, *library.REPLACEMENTS])
            document = library.damaged(document, place, change)
            if not document:
                break
        one, other = report(embedded, document), opa.report(document)
        errors += one == "error"
        if one != other:
            different.append((number, one, other))
        if one != "error":
            statuses.update(entry["status"] for entry in json.loads(one)["controls"].values())
    assert not different[:3]
    assert errors < DAMAGED // 10
    assert statuses == {"pass", "fail", "error", "not_applicable"}


@pytest.mark.parametrize("document", [{}, [], "x", 0, {"profile": None}, {"profile": {"controls": {"a": None}}}])
def test_things_that_are_no_input_give_equal_reports(opa: Opa, embedded: PolicySet, document: object) -> None:
    assert report(embedded, document) == opa.report(document)
