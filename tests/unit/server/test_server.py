"""The server's process with a judge of tests: what is asked over HTTP, and what becomes of it (SECURITY 42)."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.webhook import Client, Process, judging, raw, review, wait_for

HEAD = b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Process]:
    limits = {"body_bytes": 100_000, "concurrent": 4, "queue": 8, "deadline_s": 2.0}
    with judging(tmp_path_factory.mktemp("server"), authority.server("shared"), limits) as process:
        yield process.started()


@pytest.fixture
def client(server: Process, authority: Authority) -> Iterator[Client]:
    with Client(server.port, authority) as client:
        yield client


def test_an_answer_is_that_of_the_judge(client: Client) -> None:
    yes = client.judged(review("allow", "uid-a"))
    assert (yes["uid"], yes["allowed"]) == ("uid-a", True)
    assert yes["warnings"] == ["a warning"]
    assert yes["auditAnnotations"] == {"decision": "01TEST"}
    no = client.judged(review("deny", "uid-b"))
    assert (no["uid"], no["allowed"]) == ("uid-b", False)
    assert no["status"]["message"] == "no: deny"


def test_a_connection_is_kept(client: Client) -> None:
    client.judged(review("allow"))
    first = client.connection.sock
    client.judged(review("deny"))
    assert client.connection.sock is first
    assert "connection" not in client.headers


@pytest.mark.parametrize("name", ["raise", "exit", "wrong"])
def test_s42_what_goes_wrong_in_the_judge_is_a_refusal_with_the_uid(server: Process, client: Client, name: str) -> None:
    answer = client.judged(review(name, f"uid-{name}"))
    assert (answer["uid"], answer["allowed"], answer["status"]["code"]) == (f"uid-{name}", False, 500)
    assert "a bug in the gate" in answer["status"]["message"]
    assert "a fault that the test put in" not in json.dumps(answer)
    wait_for(lambda: server.log("bug"))
    assert client.judged(review("allow"))["allowed"]


def test_what_developers_need_of_a_bug_is_logged_in_one_line(server: Process, client: Client) -> None:
    answer = client.judged(review("trace", "uid-trace"))
    assert "a line of tests" not in json.dumps(answer)
    line = wait_for(lambda: [line for line in server.log("bug") if line.get("uid") == "uid-trace"])[0]
    assert line["trace"] == "Traceback:\\x0a  a line of tests\\x0a"


def test_s42_a_review_that_takes_too_long_is_refused_in_time(client: Client) -> None:
    began = time.monotonic()
    answer = client.judged(review("sleep-4-allow", "uid-slow"), "?timeout=1s")
    assert time.monotonic() - began < 1.0
    assert (answer["uid"], answer["allowed"], answer["status"]["code"]) == ("uid-slow", False, 504)


def test_s42_the_judge_is_told_how_much_time_is_left(client: Client) -> None:
    for query, seconds in (("?timeout=2s", 1.5), ("?timeout=30s", 2.0), ("", 2.0)):
        left = float(client.judged(review("time"), query)["status"]["message"].removeprefix("left "))
        assert seconds - 0.3 < left <= seconds


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b"{" * 50_000, b"\xff\xfe", b'{"request":{"uid":1}}'])
def test_what_is_no_review_is_refused(client: Client, body: bytes) -> None:
    status, data = client.post(body)
    assert status == 400
    assert json.loads(data)["response"]["allowed"] is False


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/validate", {}, 405),
        ("PUT", "/validate", {"Content-Type": "application/json"}, 405),
        ("POST", "/", {"Content-Type": "application/json"}, 404),
        ("POST", "/validate/", {"Content-Type": "application/json"}, 404),
        ("POST", "//validate", {"Content-Type": "application/json"}, 404),
        ("POST", "/mutate", {"Content-Type": "application/json"}, 404),
        ("GET", "/metrics", {}, 404),
        ("GET", "/livez", {}, 404),
        ("POST", "/validate", {}, 415),
        ("POST", "/validate", {"Content-Type": "text/plain"}, 415),
        ("POST", "/validate", {"Content-Type": "application/json; charset=utf-16"}, 415),
        ("POST", "/validate", {"Content-Type": "application/yaml"}, 415),
        ("POST", "/validate", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
def test_the_api_is_closed(client: Client, method: str, path: str, headers: dict[str, str], status: int) -> None:
    found, data = client.call(method, path, review("allow"), headers)
    assert found == status
    assert b"allowed" not in data
    assert client.headers["connection"] == "close"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_json_is_json(client: Client, kind: str) -> None:
    status, data = client.call("POST", "/validate", review("allow"), {"Content-Type": kind})
    assert (status, json.loads(data)["response"]["allowed"]) == (200, True)


def test_s42_a_body_that_is_too_large_is_refused(client: Client) -> None:
    assert client.judged(review("allow", pad="x" * 90_000))["allowed"]
    status, data = client.post(review("allow", pad="x" * 110_000))
    assert (status, data) == (413, b"the request is too large\n")


def test_s42_a_body_of_gigabytes_is_not_read(server: Process, authority: Authority) -> None:
    began = time.monotonic()
    answer = raw(server.port, authority, HEAD + b"Content-Length: 9000000000\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - began < 5


SMUGGLED = b"0\r\n\r\nPOST /validate HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
        b"Content-Length: 2, 2\r\n\r\n{}",
        b"Content-Length: +2\r\n\r\n{}",
        b"Content-Length: 0x2\r\n\r\n{}",
        b"Content-Length: -1\r\n\r\n{}",
        b"Content-Length:\r\n\r\n",
        b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"X: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
        b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
        b"X: a\nContent-Length: 2\r\n\r\n{}",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 2\r\n\r\n{}",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\nContent-Length: 2\r\n\r\n{}",
        b"".join(b"X-%d: y\r\n" % number for number in range(100)) + b"Content-Length: 2\r\n\r\n{}",
        b"X: " + b"y" * 20_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"X: " + b"y" * 2_000_000,
    ],
)
def test_s42_one_request_is_told_from_another_in_one_way_only(
    server: Process, authority: Authority, head: bytes
) -> None:
    answer = raw(server.port, authority, HEAD + head)
    assert answer.startswith(b"HTTP/1.1 400 ") or answer == b""
    assert answer.count(b"HTTP/1.1") <= 1
    assert b"allowed" not in answer


@pytest.mark.parametrize(
    "data",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 100,
        b"SSH-2.0-x\r\n",
        b"GET /validate\r\n\r\n",
        b"POST /validate?timeout=\xff HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(server: Process, authority: Authority, data: bytes) -> None:
    answer = raw(server.port, authority, data)
    assert server.log("library") == []
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ", b"HTTP/1.1 405 ")) or answer == b""


def test_requests_without_length_are_refused(server: Process, authority: Authority) -> None:
    assert raw(server.port, authority, HEAD + b"\r\n").startswith(b"HTTP/1.1 411 ")


def test_s42_a_request_that_does_not_wait_for_the_answer_before_ends_the_connection(
    server: Process, authority: Authority
) -> None:
    one = HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(review("sleep-1-allow")), review("sleep-1-allow"))
    began = time.monotonic()
    answer = raw(server.port, authority, one * 500)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b'"allowed":true' not in answer
    assert time.monotonic() - began < 3


def test_the_metrics_and_the_log_tell_what_happened(server: Process, client: Client) -> None:
    before = server.metric('gate_webhook_reviews_total{cause="refused"}')
    seen = len(server.log("review"))
    for number in range(3):
        client.judged(review("deny", f"told-{number}"))
    assert server.metric('gate_webhook_reviews_total{cause="refused"}') == before + 3
    lines = wait_for(lambda: server.log("review")[seen:][2:] and server.log("review")[seen:])
    line = next(line for line in lines if line["uid"] == "told-1")
    assert (line["allowed"], line["cause"], line["verdict"]) == (False, "refused", "deny")
    assert line["controls"] == ["artifact.signed"]
    assert line["decision"] == "01TEST"
    wait_for(lambda: server.metric("gate_judge_calls") >= 3)
    assert server.metric("gate_webhook_ready") == 1


def test_s34_what_is_logged_is_safe(server: Process, client: Client) -> None:
    client.judged(review("\x1b[31m\nred", "with\u202eline\nend"))
    line = wait_for(lambda: [line for line in server.log("review") if line["uid"].startswith("with")])[0]
    assert line["uid"] == "with\\u202eline\\x0aend"
    assert "\x1b" not in "".join(server.text)


def test_s42_a_thousand_names_add_no_series(server: Process, client: Client) -> None:
    def series() -> set[str]:
        time.sleep(1.05)
        text = server.get("/metrics")[1]
        return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}

    client.judged(review("deny"))
    before = series()
    for number in range(1_000):
        client.judged(review(f"image-{number}", f"uid-{number}", image=f"registry.example/{number}"))
    assert series() == before


def test_health_is_told_without_tls_and_nothing_else(server: Process, authority: Authority) -> None:
    assert server.get("/livez") == (200, "ok\n")
    assert server.get("/readyz") == (200, "ok\n")
    assert server.get("/validate")[0] == 404
    with pytest.raises((ssl.SSLError, ConnectionError)), Client(server.health_port, authority) as client:
        client.call("GET", "/livez")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1.1" not in plain.recv(1000)


def test_tls_is_new_enough_and_http_1_only(server: Process, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.path))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        assert tls.selected_alpn_protocol() == "http/1.1"
        assert tls.version() == "TLSv1.3"
    with Client(server.port, authority, maximum_version=ssl.TLSVersion.TLSv1_2) as client:
        assert client.judged(review("allow"))["allowed"]


# --- with a server of their own --------------------------------------------------------------------------------------


def test_s42_what_finds_no_place_is_refused_at_once_and_the_server_recovers(
    tmp_path: Path, authority: Authority
) -> None:
    limits = {"concurrent": 2, "queue": 2, "deadline_s": 10.0}
    answers: list[tuple[float, dict[str, Any]]] = []

    def ask(number: int, process: Process) -> None:
        with Client(process.port, authority) as client:
            client.connection.connect()
            began = time.monotonic()
            answer = client.judged(review("sleep-1.5-allow", f"uid-{number}"))
            answers.append((time.monotonic() - began, answer))
            assert answer["uid"] == f"uid-{number}"

    with judging(tmp_path, authority.server("busy"), limits) as process:
        process.started()
        threads = [threading.Thread(target=ask, args=(number, process)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yes = [answer for _, answer in answers if answer["allowed"]]
        refused = [(seconds, answer) for seconds, answer in answers if not answer["allowed"]]
        assert len(yes) == 4
        assert len(refused) == 36
        assert all(answer["status"]["code"] == 429 for _, answer in refused)
        assert all(seconds < 1.4 for seconds, _ in refused)
        assert process.metric('gate_webhook_reviews_total{cause="overloaded"}') == 36
        with Client(process.port, authority) as client:
            assert client.judged(review("allow"))["allowed"]


def test_s42_threads_that_hang_are_told_and_the_answers_stay_refusals(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("hangs"), {"concurrent": 1, "queue": 0, "deadline_s": 0.2}) as process:
        process.started()
        with Client(process.port, authority) as client:
            assert client.judged(review("sleep-2-allow"))["status"]["code"] == 504
            assert client.judged(review("allow"))["status"]["code"] == 429
            wait_for(lambda: client.judged(review("allow"))["allowed"])
        assert process.metric("gate_webhook_late_total") == 1


def test_s42_whoever_sends_slowly_is_cut_off_and_others_are_served(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("slow"), {"connections": 8, "deadline_s": 1.0}) as process:
        process.started()
        held = []
        context = ssl.create_default_context(cafile=str(authority.path))
        for number in range(40):
            plain = socket.create_connection(("127.0.0.1", process.port), timeout=10)
            if number % 2:  # half of them do not even shake hands
                plain = context.wrap_socket(plain, server_hostname="127.0.0.1")
                plain.sendall(HEAD[: 1 + number])
            held.append(plain)
        with Client(process.port, authority) as client:
            began = time.monotonic()
            assert client.judged(review("allow"))["allowed"]
            assert time.monotonic() - began < 2
        time.sleep(1.05)
        assert process.metric("gate_webhook_connections") <= 8
        for plain in held:
            plain.close()
        wait_for(lambda: process.metric("gate_webhook_connections") == 0)


def test_s42_a_body_that_does_not_arrive_is_not_waited_for(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("slow"), {"deadline_s": 0.5}) as process:
        process.started()
        began = time.monotonic()
        answer = raw(process.port, authority, HEAD + b"Content-Length: 100\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 2
        with Client(process.port, authority) as client:
            assert client.judged(review("allow"))["allowed"]


def test_a_head_that_does_not_end_is_not_waited_for(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("slow")) as process:
        process.started()
        began = time.monotonic()
        assert raw(process.port, authority, HEAD) == b""
        assert time.monotonic() - began < 9
        with Client(process.port, authority) as client:
            client.judged(review("allow"))
            began = time.monotonic()
            client.connection.sock.sendall(b"\r\n")
            assert client.connection.sock.recv(10) == b""
            assert 3 < time.monotonic() - began < 9


def test_a_new_certificate_is_used_and_old_connections_go_on(tmp_path: Path, authority: Authority) -> None:
    pair = authority.server("rotated")
    with judging(tmp_path, pair) as process, Client(process.started().port, authority) as old:
        old.judged(review("allow"))
        before = old.serial
        authority.server("rotated")
        wait_for(lambda: process.log("reloaded"))
        with Client(process.port, authority) as new:
            assert new.judged(review("allow"))["allowed"]
            assert new.serial != before
        assert old.judged(review("allow"))["allowed"]
        assert old.serial == before
        # Half of a pair: the one before stays, and that is told.
        whole = authority.server("other").certificate.read_bytes()
        pair.certificate.write_bytes(whole[: len(whole) // 2])
        line = wait_for(lambda: process.log("not reloaded"))[0]
        assert "no whole PEM file" in line["message"]
        assert process.metric('gate_webhook_reload_refused{what="certificate"}') == 1
        with Client(process.port, authority) as still:
            assert still.judged(review("allow"))["allowed"]
        pair.certificate.write_bytes(whole)
        wait_for(lambda: len(process.log("not reloaded")) == 2)
        assert "values mismatch" in process.log("not reloaded")[1]["message"]
        authority.server("rotated")
        wait_for(lambda: len(process.log("reloaded")) == 2)
        assert process.metric('gate_webhook_reload_refused{what="certificate"}') == 0
        assert process.get("/readyz")[0] == 200


def test_only_clients_of_the_authority_are_heard(tmp_path: Path, authority: Authority) -> None:
    clients, others = Authority(tmp_path / "clients", "clients"), Authority(tmp_path / "others", "others")
    good, bad = clients.client("api-server"), others.client("mallory")
    ended = clients.client("ended", hours=-0.5)
    with judging(tmp_path, authority.server("mutual"), client_ca=str(clients.path)) as process:
        process.started()
        with Client(process.port, authority, good) as client:
            assert client.judged(review("allow"))["allowed"]
        for pair in (None, bad, ended, authority.client("of-the-servers-authority")):
            with Client(process.port, authority, pair) as client, pytest.raises((ssl.SSLError, ConnectionError)):
                client.judged(review("allow"))
        # A session that goes on would not be verified again.
        clients.path.write_bytes(others.pem)
        wait_for(lambda: process.log("reloaded"))
        with Client(process.port, authority, bad) as client:
            assert client.judged(review("allow"))["allowed"]
        with Client(process.port, authority, good) as client, pytest.raises((ssl.SSLError, ConnectionError)):
            client.judged(review("allow"))


def test_configuration_is_looked_at_and_what_is_wrong_is_said_once(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("reload")) as process:
        process.started()
        (tmp_path / "reload").touch()
        wait_for(lambda: process.log("reloaded"))
        (tmp_path / "broken").write_text("policy: a\nsecond line")
        wait_for(lambda: process.log("not reloaded"))
        assert process.metric('gate_webhook_reload_refused{what="configuration"}') == 1
        time.sleep(0.5)
        assert len(process.log("not reloaded")) == 1
        assert "policy: a\\x0asecond line" in process.log("not reloaded")[0]["message"]
        (tmp_path / "broken").unlink()
        (tmp_path / "explodes").touch()
        wait_for(lambda: len(process.log("not reloaded")) == 2)
        assert "ValueError" in process.log("not reloaded")[1]["message"]
        (tmp_path / "explodes").unlink()
        wait_for(lambda: process.metric('gate_webhook_reload_refused{what="configuration"}') == 0)


def test_a_certificate_that_ends_makes_it_not_ready(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("ends", hours=5 / 3600)) as process:
        process.started()
        wait_for(lambda: process.get("/readyz") == (503, "the certificate has ended\n"))
        authority.server("ends")
        wait_for(lambda: process.get("/readyz")[0] == 200)


def test_s42_whoever_sends_half_a_body_makes_room_for_others(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("half"), {"connections": 8, "deadline_s": 20.0}) as process:
        process.started()
        context = ssl.create_default_context(cafile=str(authority.path))
        held = []
        for _ in range(20):
            plain = socket.create_connection(("127.0.0.1", process.port), timeout=10)
            held.append(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            held[-1].sendall(HEAD + b"Content-Length: 3000000\r\n\r\n{")
        with Client(process.port, authority) as client:
            began = time.monotonic()
            assert client.judged(review("allow"))["allowed"]
            assert time.monotonic() - began < 2
        for one in held:
            one.close()


def test_what_is_wrong_and_refuses_nothing_is_told(tmp_path: Path, authority: Authority) -> None:
    with judging(tmp_path, authority.server("attention")) as process:
        process.started()
        wait_for(lambda: process.log("ready"))
        assert (process.metric("gate_webhook_attention"), process.log("attention")) == (0.0, [])
        (tmp_path / "attention").write_text("no checkpoint could be made: the key is not there")
        wait_for(lambda: process.metric("gate_webhook_attention") == 1.0)
        (told,) = process.log("attention")
        assert told["level"] == "warning"
        assert told["notes"] == ["no checkpoint could be made: the key is not there"]
        assert process.get("/readyz") == (200, "ok\n")
        (tmp_path / "attention").unlink()
        wait_for(lambda: process.metric("gate_webhook_attention") == 0.0)
        wait_for(lambda: [line["notes"] for line in process.log("attention")][1:] == [[]])


def test_what_is_not_ready_says_so(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "not-ready").write_text("the log cannot be written")
    with judging(tmp_path, authority.server("ready")) as process:
        process.started()
        wait_for(lambda: process.log("not ready"))
        assert process.get("/readyz") == (503, "the log cannot be written\n")
        assert process.get("/livez")[0] == 200
        (tmp_path / "not-ready").unlink()
        wait_for(lambda: process.get("/readyz")[0] == 200)
        wait_for(lambda: process.log("ready"))
