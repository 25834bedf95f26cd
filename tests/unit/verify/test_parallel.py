"""Many items judged by several processes: what one process finds, whatever becomes of the others."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from gate.errors import ConfigError
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence, VerifiedSet
from gate.verify import parallel
from gate.verify.alone import Refused, Signed, judge
from gate.verify.answers import NonsenseError, read_answer, write_answer
from gate.verify.parallel import Bench
from gate.verify.pipeline import admit_evidence
from tests.support.evidence import LIMIT, bundle, digest_of, envelope, make_key, model_signature, statement, trust
from tests.support.evidence import no_other_digest as no_digest

STRANGER = make_key("stranger")
CHANGED = {f"app/{number}.txt": digest_of(f"{number}") for number in range(8)}


def mixed(count: int) -> list[Evidence]:
    """Good, foreign, broken, doubled, superseded and chained evidence, of which no two items are equal but twins."""
    found = []
    for number in range(count):
        subjects = {f"app/{number}.txt": digest_of(f"{number}")}
        prompt = statement("prompt", subjects)
        found += [
            Evidence(f"{number}/prompt", bundle(prompt)),
            Evidence(f"{number}/eval", envelope(statement("eval", subjects, depends_on=[sha256_digest(prompt)]))),
            Evidence(f"{number}/dangling", envelope(statement("eval", subjects, depends_on=[digest_of("gone")]))),
            Evidence(f"{number}/stranger", bundle(statement("corpus", subjects), STRANGER)),
            Evidence(f"{number}/old", bundle(statement("slo", {f"app/{number}.txt": digest_of("other bytes")}))),
            Evidence(f"{number}/model", bundle(model_signature({f"{number}.bin": digest_of("weights")}))),
            Evidence(f"{number}/garbage", b"garbage %d" % number),
            Evidence(f"{number}/legacy", bundle(statement("route", subjects)), is_legacy=True),
        ]
        if number % 3 == 0:
            found.append(replace(found[-8], origin=f"{number}/twin"))
    return found


ITEMS = mixed(16)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few items are many, and nothing that was started is left."""
    monkeypatch.setattr(parallel, "_WORTH", 2)
    monkeypatch.setattr(parallel, "_BATCH", 4)
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # whoever runs the tests may have threads
    yield
    assert multiprocessing.active_children() == []


def result(jobs: int, items: list[Evidence] = ITEMS, told: list[int] | None = None) -> VerifiedSet:
    tell: Callable[[int], object] = (lambda _: None) if told is None else told.append
    admission = admit_evidence(items, trust(), limit=LIMIT, jobs=jobs, tell=tell)
    return admission.settle({}, CHANGED, no_digest)


SERIAL = result(1)


@pytest.mark.parametrize("jobs", [1, 2, 3, 5, 256])
def test_the_number_of_processes_and_the_order_change_nothing(jobs: int) -> None:
    told: list[int] = []
    assert {item.code for item in SERIAL.rejected} >= {"chain.dangling", "signature.untrusted", "envelope.json"}
    assert len(SERIAL.verified) > 30
    assert result(jobs, ITEMS[::-1], told) == SERIAL
    assert sum(told) == len(ITEMS)


def slow(seconds: float) -> Callable[..., Signed | Refused]:
    """Judging as it is, but so slow in this process that the workers do something."""
    here = os.getpid()

    def judged(*args: object) -> Signed | Refused:
        if os.getpid() == here:
            time.sleep(seconds)
        return judge(*args)  # type: ignore[arg-type]

    return judged


def test_workers_do_some_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[int] = []
    monkeypatch.setattr(parallel, "judge", slow(0.01))
    original = parallel._Worker.end

    def end(worker: parallel._Worker) -> None:
        known.append(len(worker.found))
        original(worker)

    monkeypatch.setattr(parallel._Worker, "end", end)
    assert result(3) == SERIAL
    assert len(known) == 2
    assert all(known)


def in_a_worker(act: Callable[[], object]) -> Callable[..., Signed | Refused]:
    """Judging as it is, but that a worker does something else after its first batch."""
    here = os.getpid()
    seen: list[int] = []

    def judged(*args: object) -> Signed | Refused:
        if os.getpid() != here:
            seen.append(0)
            if len(seen) > 6:
                act()
        else:
            time.sleep(0.002)
        return judge(*args)  # type: ignore[arg-type]

    return judged


def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stops() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def raises() -> None:
    raise ConfigError("only in a worker")


@pytest.mark.parametrize("act", [dies, stops, raises, partial(time.sleep, 600), partial(os._exit, 0)])
def test_a_worker_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    monkeypatch.setattr(parallel, "judge", in_a_worker(act))
    told: list[int] = []
    assert result(3, told=told) == SERIAL
    assert sum(told) == len(ITEMS)


def test_a_worker_that_fails_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_work", lambda *_: os._exit(1))
    assert result(2) == SERIAL


GOOD = judge(ITEMS[0], sha256_digest(ITEMS[0].data), trust(), LIMIT)
LINE = write_answer(GOOD)


def lying(said: bytes) -> Callable[..., None]:
    def work(_bench: Bench, _share: range, answers: socket.socket, _: object) -> None:
        answers.sendall(said * 1000)

    return work


@pytest.mark.parametrize(
    "said", [b"", b"\n", b"[]\n", b"null", b"nonsense\n", b"\xff\n", LINE, b"[" * 5000 + b"\n", b'["signed"]\n']
)
def test_a_worker_that_answers_nonsense_changes_nothing(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(parallel, "judge", slow(0.002))
    monkeypatch.setattr(parallel, "_work", lying(said))
    told: list[int] = []
    assert result(2, told=told) == SERIAL
    assert sum(told) == len(ITEMS)


def test_a_worker_that_lies_at_the_end_is_not_believed_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(bench: Bench, share: range, answers: socket.socket, _: object) -> None:
        answers.sendall(b"".join(write_answer(bench.judge(number)) for number in share) + LINE)

    monkeypatch.setattr(parallel, "judge", slow(0.002))
    monkeypatch.setattr(parallel, "_work", work)
    told: list[int] = []
    assert result(2, told=told) == SERIAL
    assert sum(told) == len(ITEMS)


def test_what_no_process_can_judge_is_an_error_the_first_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in one process, where a library is missing that an item needs."""

    def judged(item: Evidence, evidence: Digest, *more: object) -> Signed | Refused:
        if item.origin.endswith("/stranger"):
            raise ConfigError(evidence)
        return judge(item, evidence, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(parallel, "judge", judged)
    found = []
    for jobs in (1, 2, 3):
        with pytest.raises(ConfigError) as caught:
            result(jobs)
        found.append(str(caught.value))
    assert len(set(found)) == 1


def test_control_c_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def judged(*_: object) -> Signed | Refused:
        if os.getpid() == here:
            signal.raise_signal(signal.SIGINT)
        time.sleep(600)
        return GOOD

    monkeypatch.setattr(parallel, "judge", judged)
    with pytest.raises(KeyboardInterrupt):
        result(3)


def test_control_c_while_workers_are_started_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    original = parallel._start

    def start(bench: Bench, share: range, others: list[parallel._Worker]) -> parallel._Worker:
        signal.raise_signal(signal.SIGINT)
        return original(bench, share, others)

    monkeypatch.setattr(parallel, "_start", start)
    with pytest.raises(KeyboardInterrupt):
        result(3)


def test_where_no_process_can_be_started_one_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", refused)
    assert result(3) == SERIAL


@pytest.mark.parametrize(("jobs", "threads", "worth"), [(1, 1, 2), (2, 2, 2), (2, 1, 1000)])
def test_no_process_is_started_without_need_or_beside_threads(
    monkeypatch: pytest.MonkeyPatch, jobs: int, threads: int, worth: int
) -> None:
    monkeypatch.setattr(parallel, "_start", lambda *_: pytest.fail("a process is started"))
    monkeypatch.setattr(parallel, "_WORTH", worth)
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    assert result(jobs) == SERIAL


def test_a_worker_lives_as_long_as_somebody_listens() -> None:
    bench = Bench([(sha256_digest(item.data), item) for item in ITEMS], trust(), LIMIT)
    ours, theirs = socket.socketpair()
    other, another = socket.socketpair()
    with ours, theirs, another:
        share = range(1, len(ITEMS), 2)
        parallel._work(bench, share, theirs, [other])
        assert another.recv(1) == b""
        theirs.shutdown(socket.SHUT_WR)
        lines = b"".join(iter(partial(ours.recv, 1 << 16), b"")).splitlines()
        for number, line in zip(share, lines, strict=True):
            evidence, item = bench.items[number]
            assert read_answer(line, item, evidence, bench.trust) == bench.judge(number)
        ours.close()
        parallel._work(bench, share, theirs, [])


def test_an_answer_is_about_its_item_alone() -> None:
    store = trust()
    for number, item in enumerate(ITEMS):
        evidence = sha256_digest(item.data)
        outcome = judge(item, evidence, store, LIMIT)
        line = write_answer(outcome)
        assert read_answer(line, item, evidence, store) == outcome
        with pytest.raises(NonsenseError):
            read_answer(line, ITEMS[number - 1], sha256_digest(ITEMS[number - 1].data + b" "), store)


@pytest.mark.parametrize("item", [ITEMS[0], ITEMS[3], ITEMS[6]], ids=["signed", "refused", "unreadable"])
def test_an_answer_that_is_not_whole_is_nonsense(item: Evidence) -> None:
    store, evidence = trust(), sha256_digest(item.data)
    value = json.loads(write_answer(judge(item, evidence, store, LIMIT)))
    wrong = [["maybe", *value[1:]], [*value, 1], value[:-1], {"word": value[0]}]
    for place in (2, 3):
        short = [*value]
        short[place] = value[place][:-1]
        wrong.append(short)
        for index, member in enumerate(value[place]):
            retyped = [*value]
            retyped[place] = [*value[place]]
            retyped[place][index] = 7.5 if not isinstance(member, float) else "text"
            wrong.append(retyped)
    for found in wrong:
        with pytest.raises(NonsenseError):
            read_answer(json.dumps(found).encode(), item, evidence, store)


@pytest.mark.parametrize("names", [[], ["nobody"], [7]])
def test_an_answer_names_configured_signers_only(names: list[object]) -> None:
    value = json.loads(LINE)
    value[2][1] = names
    with pytest.raises(NonsenseError):
        read_answer(json.dumps(value).encode(), ITEMS[0], sha256_digest(ITEMS[0].data), trust())
