"""Logs are read in a process of their own, and nothing that a plugin does there harms the gate or looks quiet."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gate.collect import signals
from gate.collect.signals import PluginLimits, collect_signals
from gate.errors import EvidenceError
from gate.formats.signals.answer import to_json
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.digest import Digest, sha256_digest
from gate.model.scan import Basis, Severity
from gate.model.settings import Limits, SignalSettings
from gate.model.signal import Observation, Signal

IMAGE = Digest("sha256:" + "b2" * 32)
FALCO = Path(__file__).resolve().parents[2] / "vectors/signals/falco.jsonl"


def image(digest: Digest | None = IMAGE) -> Artifact:
    return Artifact(
        name="server",
        kind=ArtifactKind.CONTAINER,
        path=None,
        reference="registry.example/server",
        mutable_reference=digest is None,
        base=None,
        digest=digest,
        files={},
    )


def collect(
    root: Path,
    plugin: str = "falco",
    path: str = "log",
    *,
    digest: Digest | None = IMAGE,
    limits: PluginLimits | None = None,
) -> tuple[Signal, ...]:
    settings = [SignalSettings(plugin, path, "server")]
    return collect_signals(root, settings, {"server": image(digest)}, Limits(), limits or PluginLimits())


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Observation]:
    """What comes of a log that an installed plugin reads, whose function has this body."""
    site = tmp_path / "site"
    info = site / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gate.signals]\nacme.sensor = acme_offered:read\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "log").write_bytes(b"a log\n")
    start = f"import sys; sys.path.insert(0, {str(site)!r}); {signals._START}"
    monkeypatch.setattr(signals, "_OPTIONS", ("-I", "-B", "-c", start))

    def read(body: str, **limits: int) -> Observation:
        head = "from gate.model.signal import *\nimport os, sys, time, subprocess, socket\n\ndef read(log):\n"
        (site / "acme_offered.py").write_text(head + "".join(f"    {line}\n" for line in body.splitlines()))
        found = collect(root, "acme.sensor", limits=PluginLimits(**{"seconds": 20, **limits}))
        return found[0].observation

    return read


def refusal(found: Observation) -> str:
    """Why nothing was observed."""
    assert found == Observation(problems=found.problems)
    [problem] = found.problems
    return problem


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_log_is_read_in_its_own_process(tmp_path: Path) -> None:
    data = FALCO.read_bytes()
    (tmp_path / "log").write_bytes(data)
    [found] = collect(tmp_path)
    assert (found.plugin, found.basis, found.artifact, found.digest) == ("falco", Basis.OBSERVED, "server", IMAGE)
    assert (found.origin, found.report, found.statement) == ("log", sha256_digest(data), None)
    assert (found.observation.sightings, found.observation.dropped, found.observation.problems) == (2, 14, ())
    assert found.observation.events["Terminal shell in container"].severity is Severity.MEDIUM


def test_each_match_of_a_glob_is_a_log(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [found.origin for found in collect(tmp_path, path="*.log")] == ["a.log", "b.log"]


def test_a_log_that_is_not_there_is_an_observation_with_a_problem(tmp_path: Path) -> None:
    assert [refusal(found.observation) for found in collect(tmp_path)] == ["it does not exist"]
    assert [refusal(found.observation) for found in collect(tmp_path, path="*.log")] == ["no file matches"]
    (tmp_path / "log").mkdir()
    [found] = collect(tmp_path)
    assert found.report is None
    assert refusal(found.observation)
    with pytest.raises(EvidenceError):
        collect(tmp_path, path="../log")


def test_nothing_is_bound_to_an_image_without_a_digest(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(FALCO.read_bytes())
    [found] = collect(tmp_path, digest=None)
    assert refusal(found.observation) == "the image has no digest, so nothing can be bound to it"


# -- plugins of others -------------------------------------------------------------------------------------------------


def test_a_plugin_of_others_is_given_the_log_and_the_digest(acme: Callable[..., Observation]) -> None:
    found = acme("return Observation(problems=(log.digest, log.data.decode()))")
    assert found == Observation(problems=(IMAGE, "a log\n"))


def test_what_a_plugin_prints_is_no_answer(acme: Callable[..., Observation]) -> None:
    body = "print('observation')\nos.write(1, b'observation')\nreturn Observation(1, 2)"
    assert acme(body) == Observation(1, 2)


REFUSED = {
    "raises": ("raise ValueError('bad log')", "ValueError: bad log"),
    "answers nothing": ("return None", "AttributeError"),
    "answers a count that is none": ("return Observation(sightings='many')", "sightings is no number"),
    "answers what has no JSON": ("return Observation(sightings=log)", "TypeError"),
    "answers a window backwards": ("return Observation(2, 1)", "the window ends before it starts"),
    "exits": ("sys.exit(0)", "it gave no answer"),
    "exits with an error": ("os._exit(3)", "ended with 3"),
    "crashes": ("os.abort()", "ended with -6"),
    "opens a file": ("open('/etc/passwd')", "OSError"),
    "opens a connection": ("socket.socket()", "OSError"),
    "takes too much memory": ("return Observation(problems=(len(bytearray(1 << 40)),))", "MemoryError"),
    "answers too much": ("os.write(3, b'x' * 70000)\nos.write(3, b'x' * (2 << 20))", "answered with more than"),
    "answers for another log": ("os.write(3, b'observation 00\\n{}')\nos._exit(0)", "it gave no answer"),
    "takes too long": ("time.sleep(600)", "it took longer than 2 seconds"),
    "closes its answer and stays": ("os.close(3)\ntime.sleep(600)", "it took longer than 2 seconds"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plugin_that_does_not_answer_has_observed_nothing(acme: Callable[..., Observation], name: str) -> None:
    body, words = REFUSED[name]
    started = time.monotonic()
    problem = refusal(acme(body, seconds=2 if "long" in name or "stays" in name else 20))
    assert problem.startswith("the plugin acme.sensor did not read it: ")
    assert words in problem
    assert time.monotonic() - started < 19


def test_a_plugin_that_is_not_installed_has_observed_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"")
    [found] = collect(tmp_path, "acme.other")
    assert "0 installed distributions offer the plugin 'acme.other'" in refusal(found.observation)


def test_a_process_that_cannot_be_started_has_observed_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError("no more processes")

    (tmp_path / "log").write_bytes(b"")
    monkeypatch.setattr(subprocess, "Popen", fails)
    [found] = collect(tmp_path)
    assert refusal(found.observation).endswith("its process cannot be started: no more processes")


def test_nothing_of_the_environment_reaches_a_plugin(
    acme: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_TEST_TOKEN", "t")
    body = "return Observation(problems=(str('GATE_TEST_TOKEN' in os.environ), os.getcwd()))"
    assert acme(body) == Observation(problems=("False", "/"))


def test_a_process_that_is_left_behind_is_ended(acme: Callable[..., Observation], tmp_path: Path) -> None:
    """As root it can start one; as anybody else it cannot."""
    body = "if os.fork() == 0:\n    time.sleep(600)\ntime.sleep(600)"
    problem = refusal(acme(body, seconds=2))
    assert "it took longer than 2 seconds" in problem or "BlockingIOError" in problem
    left = subprocess.run(["pgrep", "-f", str(tmp_path / "site")], capture_output=True, check=False).stdout.split()
    assert [pid for pid in left if int(pid) != os.getpid()] == []


def test_an_answer_is_bound_to_its_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"a log\n"
    (tmp_path / "log").write_bytes(data)
    request = json.dumps({"plugin": "falco", "digest": IMAGE}).encode() + b"\n" + data
    head = f"observation {hashlib.sha256(request).hexdigest()}\n"
    empty = json.dumps(to_json(Observation(1, 2)))
    for text, expected in ((head + empty, ()), (head.replace("observation", "error") + "why", ("why",))):
        start = f"import sys; sys.stdout.write({text!r})"
        monkeypatch.setattr(signals, "_OPTIONS", ("-I", "-B", "-c", start))
        [found] = collect(tmp_path)
        assert found.observation.problems == tuple(f"the plugin falco did not read it: {word}" for word in expected)
