"""An OPA server that lies, dawdles or is none: each time a clear refusal within the time limit, and never a report."""

from __future__ import annotations

import functools
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate import opa
from gate.evaluate.bundle import PolicyBundle, make_bundle, packaged_bundle
from gate.evaluate.opa import MAX_FAILURES, PAUSE_S, OpaEngine
from gate.evaluate.opa_answer import MAX_ANSWER_BYTES, VERSION_FLOOR, check_status
from gate.evaluate.regorus import RegorusEngine
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.settings import EngineSettings
from tests.support.liar import Behaviour, Liar, drips, says

TEXT = b'{"profile":{"controls":{}},"secret":"do-not-show"}'
DOCUMENT = InputDocument({}, TEXT, sha256_digest(TEXT))
LIMIT_S = 1
MARGIN_S = 5.0
TOKEN = "token-" * 8
RESULT = {"schema": "urn:gate:report:v1", "controls": {}, "ä": 1.0}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@functools.cache
def policy() -> PolicyBundle:
    return packaged_bundle()


def provenance(**changes: Any) -> dict[str, Any]:
    return {"version": "1.22.0", "bundles": {"policy.tar.gz": {"revision": policy().digest}}, **changes}


def good(**changes: Any) -> dict[str, Any]:
    """What OPA answers; a change that is `...` leaves a member out."""
    value = {"result": RESULT, "provenance": provenance(), "decision_id": "x", "metrics": {}, **changes}
    return {name: item for name, item in value.items() if item is not ...}


def engine(url: str, *, ca: bytes | None = None, token: str | None = TOKEN, limit_s: int = LIMIT_S) -> OpaEngine:
    return OpaEngine(policy(), EngineSettings("opa", url=url, ca=ca, timeout_s=limit_s), token)


def refused(url: str, **options: Any) -> PolicyError:
    """The error for an answer; it comes in time and shows neither the document nor the token."""
    asked = engine(url, **options)
    begin = time.monotonic()
    with pytest.raises(PolicyError) as caught:
        asked.report(DOCUMENT)
    assert time.monotonic() - begin < LIMIT_S + MARGIN_S
    error = caught.value
    assert error.exit_code == 4
    assert error.hint
    for secret in ("do-not-show", TOKEN):
        assert secret not in f"{error} {error.hint}"
    assert url in str(error) or "OPA" in str(error)
    return error


def lied(behaviour: Behaviour) -> PolicyError:
    with Liar(behaviour) as server:
        error = refused(server.url)
        assert len(server.requests) == 1, "nothing is asked twice"
    return error


def test_s27_it_asks_one_question_and_canonical_bytes_come_back() -> None:
    with Liar(says(good())) as server:
        asked = engine(server.url)
        assert (asked.name, asked.version) == ("opa", "unknown")
        assert asked.report(DOCUMENT) == '{"controls":{},"schema":"urn:gate:report:v1","ä":1}'.encode()
        assert asked.version == "1.22.0"
        (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /v1/data/gate/main/report?provenance=true&strict-builtin-errors=true HTTP/1.1"
    assert sorted(headers) == sorted(
        [
            f"Host: 127.0.0.1:{server.port}",
            "User-Agent: gate",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"Authorization: Bearer {TOKEN}",
        ]
    )
    assert body == b'{"input":' + TEXT + b"}"


def test_s30_nothing_of_the_environment_gets_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(netrc))
    with Liar(says(good())) as server:
        for token in (TOKEN, None):
            engine(server.url, token=token).report(DOCUMENT)
        first, second = server.requests
    assert b"Basic" not in first + second
    assert b"Authorization" not in second


def other(revision: object) -> dict[str, Any]:
    return good(provenance=provenance(bundles={"a": {"revision": revision}}))


BOTH = {"a": {"revision": policy().digest}, "b": {"revision": policy().digest}}
DUPLICATED = json.dumps(good()).replace('"provenance":', '"provenance": {}, "provenance":').encode()
ANSWERS: dict[str, tuple[Behaviour, str]] = {
    "empty object": (says({}), "does not say which policy it runs"),
    "HTML": (says(b"<html>do-not-show</html>", kind="text/html"), "something else than JSON"),
    "HTML that says it is JSON": (says(b"<html>do-not-show</html>"), "something else than a JSON object"),
    "no content type": (says(good(), kind=""), "something else than JSON"),
    "compressed": (says(good(), headers={"Content-Encoding": "gzip"}), "compressed"),
    "301": (says(b"", status="301 Moved", headers={"Location": "/v1/data/x"}), "redirect"),
    "302": (says(good(), status="302 Found", headers={"Location": "http://127.0.0.1:1/"}), "redirect"),
    "307": (says(b"", status="307 Again", headers={"Location": "//"}), "redirect"),
    "another revision": (says(other("sha256:" + "0" * 64)), "runs another policy"),
    "a prefix of the revision": (says(other(policy().digest[:-1])), "runs another policy"),
    "no revision": (says(good(provenance=provenance(bundles={"a": {}}))), "revision none"),
    "a bundle that is no object": (says(good(provenance=provenance(bundles={"a": 1}))), "revision none"),
    "a revision that is a number": (says(other(1)), "revision none"),
    "no bundle": (says(good(provenance=provenance(bundles={}))), "revision none"),
    "two bundles": (says(good(provenance=provenance(bundles=BOTH))), "runs another policy"),
    "no provenance": (says(good(provenance=...)), "does not say which policy"),
    "provenance of before there were names": (
        says(good(provenance={"version": "1.22.0", "revision": policy().digest})),
        "does not say which policy",
    ),
    "provenance twice": (says(DUPLICATED), "something else than a JSON object"),
    "undefined": (says(good(result=...)), "is undefined"),
    "null": (says(good(result=None)), "is no object"),
    "a list": (says(good(result=[RESULT])), "is no object"),
    "no canonical form": (says(good(result={"n": 2**60 + 1})), "no canonical form"),
    "a warning": (says(good(warning={"code": "api_usage_warning"})), "a warning about the request"),
    "an unknown member": (says(good(extra=1)), "members that OPA's answers do not have"),
    "a list of answers": (says([good()]), "something else than a JSON object"),
    "NaN": (says(json.dumps(good()).replace("1.0", "NaN").encode()), "something else than a JSON object"),
    "400": (says({"message": "do-not-show"}, status="400 Bad"), "HTTP status 400"),
    "401": (says({"message": "do-not-show"}, status="401 No"), "does not let the gate in"),
    "403": (says(b"", status="403 No"), "does not let the gate in"),
    "404": (says(good(), status="404 Not"), "HTTP status 404"),
    "500": (says({"message": "do-not-show"}, status="500 Oh"), "the policy failed"),
    "503": (says(good(), status="503 Later"), "HTTP status 503"),
    "201": (says(good(), status="201 Made"), "HTTP status 201"),
    "a megabyte of garbage": (says(os.urandom(1 << 20)), "something else than a JSON object"),
    "too many bytes": (says(b" " * (MAX_ANSWER_BYTES + 1)), f"more than {MAX_ANSWER_BYTES} bytes"),
    "half an answer": (lambda c: c.sendall(HEAD + b'Content-Length: 9000\r\n\r\n{"res'), "something else than a JSON"),
    "no HTTP": (lambda c: c.sendall(b"SSH-2.0-OpenSSH_9\r\n"), "does not answer as an HTTP server does"),
    "a long header": (lambda c: c.sendall(HEAD + b"X: " + b"x" * (1 << 17)), "does not answer as an HTTP server does"),
    "nothing": (lambda _: None, "the connection to"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_s27_a_lie_is_exit_4(name: str) -> None:
    behaviour, message = ANSWERS[name]
    error = lied(behaviour)
    assert message in str(error)
    assert not isinstance(error, PolicyTimeout)


@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        (".".join(map(str, VERSION_FLOOR)), True),
        ("1.100.0", True),
        ("2.0.0", True),
        ("1.21.2", False),
        ("1.9.9", False),
        ("0.99.0", False),
        ("1.22.0-dev", False),
        ("v1.22.0", False),
        ("1.22", False),
        ("01.22.0", False),
        ("1.22.0\n", False),
        ("", False),
    ],
)
def test_s27_only_versions_from_the_floor_on_are_believed(version: str, *, accepted: bool) -> None:
    with Liar(says(good(provenance=provenance(version=version)))) as server:
        if accepted:
            assert engine(server.url).report(DOCUMENT)
        else:
            assert "1.21.3 is the oldest" in str(refused(server.url))


@pytest.mark.parametrize("code", [100, 204, 299, 300, 399, 499, 501, 600])
def test_every_status_but_200_refuses(code: int) -> None:
    with pytest.raises(PolicyError, match=f"HTTP status {code}"):
        check_status(code, "http://x")


SLOW: dict[str, Behaviour] = {
    "never": lambda _: time.sleep(LIMIT_S + 0.5),
    "a byte of the status line now and then": drips(b"HTTP/1.1 ", b"2"),
    "one header after the other": drips(HEAD, b"X: y\r\n"),
    "a byte of the answer now and then": drips(HEAD + b"Content-Length: 999999\r\n\r\n{", b" "),
    "one small chunk after the other": drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "please wait": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("name", SLOW)
def test_s26_a_slow_answer_ends_at_the_time_limit(name: str) -> None:
    error = lied(SLOW[name])
    assert isinstance(error, PolicyTimeout)
    assert f"did not answer within {LIMIT_S} seconds" in str(error)


def test_s26_a_server_that_accepts_and_reads_nothing_ends_at_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert isinstance(refused(f"http://127.0.0.1:{silent.getsockname()[1]}"), PolicyTimeout)


def test_s26_a_slow_name_server_ends_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def connect(*_: object) -> socket.socket:
        over.wait(20)
        raise OSError("too late")

    monkeypatch.setattr(socket, "create_connection", connect)
    try:
        assert isinstance(refused("http://127.0.0.1:9"), PolicyTimeout)
    finally:
        over.set()


def test_a_closed_port_is_tried_again_within_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[object] = []
    connect = socket.create_connection

    def counted(*arguments: Any) -> socket.socket:
        tries.append(arguments)
        return connect(*arguments)

    monkeypatch.setattr(socket, "create_connection", counted)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "no server listens at" in str(refused(f"http://127.0.0.1:{port}", limit_s=5))
    assert len(tries) == 4
    monkeypatch.setattr(opa, "_RETRY_AFTER_S", (0.1, 60.0))
    assert isinstance(refused(f"http://127.0.0.1:{port}"), PolicyTimeout)


def test_a_server_that_starts_meanwhile_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, refusals = socket.create_connection, [ConnectionRefusedError()]

    def late(*arguments: Any) -> socket.socket:
        if refusals:
            raise refusals.pop()
        return connect(*arguments)

    monkeypatch.setattr(socket, "create_connection", late)
    with Liar(says(good())) as server:
        assert engine(server.url).report(DOCUMENT)


def test_an_address_that_cannot_be_reached_is_exit_4(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> socket.socket:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    assert "failed: Network is unreachable" in str(refused("http://127.0.0.1:9"))


# -- the policy, and many failures -------------------------------------------------------------------------------------


def test_s26_what_the_embedded_engine_refuses_no_server_is_asked_for() -> None:
    main = "gate/main/main.rego"
    changed = policy().files[main] + b'\nother := http.send({"url": "http://127.0.0.1"})\n'
    with pytest.raises(PolicyError, match=r"http\.send"):
        OpaEngine(make_bundle({**policy().files, main: changed}), EngineSettings("opa", url="http://127.0.0.1:9"), None)


def test_a_report_without_a_canonical_form_is_exit_4_in_the_embedded_engine_too() -> None:
    text = b'{"n":1152921504606846977}'
    modules = {"gate/main/main.rego": b"package gate.main\n\nreport := input\n"}
    embedded = RegorusEngine(make_bundle({**packaged_bundle().files, **modules}))
    with pytest.raises(PolicyError, match="no canonical form"):
        embedded.report(InputDocument({}, text, sha256_digest(text)))


class Scripted:
    """A behaviour that a test can change."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = says({})

    def __call__(self, connection: socket.socket) -> None:
        self.behaviour(connection)


def fails(report: Callable[[InputDocument], bytes], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        report(DOCUMENT)


def test_after_three_failures_in_a_row_it_is_not_asked_for_a_while() -> None:
    now = [100.0]
    script = Scripted()
    with Liar(script) as server:
        report = OpaEngine(policy(), EngineSettings("opa", url=server.url), None, clock=lambda: now[0]).report
        for _ in range(MAX_FAILURES - 1):
            fails(report, "does not say")
        script.behaviour = says(good())
        assert report(DOCUMENT)
        script.behaviour = says({})
        for _ in range(MAX_FAILURES):
            fails(report, "does not say")
        asked = len(server.requests)
        now[0] += PAUSE_S - 1
        fails(report, "failed 3 times in a row and is not asked for 5 seconds")
        assert len(server.requests) == asked
        now[0] += 1
        fails(report, "does not say")
        fails(report, "failed 4 times in a row")
        now[0] += PAUSE_S
        script.behaviour = says(good())
        assert report(DOCUMENT)
        assert report(DOCUMENT)


def test_threads_may_share_it() -> None:
    with Liar(says(good())) as server:
        asked = engine(server.url, limit_s=20)
        reports: list[bytes] = []
        threads = [threading.Thread(target=lambda: reports.append(asked.report(DOCUMENT))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(reports) == 8
    assert len(set(reports)) == 1
