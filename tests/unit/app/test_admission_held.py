"""What a webhook judges with is taken whole or not at all, whatever is done to its files."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate import resources
from gate.app.admission_held import Held, Reloaded
from gate.app.engines import open_engine
from gate.app.wall_clock import WallClock
from gate.app.workspace import Request
from gate.errors import ClockError, ConfigError, PolicyError, RecordError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.opa_bundle import bundle_files
from gate.formats.canonical_json import dumps
from gate.model.record import Entry
from gate.model.settings import EngineSettings
from gate.record.sqlite import open_sqlite
from tests.support.evidence import make_key
from tests.support.records import entry, policy
from tests.unit.app.test_policy_bundle import POLICY, sealed

RELEASE, OTHER, POLICY_KEY = make_key("release", "p256"), make_key("other", "p256"), make_key("policy", "p256")
BASE = """\
version: 1
target: deployment
trust:
  signers:
    release: {key: keys/release.pub, claims: [artifact.signature]}
    policy: {key: keys/policy.pub, claims: [policy.bundle]}
admission: {registries: {registry.example: {}}}
"""
RECORD = "record: {sqlite: log.db}\n"
CONTROL = """\
# METADATA
# title: An own control
# description: It wants nothing.
# custom:
#   severity: low
#   claims: []
#   artifacts: [container]
#   targets: [deployment]
#   waivable: true
#   fix: Nothing.
#   frameworks: {}
package custom.own.thing

default status := "pass"

violations := set()

evidence := set()

reason := "it is so"
"""

PROFILE = '{"name": "p", "controls": {"custom.own.thing": {"mode": "enforce"}}}'
OWN = "profile: profile.json\npolicy: {directories: [rego]}\n"


class Place:
    """A folder with a configuration, and what is held of it. Time passes when it is said to."""

    def __init__(self, root: Path) -> None:
        self.root, self.now = root, 1000.0
        self.held_: Held | None = None
        self.engines: list[str] = []
        self.write("keys/release.pub", RELEASE.pem)
        self.write("keys/policy.pub", POLICY_KEY.pem)
        self.write("gate.yaml", BASE)

    def write(self, path: str, data: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data if isinstance(data, bytes) else data.encode())

    def engine(self, settings: EngineSettings, bundle: PolicyBundle) -> Any:
        self.engines.append(bundle.digest)
        return open_engine(settings, bundle)

    def open(self, root: Path | None = None, **more: Any) -> Held:
        request = Request(root or self.root, root or self.root, "gate.yaml", None, config_from_worktree=True, now_s=0)
        options = {"settle_s": 0, "steady": lambda: self.now, "engine": self.engine, **more}
        self.held_ = Held(request, **options)
        return self.held_

    def serial(self, serial: int) -> None:
        files = dict(bundle_files(POLICY, resources.authz_policy(), serial, "0.1.0"))
        archive, envelope = sealed(files, POLICY_KEY, predicate={"serial": serial})
        self.write("policy.tar.gz", archive)
        self.write("policy.tar.gz.sigstore.json", envelope)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    if found.held_ is not None:
        found.held_.close()


def test_what_did_not_change_is_kept(place: Place) -> None:
    held = place.open()
    state = held.current()
    assert held.reload() == Reloaded(changed=False, problem=None)
    assert held.current() is state
    place.write("gate.yaml", BASE)
    assert not held.reload().changed, "the same bytes again"
    place.write("gate.yaml", BASE + "environment: production\n")
    assert held.reload() == Reloaded(changed=True, problem=None)
    new = held.current()
    assert (new.settings.environment, state.settings.environment) == ("production", "default")
    assert (new.engine, new.registries) == (state.engine, state.registries), "what is not about that is kept"
    assert new.digest != state.digest
    assert len(place.engines) == 1
    assert held.counts()["reloads"] == 1
    assert new.at(77).now_s == new.at(77).trust.now_s == 77
    assert new.workspace.trust.cache is state.workspace.trust.cache is not None
    assert (new.bundle, new.profile, abs(new.now_s() - time.time()) < 5) == (
        new.workspace.bundle,
        new.workspace.profile,
        True,
    )


BROKEN: dict[str, tuple[Callable[[Place], object], ...]] = {
    "half a configuration": (lambda place: place.write("gate.yaml", BASE[: len(BASE) // 2]),),
    "no configuration": (lambda place: (place.root / "gate.yaml").unlink(),),
    "an empty configuration": (lambda place: place.write("gate.yaml", ""),),
    "a configuration that is a link": (
        lambda place: (place.root / "gate.yaml").rename(place.root / "real.yaml"),
        lambda place: (place.root / "gate.yaml").symlink_to("real.yaml"),
    ),
    "no admission": (lambda place: place.write("gate.yaml", BASE.replace("admission: ", "# ") + "gates: []\n"),),
    "an unknown word": (lambda place: place.write("gate.yaml", BASE + "polcy: {}\n"),),
    "a key that is gone": (lambda place: (place.root / "keys/release.pub").unlink(),),
    "a key that is none": (lambda place: place.write("keys/release.pub", RELEASE.pem[:60]),),
    "half a bundle": (
        lambda place: place.serial(3),
        lambda place: place.write("policy.tar.gz", (place.root / "policy.tar.gz").read_bytes()[:-100]),
        lambda place: place.write("gate.yaml", BASE + "policy: {bundle: policy.tar.gz, serial: 1}\n"),
    ),
    "a bundle that nobody signed": (
        lambda place: place.serial(3),
        lambda place: (place.root / "policy.tar.gz.sigstore.json").unlink(),
        lambda place: place.write("gate.yaml", BASE + "policy: {bundle: policy.tar.gz, serial: 1}\n"),
    ),
    "Rego that is none": (
        lambda place: place.write("rego/custom/own/thing/thing.rego", CONTROL + "x := \n"),
        lambda place: place.write("gate.yaml", BASE + "policy: {directories: [rego]}\n"),
    ),
    "a profile that lets everything in": (
        lambda place: place.write("rego/custom/own/thing/thing.rego", CONTROL),
        lambda place: place.write("profile.json", PROFILE),
        lambda place: place.write("gate.yaml", BASE + OWN),
    ),
    "a log that cannot be written": (
        lambda place: (place.root / "log.db").mkdir(),
        lambda place: place.write("gate.yaml", BASE + RECORD),
    ),
    "evidence behind a link": (
        lambda place: (place.root / "evidence").symlink_to("keys"),
        lambda place: place.write("gate.yaml", BASE + "evidence: [{directory: evidence}]\n"),
    ),
    "no folder": (lambda place: place.root.rename(place.root.with_name("moved")),),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_told_and_what_judged_before_goes_on(place: Place, what: str) -> None:
    held = place.open()
    state = held.current()
    for change in BROKEN[what]:
        change(place)
    found = held.reload()
    assert (found.changed, bool(found.problem)) == (False, True)
    assert held.current() is state
    health = held.health()
    assert health.problems == ()
    assert health.notes == (f"the files are not taken: {found.problem}",)
    if what == "no folder":
        place.root.with_name("moved").rename(place.root)
    for path in ("log.db", "evidence", "gate.yaml"):
        gone = place.root / path
        if gone.is_dir() and not gone.is_symlink():
            gone.rmdir()
        else:
            gone.unlink(missing_ok=True)
    place.write("keys/release.pub", RELEASE.pem)
    place.write("gate.yaml", BASE + "environment: later\n")
    assert held.reload() == Reloaded(changed=True, problem=None)
    assert (held.current().settings.environment, held.health().notes) == ("later", ())


def test_a_first_state_that_is_broken_is_an_error(place: Place) -> None:
    place.write("gate.yaml", BASE.replace("admission: {", "gates: {"))
    with pytest.raises(ConfigError):
        place.open()
    place.write("gate.yaml", BASE + OWN)
    place.write("profile.json", PROFILE)
    place.write("rego/custom/own/thing/thing.rego", CONTROL)
    with pytest.raises(
        PolicyError, match=r"self-test: profile profile\.json lets in an image of which nothing is known"
    ):
        place.open()


def test_files_that_change_back_are_no_problem_any_more(place: Place) -> None:
    held = place.open()
    place.write("gate.yaml", "version: 1\n")
    assert held.reload().problem
    place.write("gate.yaml", BASE)
    assert held.reload() == Reloaded(changed=False, problem=None)
    assert held.health().notes == ()


def test_files_that_are_swapped_while_they_are_read_are_not_mixed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is read before the change, and the key that it names after it."""
    held = place.open()
    state = held.current()
    place.write("gate.yaml", BASE + "environment: new\n")
    tested: list[object] = []

    def swapped(*_: Any) -> None:
        place.write("keys/release.pub", OTHER.pem)

    monkeypatch.setattr(held._loader, "_pause", swapped)
    monkeypatch.setattr("gate.app.admission_state.self_test", lambda *args: tested.append(args))
    found = held.reload()
    assert "the files changed while they were read" in (found.problem or "")
    assert (held.current(), tested) == (state, [])
    monkeypatch.setattr(held._loader, "_pause", lambda: None)
    assert held.reload().changed
    assert held.current().settings.trust.signers["release"].key_pem == OTHER.pem


def test_a_half_written_file_that_would_be_a_configuration_is_waited_for(place: Place) -> None:
    """Without its last section, a log for one, what is there so far means something else."""
    held = place.open(settle_s=0.3)
    whole = BASE + "environment: new\n" + RECORD
    place.write("gate.yaml", whole.removesuffix(RECORD))
    rest = threading.Timer(0.1, place.write, ("gate.yaml", whole))
    rest.start()
    assert "changed while they were read" in (held.reload().problem or "")
    rest.join()
    assert held.current().settings.environment == "default"
    assert held.reload().changed
    assert held.current().recorder is not None


def test_a_mounted_folder_is_swapped_whole(place: Place, tmp_path: Path) -> None:
    """As a kubelet does: a link is turned from one folder to the next, and the old one goes."""
    mount = tmp_path / "mount"
    for name in ("one", "two"):
        shutil.copytree(place.root / "keys", mount / name / "keys")
        (mount / name / "gate.yaml").write_text(BASE + f"environment: {name}\n")
    (mount / "data").symlink_to("one")
    held = place.open(mount / "data")
    old = held.current()
    (mount / "next").symlink_to("two")
    (mount / "next").rename(mount / "data")
    shutil.rmtree(mount / "one")
    assert held.reload() == Reloaded(changed=True, problem=None)
    assert (old.settings.environment, held.current().settings.environment) == ("one", "two")
    assert held.current().engine is old.engine


def test_a_storm_of_reloads_takes_each_change_once(place: Place) -> None:
    held = place.open()
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            text = BASE + f"environment: n{number}\n"
            place.write("gate.yaml", text[: len(text) // 2] if number % 3 == 0 else text)

    writer = threading.Thread(target=change)
    writer.start()
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: held.reload(), range(12)))
    stop.set()
    writer.join()
    assert {result.changed for result in results} <= {True, False}
    assert held.current().settings.admission is not None
    place.write("gate.yaml", BASE + "environment: last\n")
    assert held.reload().changed
    assert [result.changed for result in (held.reload() for _ in range(5))] == [False] * 5
    assert held.current().settings.environment == "last"


def test_refused_files_are_tried_again_after_a_while(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OPA server that has not got the policy yet, for one: the files are good, and something else is not."""
    held = place.open()
    calls: list[int] = []

    def failing(*_: Any) -> None:
        calls.append(1)
        raise PolicyError("the server has another policy", hint="wait")

    monkeypatch.setattr("gate.app.admission_state.self_test", failing)
    place.write("gate.yaml", BASE + "environment: new\n")
    for _ in range(5):
        assert held.reload() == Reloaded(changed=False, problem="the server has another policy (wait)")
    assert len(calls) == 1
    place.now += 11
    assert held.reload().problem
    assert len(calls) == 2
    monkeypatch.undo()
    place.now += 11
    assert held.reload() == Reloaded(changed=True, problem=None)
    assert held.counts()["failed_reloads"] == 2


def test_a_bug_while_reloading_is_told_and_what_judged_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    held = place.open()
    monkeypatch.setattr("gate.app.admission_state.self_test", lambda *_: 1 / 0)
    place.write("gate.yaml", BASE + "environment: new\n")
    assert held.reload() == Reloaded(changed=False, problem="a bug: ZeroDivisionError")
    assert held.current().settings.environment == "default"


def test_s27_a_signed_policy_does_not_go_back(place: Place) -> None:
    place.serial(5)
    place.write("gate.yaml", BASE + "policy: {bundle: policy.tar.gz, serial: 1}\n")
    held = place.open()
    assert held.current().bundle.serial == 5
    place.serial(4)
    assert "serial 4, and one of serial 5 judged already" in (held.reload().problem or "")
    assert held.current().bundle.serial == 5
    place.write("gate.yaml", BASE)
    assert held.reload().changed, "the packaged policy has no serial"
    place.write("gate.yaml", BASE + "policy: {bundle: policy.tar.gz, serial: 1}\n")
    assert "serial 4, and one of serial 5" in (held.reload().problem or "")
    place.serial(6)
    assert held.reload().changed
    assert held.current().bundle.serial == 6


@pytest.mark.parametrize(("environment", "starts"), [("default", False), ("another", True)])
def test_s27_a_signed_policy_does_not_go_back_over_a_restart(place: Place, environment: str, *, starts: bool) -> None:
    log = open_sqlite(place.root / "log.db", create=True)
    for number, serial in enumerate((7, 4, None, "8", True)):
        said = dumps_policy(number, serial, environment)
        log.append([said], 1000)
    log.close()
    place.serial(6)
    place.write("gate.yaml", BASE + RECORD + "policy: {bundle: policy.tar.gz, serial: 1}\n")
    if starts:
        assert place.open().current().bundle.serial == 6
        return
    with pytest.raises(PolicyError, match="serial 6, and one of serial 7 judged already"):
        place.open()
    place.serial(7)
    assert place.open().current().bundle.serial == 7


def dumps_policy(number: int, serial: object, environment: str) -> Entry:
    """A decision by a policy with a serial, and of an older gate that says none."""
    files = {"gate/main/main.rego": f"package gate.main # {number}".encode()}
    made = entry(number, policy=policy(files), context={"target": "deployment", "environment": environment})
    decision = json.loads(made.decision)
    decision["policy"] = {"serial": serial} if serial is not None else None
    return replace(made, decision=dumps(decision))


def test_a_policy_that_changed_is_compiled_anew(place: Place) -> None:
    held = place.open()
    old = held.current()
    place.serial(2)
    place.write("gate.yaml", BASE + "policy: {bundle: policy.tar.gz, serial: 1}\n")
    assert held.reload().changed
    new = held.current()
    assert (old.bundle.digest == new.bundle.digest) is (new.engine is old.engine)
    place.write("gate.yaml", BASE + "engine: {timeout_s: 9}\n")
    assert held.reload().changed
    assert held.current().engine is not new.engine


def test_evidence_of_the_folders_is_read_once(place: Place) -> None:
    place.write("evidence/a.json", "{}")
    place.write("evidence/note.txt", "nothing")
    place.write("llmsa/a.bundle.json", "{}")
    place.write("gate.yaml", BASE + "evidence: [{directory: evidence}, {directory: gone}]\n")
    held = place.open()
    state = held.current()
    assert [item.origin for item in state.evidence] == ["evidence/a.json"]
    assert set(state.skipped) == {"evidence/note.txt", "gone"}
    assert not held.reload().changed
    place.write("evidence/b.json", "{}")
    assert held.reload().changed
    assert len(held.current().evidence) == 2
    (place.root / "evidence/a.json").unlink()
    assert held.reload().changed


def test_s36_a_log_that_is_configured_elsewhere_is_opened_and_the_old_one_closed_later(place: Place) -> None:
    place.write("gate.yaml", BASE + RECORD)
    held = place.open()
    old = held.current().recorder
    assert old is not None
    old.probe()
    place.write("gate.yaml", BASE + RECORD + "environment: new\n")
    assert held.reload().changed
    assert held.current().recorder is old
    place.write("gate.yaml", BASE + "record: {sqlite: other.db}\n")
    assert held.reload().changed
    assert held.current().recorder is not old
    assert (place.root / "other.db").exists(), "it was tried"
    held.reload()
    old.check()
    place.now += 61
    held.reload()
    with pytest.raises(RecordError, match="the log is closed"):
        old.check()
    place.write("gate.yaml", BASE)
    assert held.reload().changed
    assert held.current().recorder is None


def test_health_tells_what_keeps_from_answering(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [1_800_000_000.0]
    place.write("gate.yaml", BASE + RECORD)
    held = place.open(clock=WallClock(lambda: wall[0], lambda: 0.0))
    assert held.health().problems == ()
    wall[0] += 100
    assert held.health().problems == ("the clock of this machine jumped 100 seconds forward",)
    with pytest.raises(ClockError):
        held.current().now_s()
    wall[0] -= 100
    monkeypatch.setattr("gate.app.admission_held.self_test", lambda *_: 1 / 0)
    place.now += 31
    held.reload()
    assert held.health().problems == ("a bug: ZeroDivisionError",)
    monkeypatch.undo()
    held.reload()
    assert held.health().problems != ()
    place.now += 31
    held.reload()
    assert held.health().problems == ()
    recorder = held.current().recorder
    assert recorder is not None
    with monkeypatch.context() as patched:
        patched.setattr(recorder, "probe", fail)
        assert held.health().problems == ("the log is full",)


def fail() -> None:
    raise RecordError("the log is full")
