"""A registry that answers late, and images in it: what a webhook is measured with."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.judging import PACKAGES, signed, statements
from gate.model.digest import Digest
from tests.support.registries import Registry
from tools.scenario_evidence import BUNDLE, bundle, key

LATENCY_S: Final = 0.02
_ASKED: Final = re.compile(rb"(GET|HEAD) (\S+) HTTP/1")


class LateRegistry:
    """A real registry behind a proxy that holds back each piece of an answer. Use it as a context manager.

    `asked` counts the requests by path.
    """

    def __init__(self, folder: Path, latency_s: float = LATENCY_S) -> None:
        self.asked: Counter[str] = Counter()
        self._latency_s = latency_s
        self._behind = Registry(folder, "cue")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024), self._loop
        ).result()
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._behind.port)
        await asyncio.gather(self._pass(reader, back, 0.0), self._pass(there, writer, self._latency_s))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, latency_s: float) -> None:
        try:
            while data := await source.read(1 << 18):
                if latency_s:
                    await asyncio.sleep(latency_s)
                else:
                    self.asked.update(path.decode() for _, path in _ASKED.findall(data))
                target.write(data)
                await target.drain()
        except OSError:
            pass  # one of both went away
        finally:
            target.close()

    def put(self, number: int, *, leaving_out: str = "", packages: int = PACKAGES) -> str:
        """Stores an image with its attestations, all but one of them; the reference through the proxy.

        With `stranger` its signature is that of somebody whom nobody trusts.
        """
        digest: Digest = self._behind.put_image(f"v{number}", f"layer {number} {leaving_out}".encode())
        reference = f"{self.host}/team/app@{digest}"
        payloads = statements(reference, digest, packages, int(time.time()))
        for name, data in signed(payloads).items():
            forged = leaving_out == "stranger" and name == "signature"
            if name != leaving_out:
                content = bundle(payloads[name][1], key("stranger")) if forged else data
                self._behind.attach(digest, content, BUNDLE)
        return reference

    def put_many(self, first: int, count: int, packages: int = PACKAGES) -> list[str]:
        """Images that pass."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda number: self.put(number, packages=packages), range(first, first + count)))

    def listings(self, reference: str) -> int:
        """How often somebody asked what refers to an image."""
        digest = reference.partition("@")[2]
        return sum(count for path, count in self.asked.items() if "/referrers/" in path and digest in path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._behind.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
