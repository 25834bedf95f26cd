"""A policy in a worker process: the same answers as the embedded engine's, and exit 4 for whatever else it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate import isolated
from gate.evaluate.isolated import IsolatedEngine, IsolationLimits
from gate.evaluate.regorus import ENGINE_VERSION, RegorusEngine
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument

LIMITS = IsolationLimits(evaluation_s=20, loading_s=20)
SHORT = IsolationLimits(evaluation_s=0.25, loading_s=0.25)
MARGIN_S = 5.0
DOCUMENT = InputDocument({}, b'{"a":1}', sha256_digest(b'{"a":1}'))
PRELUDE = """
import hashlib, json, os, resource, signal, socket, sys, time

def say(value, kind="report", digest=None, size=None):
    body = json.dumps(value).encode()
    digest = digest or hashlib.sha256(data).hexdigest()
    sys.stdout.buffer.write(f"{kind} {digest} {len(body) if size is None else size}\\n".encode() + body)
    sys.stdout.flush()

"""
READ = PRELUDE + "data = sys.stdin.buffer.read()\n"


@dataclass(frozen=True)
class Modules:
    modules: Mapping[str, str]


def policy(main: str) -> Modules:
    return Modules({"gate/main/main.rego": f"package gate.main\n\n{main}\n"})


def answer(main: str, limits: IsolationLimits = LIMITS) -> bytes:
    return IsolatedEngine(policy(main), limits=limits).report(DOCUMENT)


Fake = Callable[..., bytes]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that were started; every one of them has to be gone at the end."""
    found: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen

    def start(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        found.append(original(*arguments, **options))  # type: ignore[call-overload]
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]) -> Fake:
    """Evaluates with a worker that runs some Python instead of the engine."""

    def report(code: str, limits: IsolationLimits = LIMITS, document: InputDocument = DOCUMENT) -> bytes:
        monkeypatch.setattr(isolated, "_OPTIONS", ("-I", "-S", "-B", "-c", code))
        try:
            return IsolatedEngine(policy("report := 1"), limits=limits).report(document)
        finally:
            (process,) = started
            assert process.returncode is not None
            assert process.stdin is not None
            assert process.stdin.closed
            assert process.stdout is not None
            assert process.stdout.closed

    return report


def test_it_is_the_embedded_engine() -> None:
    assert (IsolatedEngine.name, IsolatedEngine.version) == ("regorus", ENGINE_VERSION)


@pytest.mark.parametrize(
    "main",
    ["report := input", 'report := {"ä": {3, 1, 2}, "a": [15, null, "\\u2028"]}', 'report := "\\n"', "report := {}"],
)
def test_its_answers_are_byte_equal_to_those_of_the_embedded_engine(main: str) -> None:
    assert answer(main) == RegorusEngine(policy(main)).report(DOCUMENT)


@pytest.mark.parametrize(
    "main",
    [
        "report := ",
        "report := http.send({})",
        "report := report",
        "reports := 1",
        "report := time.now_ns()",
        "report := 1 if input.nowhere",
        "report := 1 / count([1 | input.nowhere])",
        "report := count([1 | some i in numbers.range(1, 5000); some j in numbers.range(1, 5000); i + j < 0])",
    ],
    ids=["syntax", "builtin", "recursion", "no report", "clock", "undefined", "failure", "too long"],
)
def test_its_errors_are_those_of_the_embedded_engine(main: str) -> None:
    with pytest.raises(PolicyError) as one:
        RegorusEngine(policy(main), time_limit_s=0.25).report(DOCUMENT)
    with pytest.raises(PolicyError) as other:
        answer(main, IsolationLimits(evaluation_s=0.25))
    assert (type(one.value), str(one.value), one.value.hint) == (type(other.value), str(other.value), other.value.hint)
    assert other.value.exit_code == 4


def test_one_engine_answers_for_each_document_anew(started: list[subprocess.Popen[bytes]]) -> None:
    engine = IsolatedEngine(policy("report := input.n"), limits=LIMITS)
    for number in range(3):
        text = json.dumps({"n": number})
        assert engine.report(InputDocument({}, text.encode(), sha256_digest(text.encode()))) == str(number).encode()
    assert len({process.pid for process in started}) == 3
    assert [process.returncode for process in started] == [0, 0, 0]


def test_a_document_larger_than_any_pipe_gets_through() -> None:
    text = json.dumps({"text": "x" * (4 << 20)})
    engine = IsolatedEngine(policy("report := input"), limits=LIMITS)
    report = engine.report(InputDocument({}, text.encode(), sha256_digest(text.encode())))
    assert json.loads(report) == json.loads(text)


def test_it_inherits_nothing(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    opened = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(opened, True)
    code = """
environment = {name: value for name, value in os.environ.items() if name != "LC_CTYPE"}
found = []
for number in range(256):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
say([environment, found, os.getcwd(), os.getsid(0) == os.getpid(), [p for p in sys.path if "site-packages" in p]])
"""
    try:
        found = json.loads(fake(READ + code))
    finally:
        os.close(opened)
    # Python itself sets LC_CTYPE where there is no locale.
    assert found == [{}, [0, 1, 2], "/", True, []]


def test_a_python_linked_to_libraries_elsewhere_still_starts(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    assert json.loads(fake(READ + "say(os.environ['LD_LIBRARY_PATH'])")) == "/nowhere"


CONFINED = (
    READ
    + """
sys.path.append(sys.argv[1])
from gate.evaluate.worker import confine
confine(1 << 28, 60)
"""
)
ATTEMPTS = {
    "open a file": "open('/etc/hostname')",
    "write a file": "open('/tmp/gate-worker-was-here', 'w')",
    "connect": "socket.socket()",
    "start a program": "os.pipe()",
    "have more memory": "bytearray(1 << 28)",
}


@pytest.mark.parametrize("what", ATTEMPTS)
def test_code_that_took_the_worker_over_cannot(fake: Fake, what: str) -> None:
    code = f"""
try:
    {ATTEMPTS[what]}
    say("done")
except (OSError, MemoryError, ValueError) as error:
    say("refused")
"""
    assert json.loads(fake(CONFINED + code)) == "refused"


def test_it_leaves_no_core_and_cannot_write_what_is_open(fake: Fake) -> None:
    code = "say([resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_FSIZE)])"
    assert json.loads(fake(CONFINED + code)) == [[0, 0], [0, 0]]


ENDINGS = {
    "exit": ("os._exit(3)", r"ended with exit code 3: it crashed, or needed more than 1024 MiB of memory"),
    "exception": ("raise MemoryError", "ended with exit code 1"),
    "abort": ("os.abort()", r"ended with signal 6 \(Aborted\)"),
    "segmentation fault": ("os.kill(os.getpid(), signal.SIGSEGV)", r"ended with signal 11 \(Segmentation fault\)"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", r"ended with signal 9 \(Killed\)"),
    "answers, then fails": ("say({})\nos._exit(1)", "ended with exit code 1"),
    "answers, then crashes": ("say({})\nos.abort()", "ended with signal 6"),
    "nothing": ("", "gave no answer"),
    "garbage": ("sys.stdout.write('<html>')", "gave another answer than a report"),
    "bytes": ("sys.stdout.buffer.write(bytes(range(256)))", "gave another answer than a report"),
    "report without a head": ("print('{}')", "gave another answer than a report"),
    "cut off": ("say({}, size=3)", "gave another answer than a report"),
    "too much": ("say({}, size=1)", "gave another answer than a report"),
    "unknown kind": ("say(['a', 'b'], 'allow')", "gave another answer than a report"),
    "error of other shape": ("say({}, 'error')", "gave another answer than a report"),
    "error of other types": ("say([1, 2], 'error')", "gave another answer than a report"),
    "error that is no JSON": (
        "sys.stdout.write('error ' + hashlib.sha256(data).hexdigest() + ' 1\\n{')",
        "gave another answer than a report",
    ),
    "another document": ("say({}, digest=hashlib.sha256(b'').hexdigest())", "answered for another document"),
    "only this document, not this policy": (
        "say({}, digest=hashlib.sha256(data.partition(b'\\n')[2]).hexdigest())",
        "answered for another document",
    ),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_a_worker_that_does_something_else_than_answer_is_exit_4(fake: Fake, how: str) -> None:
    code, said = ENDINGS[how]
    with pytest.raises(PolicyError, match=said) as caught:
        fake(READ + code)
    assert caught.value.exit_code == 4
    assert not isinstance(caught.value, PolicyTimeout)


def test_a_worker_that_ends_before_it_reads_is_exit_4(fake: Fake) -> None:
    text = json.dumps("x" * (4 << 20))
    with pytest.raises(PolicyError, match="ended with exit code 9"):
        fake("import os; os._exit(9)", document=InputDocument({}, text.encode(), sha256_digest(text.encode())))


def test_a_worker_that_reads_no_more_may_still_answer_wrongly(fake: Fake) -> None:
    text = json.dumps("x" * (4 << 20))
    with pytest.raises(PolicyError, match="answered for another document"):
        fake(
            PRELUDE + "data = b''\nos.close(0)\nsay({})\ntime.sleep(0.2)",
            document=InputDocument({}, text.encode(), sha256_digest(text.encode())),
        )


DELAYS = {
    "never reads": "time.sleep(600)",
    "reads and is silent": "sys.stdin.buffer.read()\ntime.sleep(600)",
    "loops": "while True: pass",
    "answers and stays": READ.removeprefix(PRELUDE) + "say({})\ntime.sleep(600)",
    "answers, closes and stays": READ.removeprefix(PRELUDE) + "say({})\nos.close(1)\ntime.sleep(600)",
    "answers slowly": "while True: os.write(1, b'x'); time.sleep(0.01)",
    "ignores signals": "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15, 24)]\ntime.sleep(600)",
    "is stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "has a child": "os.fork()\ntime.sleep(600)",
}


@pytest.mark.parametrize("how", DELAYS)
def test_a_worker_that_takes_too_long_is_killed_at_the_deadline(fake: Fake, how: str) -> None:
    text = json.dumps("x" * (4 << 20))
    began = time.monotonic()
    with pytest.raises(PolicyTimeout, match=r"process took longer than 0.5 seconds and was stopped") as caught:
        fake(PRELUDE + DELAYS[how], SHORT, InputDocument({}, text.encode(), sha256_digest(text.encode())))
    assert SHORT.deadline_s <= time.monotonic() - began < SHORT.deadline_s + MARGIN_S
    assert caught.value.exit_code == 4
    assert caught.value.hint


def test_children_of_a_worker_die_with_it(fake: Fake, started: list[subprocess.Popen[bytes]]) -> None:
    with pytest.raises(PolicyTimeout):
        fake("import os, time\nos.fork()\ntime.sleep(600)", SHORT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(started[0].pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    raise AssertionError("a process of the group lives")


def test_a_child_that_left_the_session_keeps_nobody_waiting(fake: Fake) -> None:
    code = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(3)"
    began = time.monotonic()
    with pytest.raises(PolicyTimeout):
        fake(code, SHORT)
    assert time.monotonic() - began < 3


def test_an_answer_may_have_its_size_and_no_more(fake: Fake) -> None:
    limits = IsolationLimits(evaluation_s=20, loading_s=20, answer_bytes=len(f"report {'0' * 64} 5\n") + 5)
    assert fake(READ + "say('abc')", limits) == b'"abc"'


@pytest.mark.parametrize(
    "code", ["say('abcd')", "while True: os.write(1, bytes(1 << 20))"], ids=["one byte", "endless"]
)
def test_an_answer_that_is_too_long_is_exit_4_at_once(fake: Fake, code: str) -> None:
    limits = IsolationLimits(evaluation_s=20, loading_s=20, answer_bytes=len(f"report {'0' * 64} 5\n") + 5)
    began = time.monotonic()
    with pytest.raises(PolicyError, match=r"answered with more than 79 bytes"):
        fake(READ + code, limits)
    assert time.monotonic() - began < LIMITS.deadline_s


def test_processor_time_has_a_limit_of_its_own(fake: Fake) -> None:
    code = CONFINED.replace("60", "1") + "while True: pass"
    with pytest.raises(PolicyTimeout, match="used more than 40 seconds of processor time and was stopped"):
        fake(code)


def test_a_worker_that_cannot_start_is_exit_4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "sys", SimpleNamespace(executable="/nowhere/python"))
    with pytest.raises(PolicyError, match="process cannot be started") as caught:
        answer("report := 1")
    assert caught.value.exit_code == 4


def test_a_worker_that_is_gone_when_it_is_killed_is_no_error(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    kill = os.killpg

    def late(group: int, number: int) -> None:
        kill(group, number)
        raise ProcessLookupError

    monkeypatch.setattr(os, "killpg", late)
    with pytest.raises(PolicyTimeout):
        fake("import time; time.sleep(600)", SHORT)


def test_an_interrupted_evaluation_leaves_no_worker(
    monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    def interrupted(*_arguments: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(isolated, "_converse", interrupted)
    with pytest.raises(KeyboardInterrupt):
        answer("report := 1")
    assert [process.returncode for process in started] == [-signal.SIGKILL]
