"""Files that are read by several processes: what one file does to its process decides about no other file."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from gate.collect import crew, crew_worker
from gate.collect.crew import CrewLimits, default_jobs, read_files
from gate.collect.crew_worker import Folder, Item, NonsenseError, Said, Task, confine, read_line, serve, write_line
from gate.collect.directory import Reading, collect_artifact
from gate.collect.files import entries, opened_root
from gate.collect.hashing import Hashed, Unread, nothing
from gate.errors import EvidenceError
from gate.model.artifact import ArtifactKind
from gate.model.digest import sha256_digest
from gate.model.scan import FileInspection
from gate.model.settings import ArtifactSettings, Limits
from tests.unit.collect.test_directory import make

FILES = {f"f{number:02}": bytes([number]) * (1 + number * 1000) for number in range(40)}
LIMITS = CrewLimits(jobs=2, seconds=30)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test leaves a process; whoever runs the tests may have threads."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    yield
    assert active_children() == []


def seen(path: str, file: BinaryIO, size: int) -> FileInspection:
    assert len(file.read()) == size
    return FileInspection(f"format of {path}", inspected=True)


def misbehaving(*names: str) -> Callable[[Callable[[], object]], Any]:
    """A visitor that does something else at files of these names."""

    def with_deed(deed: Callable[[], object]) -> Any:
        def visit(path: str, file: BinaryIO, size: int) -> FileInspection:
            if path in names:
                deed()
            return seen(path, file, size)

        return visit

    return with_deed


def task(root: Path, visit: Any, *, below: bytes = b"") -> Task:
    with opened_root(root) as folder:
        found = [entry for entry in entries(folder, 100) if entry.path.startswith(below)]
    return Task([Item(Folder(root, "m/"), entry) for entry in found], visit, nothing)


def run(root: Path, visit: Any, limits: CrewLimits = LIMITS) -> dict[str, Hashed | Unread]:
    work = task(root, visit)
    told: list[int] = []
    found = read_files(work, limits, told.append)
    assert len(found) == len(work.items)
    return {item.entry.path.decode(): one for item, one in zip(work.items, found, strict=True)}


def expect_all_but(found: dict[str, Hashed | Unread], lost: dict[str, str]) -> None:
    for name, data in FILES.items():
        one = found[name]
        assert isinstance(one, Hashed), (name, one)
        assert (one.digest, one.size) == (sha256_digest(data), len(data))
        assert one.inspection is not None
        if name in lost:
            assert not one.inspection.inspected
            assert lost[name] in (one.inspection.reason or "")
        else:
            assert one.inspection == FileInspection(f"format of {name}", inspected=True)


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_what_is_found_does_not_depend_on_the_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(crew, "_WORTH_FILES", 1)
    make(tmp_path, FILES)
    expect_all_but(run(tmp_path, seen, CrewLimits(jobs=jobs)), {})


def test_nothing_to_do() -> None:
    assert read_files(Task([], seen, nothing), LIMITS, lambda _: None) == []


def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leaves() -> None:
    os._exit(0)


def crashes() -> None:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)  # pytest would print where it was
    os.kill(os.getpid(), signal.SIGSEGV)


def is_wrong() -> None:
    raise AssertionError("never mind")


def takes_memory() -> None:
    assert bytearray(1 << 40)


@pytest.mark.parametrize("deed", [dies, leaves, crashes, is_wrong, takes_memory])
@pytest.mark.parametrize("names", [("f00",), ("f39", "f03"), tuple(FILES)])
def test_s32_a_file_that_ends_its_process_is_not_judged_and_the_others_are(
    tmp_path: Path, deed: Callable[[], object], names: tuple[str, ...]
) -> None:
    make(tmp_path, FILES)
    found = run(tmp_path, misbehaving(*names)(deed))
    expect_all_but(found, dict.fromkeys(names, "the process that read it ended"))


def test_s32_a_file_that_takes_for_ever_is_given_up(tmp_path: Path) -> None:
    make(tmp_path, FILES)
    began = time.monotonic()
    visit = misbehaving("f07", "f31")(lambda: time.sleep(3600))
    found = run(tmp_path, visit, CrewLimits(jobs=2, seconds=0.5, bytes_a_second=1 << 20))
    expect_all_but(found, dict.fromkeys(("f07", "f31"), "took longer than"))
    assert time.monotonic() - began < 60


def test_a_process_that_is_stopped_is_given_up(tmp_path: Path) -> None:
    make(tmp_path, FILES)
    visit = misbehaving("f07")(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    found = run(tmp_path, visit, CrewLimits(jobs=2, seconds=0.5, bytes_a_second=1 << 20))
    expect_all_but(found, {"f07": "took longer than"})


@pytest.mark.parametrize("text", [b"\n", b"[0,null,1]\n", b'[0,"x"', b"\xff\n", b"[" * 100_000 + b"\n", b"x" * 3000])
def test_s32_a_process_that_talks_nonsense_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    make(tmp_path, FILES)
    channels: list[socket.socket] = []
    plain = crew_worker.serve

    def kept(work: Task, channel: socket.socket, inherited: Any, memory: int) -> None:
        channels.append(channel)
        plain(work, channel, inherited, memory)

    def talks() -> None:
        channels[-1].sendall(text)
        if not text.endswith(b"\n"):
            leaves()

    monkeypatch.setattr(crew, "serve", kept)
    found = run(tmp_path, misbehaving("f11")(talks), CrewLimits(jobs=2, answer_bytes=2000))
    one = found["f11"]
    assert isinstance(one, Hashed)
    assert one.inspection is not None
    assert not one.inspection.inspected
    expect_all_but(found, {"f11": ""})


def test_a_file_that_can_neither_be_inspected_nor_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, FILES)
    plain = Task.read

    def read(self: Task, number: int, *arguments: Any, **more: Any) -> Hashed | Unread:
        if self.items[number].entry.path == b"f05":
            dies()
        return plain(self, number, *arguments, **more)

    monkeypatch.setattr(Task, "read", read)
    found = run(tmp_path, seen)
    one = found.pop("f05")
    assert isinstance(one, Unread)
    assert "nor read" in one.reason
    assert all(isinstance(other, Hashed) for other in found.values())


def test_a_file_that_is_not_there_any_more(tmp_path: Path) -> None:
    make(tmp_path, FILES)
    work = task(tmp_path, seen)
    (tmp_path / "f03").unlink()
    (tmp_path / "f04").write_bytes(b"other")
    (tmp_path / "f06").unlink()
    (tmp_path / "f06").symlink_to("f07")
    (tmp_path / "f08").unlink()
    os.mkfifo(tmp_path / "f08")
    found = read_files(work, LIMITS, lambda _: None)
    unread = {work.items[number].entry.path for number, one in enumerate(found) if isinstance(one, Unread)}
    assert unread == {b"f03", b"f04", b"f06", b"f08"}


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"1"})
    work = task(tmp_path / "m", seen)
    (tmp_path / "m").rename(tmp_path / "n")
    [found] = read_files(work, LIMITS, lambda _: None)
    assert isinstance(found, Unread)
    assert "cannot be opened" in found.reason


def test_an_open_folder_is_read_where_it_is(tmp_path: Path) -> None:
    make(tmp_path, {"m/a": b"1"})
    with opened_root(tmp_path / "m") as folder:
        work = Task([Item(Folder(folder), entry) for entry in entries(folder, 1)], seen, nothing)
        (tmp_path / "m").rename(tmp_path / "n")
        [found] = read_files(work, LIMITS, lambda _: None)
    assert isinstance(found, Hashed)


def test_beside_other_threads_nothing_is_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, FILES)
    monkeypatch.setattr(crew, "_start", None)
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    expect_all_but(run(tmp_path, seen), {})


def test_no_process_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, FILES)
    plain, allowed = crew._start, [0]

    def start(*arguments: Any) -> Any:
        allowed[0] -= 1
        if allowed[0] < 0:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return plain(*arguments)

    monkeypatch.setattr(crew, "_start", start)
    monkeypatch.setattr(crew, "_WORTH_FILES", 1)
    with pytest.raises(EvidenceError, match="no process can be started to read files: Resource"):
        run(tmp_path, seen)
    allowed[0] = 1
    monkeypatch.setattr(crew, "_start", lambda *a: start(*a) if allowed[0] == 1 else _refuse())
    expect_all_but(run(tmp_path, seen), {})


def _refuse() -> Any:
    raise BlockingIOError(11, "Resource temporarily unavailable")


def test_a_fork_that_fails_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, FILES)
    before = sockets()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", _refuse)
        with pytest.raises(EvidenceError, match="no process can be started"):
            run(tmp_path, seen)
    assert sockets() == before


def sockets() -> set[str]:
    found = set[str]()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(path.readlink()))
    return {target for target in found if target.startswith("socket:")}


def test_a_worker_whose_channel_is_gone_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, FILES)
    plain, made = crew._start, list[Any]()

    def start(*arguments: Any) -> Any:
        worker = plain(*arguments)
        made.append(worker)
        if len(made) == 1:
            worker.process.kill()
            worker.process.join()
        return worker

    monkeypatch.setattr(crew, "_start", start)
    found = run(tmp_path, seen)
    assert len(made) > 1
    assert all(isinstance(one, Hashed) for one in found.values())


def test_bytes_are_told_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_worker, "_TOLD_BYTES", 1 << 20)
    make(tmp_path, {"large": bytes(20 << 20)})
    told: list[int] = []
    read_files(task(tmp_path, lambda *_: None), LIMITS, told.append)
    assert sum(told) == 20 << 20
    assert len([count for count in told if count]) > 5


def test_the_default_is_bounded() -> None:
    assert 1 <= default_jobs() <= crew.DEFAULT_JOBS


def test_an_artifact_is_the_same_whoever_reads_it(tmp_path: Path) -> None:
    make(tmp_path, {f"m/{name}": data for name, data in FILES.items()})
    settings = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m", None, None)
    told: list[Any] = []
    for limits in (None, LIMITS):
        looks: dict[str, FileInspection] = {}
        reading = Reading(lambda path, _: ("blake2b",) if path == "f07" else (), crew=limits)
        told.append((collect_artifact(tmp_path, settings, Limits(), seen, looks, reading), looks, dict(reading.others)))
    assert told[0] == told[1]
    assert len(told[1][2]) == 1

    def writes(path: str, file: BinaryIO, size: int) -> FileInspection:
        (tmp_path / "m" / path).write_bytes(b"other")
        return seen(path, file, size)

    with pytest.raises(EvidenceError, match=r"'m/f[0-9]+' changed while it was read"):
        collect_artifact(tmp_path, settings, Limits(), writes, {}, Reading(crew=LIMITS))


def test_s32_a_file_of_an_artifact_that_ends_its_process_has_its_digest_and_is_not_inspected(tmp_path: Path) -> None:
    make(tmp_path, {f"m/{name}": data for name, data in FILES.items()})
    settings, looks = ArtifactSettings("model", ArtifactKind.WEIGHTS, "m", None, None), dict[str, FileInspection]()
    artifact = collect_artifact(
        tmp_path, settings, Limits(), misbehaving("f09")(dies), looks, Reading(lambda *_: ("blake2b",), crew=LIMITS)
    )
    assert {name: file.digest for name, file in artifact.files.items()} == {
        name: sha256_digest(data) for name, data in FILES.items()
    }
    assert [name for name, look in looks.items() if not look.inspected] == ["f09"]


# --- the worker, in this process --------------------------------------------------------------------------------------


def test_the_worker_answers_until_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"a": b"1", "b": b"22"})
    confined: list[int] = []
    monkeypatch.setattr(crew_worker, "confine", confined.append)
    monkeypatch.setattr(crew_worker, "silence", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    ours, theirs = socket.socketpair()
    other, closed = socket.socketpair()
    with ours, theirs, other:
        ours.sendall(b"1 inspect\n0 hash\n")
        ours.shutdown(socket.SHUT_WR)
        serve(task(tmp_path, seen), theirs, [closed], 77)
        lines = ours.recv(1 << 16).splitlines()
    assert (confined, closed.fileno()) == ([77], -1)
    first, second = read_line(lines[0], 2), read_line(lines[1], 1)
    assert first == Said(2, Hashed(sha256_digest(b"22"), 2, FileInspection("format of b", inspected=True)))
    assert second == Said(1, Hashed(sha256_digest(b"1"), 1, None))


def test_what_a_visitor_prints_is_part_of_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, FILES)

    def prints() -> None:
        os.write(1, b"clean")
        os.write(2, b"clean")
        assert os.read(0, 1) == b""

    expect_all_but(run(tmp_path, misbehaving("f01", "f20")(prints)), {})
    assert capfd.readouterr() == ("", "")


def test_standard_files_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    led: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "open", lambda *_: 77)
    monkeypatch.setattr(os, "dup2", lambda old, new: led.append((old, new)))
    crew_worker.silence()
    assert led == [(77, 0), (77, 1), (77, 2)]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("most", [resource.RLIM_INFINITY, 5])
def test_limits_are_only_lowered(monkeypatch: pytest.MonkeyPatch, platform: str, most: int) -> None:
    given: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (most, most))
    monkeypatch.setattr(resource, "setrlimit", given.__setitem__)
    confine(1 << 30)
    assert given[resource.RLIMIT_CORE] == (0, most)
    assert (resource.RLIMIT_AS in given) == (platform == "linux")
    if platform == "linux":
        soft, hard = given[resource.RLIMIT_AS]
        assert hard == most
        assert soft == 5 if most == 5 else soft > 1 << 30


DIGEST = sha256_digest(b"x")


@pytest.mark.parametrize("said", [
    Said(0, None),
    Said(5, Unread("no")),
    Said(1, Hashed(DIGEST, 3, None, {"blake2b": "00"})),
    Said(1, Hashed(DIGEST, 3, FileInspection("x", inspected=False, reason="y"))),
])  # fmt: skip
def test_lines_are_read_as_they_were_written(said: Said) -> None:
    assert read_line(write_line(said), 3) == said


@pytest.mark.parametrize("value", [
    None, 1, [], [1], [-1, None], ["1", None], [1, 2], [1, [DIGEST, 4, None, {}]], [1, ["sha256:x", 3, None, {}]],
    [1, [DIGEST, 3, None, {"a": 1}]], [1, [DIGEST, 3, [], {}]], [1, [DIGEST, 3, None]], [1, [DIGEST, 3, None, []]],
])  # fmt: skip
def test_other_lines_are_nonsense(value: object) -> None:
    with pytest.raises(NonsenseError):
        read_line(json.dumps(value).encode(), 3)
