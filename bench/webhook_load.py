"""Asks a webhook at a steady rate and checks every answer, in a process of its own: `python -m bench.webhook_load`.

The plan is one JSON document on standard input, what was found one on standard output. A request is due at its time
whether the ones before it are answered or not, and its time is counted from then on: a server that is late does not get
fewer requests. Connections stay open and there are at most as many as the plan says.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_UID: Final = "uid-of-the-request"
_TIMEOUT_S: Final = 30.0


@dataclass
class Found:
    """What became of the requests: milliseconds from when they were due and from when they were sent."""

    due_ms: list[float] = field(default_factory=list)
    sent_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    by_second: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As the document on standard output."""
        return {
            "due_ms": [round(value, 2) for value in self.due_ms],
            "sent_ms": [round(value, 2) for value in self.sent_ms],
            "refused_ms": [round(value, 2) for value in self.refused_ms],
            "by_second": dict(self.by_second),
            "causes": dict(self.causes),
            "wrong": self.wrong[:20],
            "wrong_count": len(self.wrong),
        }


class Load:
    """One run of a plan."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._plan, self.found = plan, Found()
        self._tls = None if plan["ca"] is None else ssl.create_default_context(cafile=plan["ca"])
        self._queue: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
        self._began = 0.0

    async def run(self) -> None:
        """Sends everything and waits for all answers."""
        connections = self._plan["connections"]
        opened = [await self._open() for _ in range(min(connections, self._plan["count"]))]
        workers = [asyncio.create_task(self._work(*pair)) for pair in opened]
        self._began = time.perf_counter()
        for number in range(self._plan["count"]):
            due = self._began + (number / self._plan["rate"] if self._plan["rate"] else 0.0)
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self._queue.put_nowait((number, due))
        for _ in workers:
            self._queue.put_nowait(None)
        await asyncio.gather(*workers)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._plan["port"], ssl=self._tls)

    async def _work(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (item := await self._queue.get()) is not None:
            number, due = item
            sent = time.perf_counter()
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    status, closes, data = await self._ask(number, reader, writer)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
                self.found.wrong.append(f"{number}: no answer: {type(error).__name__} {error}")
                writer.close()
                reader, writer = await self._open()
                continue
            now = time.perf_counter()
            self._judge(number, status, data, ((now - due) * 1e3, (now - sent) * 1e3), int(due - self._began))
            if closes:
                writer.close()
                reader, writer = await self._open()
        writer.close()

    async def _ask(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[int, bool, bytes]:
        item = self._plan["items"][number % len(self._plan["items"])]
        body = item["body"].replace(_UID, f"uid-{number}").encode()
        head = f"POST {self._plan['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        lines = answer.decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        length = headers.get("content-length")
        data = await (_chunks(reader) if length is None else reader.readexactly(int(length)))
        return int(lines[0].split()[1]), headers.get("connection") == "close", data

    def _judge(self, number: int, status: int, data: bytes, times: tuple[float, float], second: int) -> None:
        """The oracle: the answer to this request and no other, or that there was no room or time to judge it."""
        item = self._plan["items"][number % len(self._plan["items"])]
        cause, problem = _webhook(number, status, data, item) if self._tls is not None else _opa(status, data, item)
        self.found.causes[cause] += 1
        if problem:
            self.found.wrong.append(f"{number}: {problem}: {data[:300]!r}")
        if cause == "overloaded":
            self.found.refused_ms.append(times[1])
        else:
            self.found.due_ms.append(times[0])
            self.found.sent_ms.append(times[1])
            self.found.by_second[str(second)] += 1


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A body whose length is told piece by piece, as OPA's."""
    found = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return found


def _webhook(number: int, status: int, data: bytes, item: Mapping[str, Any]) -> tuple[str, str]:
    try:
        document = json.loads(data)
        answer = document["response"]
        uid, allowed = answer["uid"], answer["allowed"]
    except (ValueError, KeyError, TypeError):
        return "none", f"status {status}, no review"
    if status != 200 or uid != f"uid-{number}":
        return "none", "not the answer to this request"
    message = "" if allowed is True else str(answer["status"]["message"])
    late = message.startswith("refused by gate, record: ") and " time" in message
    if allowed is not True and (late or answer["status"].get("code") in {429, 503, 504}):
        return "overloaded", ""
    expected = item["refused_by"]
    if expected is None:
        return "allowed", "" if allowed is True else "refused"
    return "refused", "" if allowed is False and expected in message else "let in, or refused for something else"


def _opa(status: int, data: bytes, item: Mapping[str, Any]) -> tuple[str, str]:
    try:
        controls = json.loads(data)["result"]["controls"]
    except (ValueError, KeyError, TypeError):
        return "none", f"status {status}, no report"
    failing = {name for name, one in controls.items() if one["status"] not in {"pass", "not_applicable"}}
    expected = set() if item["refused_by"] is None else {item["refused_by"]}
    return ("refused" if failing else "allowed"), "" if expected <= failing and bool(failing) == bool(expected) else "?"


def main() -> None:
    load = Load(json.load(sys.stdin))
    asyncio.run(load.run())
    json.dump(load.found.told(), sys.stdout)


if __name__ == "__main__":
    main()
