"""Bits that flip in what is kept in memory, while it is used by many threads.

This is done within one process, for the product has no door for it: the registry is a real one, the evidence is signed,
and what is kept is what a webhook keeps. What was flipped is found and read again, and never believed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from gate.app.admission import Admitter
from gate.app.admission_held import Held
from gate.app.workspace import Request
from gate.formats.lru import Lru
from tests.faults.site import Told, configured, folder, subjects
from tests.support.registries import Registry
from tests.support.webhook_site import Site

ASKING = 4
FLIP_S = 6.0


class Flipper:
    """Flips a bit of some bytes in a value that is kept, whatever is around them."""

    def __init__(self, kept: Lru[Any]) -> None:
        self._kept, self._chance, self.flips = kept, random.Random(9), 0

    def flip(self) -> None:
        entries = list(self._kept._entries.items())
        if not entries:
            return
        _, entry = self._chance.choice(entries)
        entry.value = self._flipped(entry.value)
        self.flips += 1

    def _flipped(self, value: Any) -> Any:
        """The same with another bit: in the bytes of a field, of an item, or of a word."""
        if isinstance(value, bytes):
            data = bytearray(value)
            if data:
                data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
            return bytes(data)
        if isinstance(value, str):
            place = self._chance.randrange(len(value)) if value else 0
            return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :] if value else value
        if isinstance(value, tuple) and value:
            place = self._chance.randrange(len(value))
            return (*value[:place], self._flipped(value[place]), *value[place + 1 :])
        if isinstance(value, bool):
            return not value
        if isinstance(value, float):
            return value + self._chance.choice([-1.0, 1.0, 1e6])
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            name = self._chance.choice(dataclasses.fields(value)).name
            return dataclasses.replace(value, **{name: self._flipped(getattr(value, name))})
        return value


def test_bits_flip_in_what_is_kept(registry: Registry, tmp_path: Path, told: Told) -> None:
    site = Site(folder(tmp_path / "site"), registry)
    configured(site, listing="10m")
    asked = subjects(site, "flips")
    found: list[tuple[str, bool, bool, str]] = []
    over = threading.Event()
    request = Request(site.root, site.root, "gate.yaml", None, False, int(time.time()))
    with contextlib.closing(Held(request)) as held:
        admitter, state = Admitter(held), held.current()
        flippers = {
            "listings": Flipper(state.registries._listings),
            "contents": Flipper(state.registries._contents.kept),
            "signatures": Flipper(state.signatures._entries),
        }

        def ask(number: int) -> None:
            turn = number
            while not over.is_set():
                subject = asked[turn % len(asked)]
                body = site.review(*subject.images, uid=f"uid-{number}-{turn}")
                answer = admitter.answer(body, time.monotonic() + 10).answer
                found.append((subject.name, subject.is_good, answer.allowed, answer.cause.value))
                turn += 1

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(ASKING)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + FLIP_S
        while time.monotonic() < end:
            for flipper in flippers.values():
                flipper.flip()
            time.sleep(0.002)
        over.set()
        for thread in threads:
            thread.join()
        counts = state.registries.counts()["corrupted"], state.signatures.counts()["corrupted"]
    assert [one for one in found if one[2] and not one[1]] == []
    assert Counter(cause for _, is_good, _, cause in found if is_good).keys() == {"allowed"}
    assert min(counts) > 0
    flips = {name: flipper.flips for name, flipper in flippers.items()}
    told({"asked": len(found), "flips": flips, "found_in_registries": counts[0], "found_in_signatures": counts[1]})
