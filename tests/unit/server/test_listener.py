"""The listener alone: what it does when there is no room, when taking fails, and at the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop

from gate.errors import ConfigError
from gate.server.certificates import Certificates
from gate.server.listener import Listener, bind
from gate.server.protocol import Bounds, Shared
from tests.support.certificates import Authority

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Case:
    """A listener whose application answers when `go_on` is set, and what it refused."""

    def __init__(self, bounds: Bounds, certificates: Certificates | None = None) -> None:
        self.refused = 0
        self.go_on = asyncio.Event()
        config = uvicorn.Config(
            self.application, interface="asgi3", lifespan="off", ws="none", log_config=None, proxy_headers=False
        )
        config.load()
        self.shared = Shared(config, bounds, self.refuse)
        context = (lambda: None) if certificates is None else (lambda: certificates.context)
        self.listener = Listener(bind("127.0.0.1", 0, "--port"), self.shared, context)

    def refuse(self) -> None:
        self.refused += 1

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        assert scope["path"] == "/"

    async def client(self, data: bytes = b"") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port)
        writer.write(data)
        self.writers = [*getattr(self, "writers", []), writer]
        return reader

    async def until(self, what: Callable[[], bool]) -> None:
        for _ in range(500):
            if what():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it does not happen")

    async def end(self) -> None:
        await self.listener.stop()
        await self.listener.abort()
        for writer in getattr(self, "writers", []):
            writer.close()


def run(go: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await go()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


def test_s42_when_all_are_at_work_a_new_one_is_not_taken() -> None:
    async def go() -> None:
        case = Case(Bounds(connections=2))
        case.listener.start()
        readers = [await case.client(HEAD) for _ in range(2)]
        await case.until(lambda: case.listener.in_flight == 2)
        assert await (await case.client(HEAD)).read() == b""
        assert (case.refused, case.listener.connections) == (1, 2)
        case.go_on.set()
        for reader in readers:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        # Now they are idle, and the next one takes the place of one of them.
        assert (await (await case.client(HEAD)).readline()).startswith(b"HTTP/1.1 200")
        assert case.listener.connections <= 2
        await case.end()

    run(go)


def test_s42_who_sends_a_byte_now_and_then_does_not_put_out_who_asks() -> None:
    async def go() -> None:
        case = Case(Bounds(connections=3))
        case.go_on.set()
        case.listener.start()
        slow = [await case.client(b"GET / HTTP/1.1\r\nX:"), await case.client(b"G")]
        await case.until(lambda: case.listener.connections == 2)
        asks = await case.client(HEAD)
        assert (await asks.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for writer in case.writers[:2]:
            writer.write(b"E")
            await writer.drain()
        await asyncio.sleep(0.05)
        assert (await (await case.client(HEAD)).readline()).startswith(b"HTTP/1.1 200")
        # Those who sent last made room, and whoever was answered is still there.
        ended = [reader for reader in slow if reader.at_eof() or not await _is_open(reader)]
        assert len(ended) == 1
        case.writers[2].write(HEAD)
        assert (await asks.readline()).startswith(b"HTTP/1.1 200")
        await case.end()

    run(go)


async def _is_open(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 0.2) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_taking_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        case = Case(Bounds())
        case.go_on.set()
        loop = asyncio.get_running_loop()
        take, failures = loop.sock_accept, [OSError(24, "Too many open files")] * 3

        async def failing(listening: socket.socket) -> Any:
            if failures:
                raise failures.pop()
            return await take(listening)

        class Loop:
            sock_accept = staticmethod(failing)

            def __getattr__(self, name: str) -> Any:
                return getattr(loop, name)

        with monkeypatch.context() as patch:
            patch.setattr("gate.server.listener.asyncio.get_running_loop", Loop)
            case.listener.start()
            await case.until(lambda: not failures)
        assert case.listener.is_taking
        assert (await (await case.client(HEAD)).readline()).startswith(b"HTTP/1.1 200")
        await case.end()
        assert not case.listener.is_taking

    run(go)


def test_what_does_not_shake_hands_is_ended_with_the_rest(tmp_path: Path) -> None:
    pair = Authority(tmp_path).server("server")

    async def go() -> None:
        case = Case(Bounds(), Certificates(pair.certificate, pair.key, None))
        case.listener.start()
        reader = await case.client()
        await case.until(lambda: case.listener.connections == 1)
        await case.end()
        assert await reader.read() == b""
        assert case.listener.connections == 0

    run(go)


def test_s42_a_handshake_has_so_much_time(tmp_path: Path) -> None:
    pair = Authority(tmp_path).server("server")

    async def go() -> None:
        case = Case(Bounds(handshake_s=0.1), Certificates(pair.certificate, pair.key, None))
        case.listener.start()
        assert await (await case.client(b"\x16\x03\x01")).read() == b""
        await case.until(lambda: case.refused == 1)
        assert (await (await case.client(b"GET / HTTP/1.1\r\n\r\n")).read()).find(b"HTTP/1.1 200") < 0
        await case.end()

    run(go)


def test_an_end_without_a_beginning_is_one() -> None:
    async def go() -> None:
        case = Case(Bounds())
        await case.end()

    run(go)


def test_a_connection_that_is_old_ends_with_its_answer() -> None:
    async def go() -> None:
        case = Case(Bounds(age_s=0.0))
        case.go_on.set()
        case.listener.start()
        answer = await (await case.client(HEAD)).read()
        assert b"connection: close" in answer
        await case.end()

    run(go)


@pytest.mark.parametrize("host", ["256.1.1.1", "a b.invalid", "\u00e9" * 80, "::zz"])
def test_a_host_that_is_none_is_an_error_that_names_the_option(host: str) -> None:
    with pytest.raises(ConfigError, match="--port: cannot listen"):
        bind(host, 0, "--port")
