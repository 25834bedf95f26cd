"""Load at a stated rate, and an oracle that knows of each request which answers are right.

Requests begin when it is their turn, whether those before them are answered or not: a webhook that is slow gets as many
as one that is not. What is asked is let in or refused by what was attached to its image when the test began.
"""

from __future__ import annotations

import http.client
import itertools
import json
import math
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from tests.acceptance.world import inside
from tests.support.certificates import Authority
from tests.support.webhook import Client
from tests.support.webhook_site import Site

_BUSY: Final = os.getloadavg()[0] > (os.cpu_count() or 1) * 1.5
RATE: Final = float(os.environ.get("FAULTS_RATE") or (15 if _BUSY else 50))
"""Requests a second: 50, or fewer where the machine has other work to do."""
DEADLINE_S: Final = 3
RECOVERY_S: Final = 10.0
_MOST: Final = 256
_IN_A_ROW: Final = 8
SHED: Final = frozenset({"overloaded", "deadline"})
"""What a machine that is too slow for the load may always say. How often it did is told."""
_OWN: Final = {429: "overloaded", 504: "deadline", 503: "stopping", 500: "bug"}


@dataclass(frozen=True)
class Subject:
    """Something that is asked for, and whether it may be let in."""

    name: str
    is_good: bool
    images: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A request and its answer; `error` says why there is none."""

    subject: Subject
    uid: str
    began: float
    ended: float
    response: Mapping[str, Any] | None
    error: str = ""

    @property
    def allowed(self) -> bool:
        return self.response is not None and self.response["allowed"] is True

    @property
    def cause(self) -> str:
        """In one word, why: `none` without an answer."""
        if self.response is None:
            return "none"
        found = self.response.get("auditAnnotations", {}).get("cause")
        return str(found or _OWN.get(self.response["status"]["code"], "unknown"))


class Load:
    """Asks until it is left."""

    def __init__(self, port: int, authority: Authority, site: Site, subjects: Sequence[Subject], rate: float) -> None:
        self.port, self.rate = port, rate
        self.subjects = subjects
        self._authority, self._site = authority, site
        self.asked: list[Asked] = []
        self._unanswered: dict[str, float] = {}
        self._stop = threading.Event()
        self._local = threading.local()
        self._clients: list[Client] = []
        self._numbers = itertools.count()
        self._pool = ThreadPoolExecutor(_MOST)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        for client in self._clients:
            client.connection.close()

    def wait(self, seconds: float) -> None:
        """Lets it run for a while."""
        time.sleep(seconds)

    @staticmethod
    def now() -> float:
        """The time that requests are told by."""
        return time.monotonic()

    def warm(self) -> Self:
        """Waits until all is well: everything good is let in."""
        self.recovered(time.monotonic(), within=60.0)
        return self

    def recovered(self, since: float, within: float = RECOVERY_S + 5) -> float:
        """Waits until good images are let in again, so many in a row that nothing asked before is open.

        The seconds until the first of them was asked.
        """
        end = time.monotonic() + within
        while True:
            later = sorted((one for one in list(self.asked) if one.subject.is_good and one.began >= since), key=_began)
            row = list(itertools.takewhile(lambda one: one.allowed, reversed(later)))
            if len(row) >= _IN_A_ROW and not any(began <= row[0].began for began in list(self._unanswered.values())):
                return row[-1].began - since
            assert time.monotonic() < end, f"not let in again: {Counter(one.cause for one in later[-30:])}"
            time.sleep(0.05)

    def _run(self) -> None:
        began = time.monotonic()
        for turn in itertools.count():
            if self._stop.wait(max(0.0, began + turn / self.rate - time.monotonic())):
                return
            self._pool.submit(self.ask, self.subjects[turn % len(self.subjects)])

    def ask(self, subject: Subject) -> None:
        """One request, in this thread."""
        uid = f"uid-{next(self._numbers)}"
        body = self._site.review(*subject.images, uid=uid)
        began = time.monotonic()
        response, error = None, ""
        if subject.is_good:
            self._unanswered[uid] = began
        try:
            client = getattr(self._local, "client", None) or self.client()
            began = time.monotonic()
            response = client.judged(body)
        except (OSError, http.client.HTTPException, AssertionError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
            self._forget()
        self.asked.append(Asked(subject, uid, began, time.monotonic(), response, error))
        self._unanswered.pop(uid, None)

    def client(self) -> Client:
        """A connection of this thread's own."""
        client = self._local.client = Client(self.port, self._authority)
        self._clients.append(client)
        return client

    def _forget(self) -> None:
        client = getattr(self._local, "client", None)
        self._local.client = None
        if client is not None:
            client.connection.close()


def _began(one: Asked) -> float:
    return one.began


@dataclass
class Window:
    """The time of a fault, with the causes that fit it: from its beginning until good images are let in again."""

    name: str
    fits: Collection[str]
    began: float
    ended: float = math.inf
    over: float = math.inf
    more: dict[str, Any] = field(default_factory=dict)

    def has(self, one: Asked) -> bool:
        return one.ended >= self.began and one.began <= self.over


@dataclass
class Oracle:
    """What was asked, and the faults that there were."""

    site: Site
    asked: Sequence[Asked]
    windows: Sequence[Window] = ()
    answers: bool = True
    problems: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Raises `AssertionError` for a wrong answer; else what there was."""
        for one in self.asked:
            self._look(one)
        recorded = verdicts(self.site)
        for one in self.asked:
            self._look_up(one, recorded)
        assert not self.problems, f"{len(self.problems)} wrong: " + "\n".join(self.problems[:12])
        good = [one for one in self.asked if one.subject.is_good]
        slow = sorted(one.ended - one.began for one in self.asked if one.response is not None)
        return {
            "asked": len(self.asked),
            "per_s": round(len(self.asked) / max(1e-9, self.asked[-1].began - self.asked[0].began), 1),
            "good": len(good),
            "good_let_in": sum(one.allowed for one in good),
            "shed": sum(one.cause in SHED for one in self.asked if not any(each.has(one) for each in self.windows)),
            "median_ms": round(statistics.median(slow) * 1000),
            "p99_ms": round(slow[int(len(slow) * 0.99)] * 1000),
            "most_ms": round(slow[-1] * 1000),
            "recorded": len(recorded),
            "faults": {each.name: self._during(each, good) for each in self.windows},
        }

    def _during(self, window: Window, good: Sequence[Asked]) -> dict[str, Any]:
        causes = Counter(one.cause for one in good if window.has(one))
        return {"recovered_s": round(window.over - window.ended, 2), **causes, **window.more}

    def _look(self, one: Asked) -> None:
        response = one.response
        if response is None:
            if self.answers:
                self._wrong(one, f"no answer: {one.error}")
            return
        if response["uid"] != one.uid:
            self._wrong(one, f"the uid of another: {response['uid']}")
        if one.ended - one.began > DEADLINE_S + 1:
            self._wrong(one, f"it took {one.ended - one.began:.2f} s")
        if not one.allowed and not response["status"]["message"].startswith("refused by gate"):
            self._wrong(one, f"no reason: {response}")
        if one.allowed and not one.subject.is_good:
            self._wrong(one, "WRONG ALLOW")
        if not one.subject.is_good or one.allowed or one.cause in SHED:
            return
        if not any(window.has(one) and one.cause in window.fits for window in self.windows):
            self._wrong(one, f"refused, {one.cause}: {response['status']['message']}")

    def _look_up(self, one: Asked, recorded: Mapping[str, str]) -> None:
        """An answer that names a decision is in the log, and nothing is let in that names none."""
        if one.response is None:
            return
        decision = one.response.get("auditAnnotations", {}).get("decision")
        if decision is None and not one.allowed:
            return
        verdict = recorded.get(str(decision))
        if verdict is None:
            self._wrong(one, f"the decision {decision} is not in the log")
        elif (verdict == "allow") is not one.allowed:
            self._wrong(one, f"the log says {verdict}")

    def _wrong(self, one: Asked, what: str) -> None:
        ats = [f"{one.began - window.began:+.2f} s from {window.name}" for window in self.windows]
        self.problems.append(f"{one.subject.name} {one.uid}, {', '.join(ats)}: {what}")


def verdicts(site: Site) -> dict[str, str]:
    """The verdicts in the log by decision, after all of it was verified."""
    done = inside("log", "verify", "--root", str(site.root))
    assert done.code == 0, done.text
    found: dict[str, str] = {}
    for line in inside("log", "export", "--root", str(site.root)).out.splitlines():
        record = json.loads(line)
        if "decision" in record:
            assert record["decision"]["id"] not in found, "a decision was recorded twice"
            found[record["decision"]["id"]] = record["decision"]["verdict"]
    return found
