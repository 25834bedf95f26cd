"""The worker's own side, in this process: it confines itself, loads one plugin, and binds its answer to the request."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gate.collect import signal_worker as worker
from gate.formats import signals as plugins
from gate.formats.signals import PluginError, installed_plugins, load_plugin
from gate.model.signal import Observation, SignalLog

IMAGE = "sha256:" + "b2" * 32
FALCO = Path(__file__).resolve().parents[2] / "vectors/signals/falco.jsonl"
Limits = dict[int, tuple[int, int]]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """The limits that are set, by what they are of; those of this process stay."""
    found: Limits = {}
    monkeypatch.setattr(resource, "setrlimit", found.__setitem__)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return found


def request_for(plugin: str, data: bytes = b"") -> bytes:
    return json.dumps({"plugin": plugin, "digest": IMAGE}).encode() + b"\n" + data


def ask(plugin: str, data: bytes = b"") -> tuple[str, bytes]:
    request = request_for(plugin, data)
    head, _, body = worker.answer(request).partition(b"\n")
    kind, digest = head.decode().split(" ")
    assert digest == hashlib.sha256(request).hexdigest()
    return kind, body


class Entry:
    """An entry point that gives an object, or raises it."""

    def __init__(self, found: object, name: str = "acme.sensor") -> None:
        self.name, self.found = name, found

    def load(self) -> object:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """The entry points that are installed."""
    found: list[Entry] = []

    def entry_points(group: str, name: str | None = None) -> list[Entry]:
        assert group == "gate.signals"
        return [entry for entry in found if name in {None, entry.name}]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    return found


def test_the_worker_reads_a_log(limits: Limits) -> None:
    kind, body = ask("falco", FALCO.read_bytes())
    assert (kind, json.loads(body)["sightings"]) == ("observation", 2)
    assert limits == {resource.RLIMIT_NOFILE: (4, 4), resource.RLIMIT_NPROC: (0, 0)}


def test_the_worker_says_why_it_read_nothing(limits: Limits, offered: list[Entry]) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("x" * 1000)

    assert ask("acme.sensor") == ("error", b"0 installed distributions offer the plugin 'acme.sensor', expected one")
    assert limits == {}
    offered.append(Entry(fails))
    assert ask("acme.sensor") == ("error", b"RuntimeError: " + b"x" * 300)


def test_the_worker_limits_itself_and_writes_its_answer(
    limits: Limits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    request = request_for("falco")
    monkeypatch.setattr(sys, "argv", ["-c", "/folder", "1000", "7"])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(request)))
    out = tmp_path / "out"
    monkeypatch.setattr(os, "dup", lambda _: os.open(out, os.O_WRONLY | os.O_CREAT))
    redirected: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "dup2", lambda *pair: redirected.append(pair))
    monkeypatch.setattr(sys, "platform", "linux")
    worker.main()
    assert redirected == [(2, 1)]
    assert out.read_bytes() == worker.answer(request)
    assert limits[resource.RLIMIT_AS] == (1000, 1000)
    assert limits[resource.RLIMIT_CPU] == (7, 7)
    assert limits[resource.RLIMIT_FSIZE] == limits[resource.RLIMIT_CORE] == (0, 0)


def test_elsewhere_there_is_no_limit_of_memory(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    worker.confine(1000, 7)
    assert resource.RLIMIT_AS not in limits


def test_a_lower_limit_stays(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (5, 6))
    worker.limit(resource.RLIMIT_CPU, 7)
    assert limits == {resource.RLIMIT_CPU: (6, 6)}


# -- which plugins there are -------------------------------------------------------------------------------------------


def test_installed_plugins_are_named_without_those_of_the_gate(offered: list[Entry]) -> None:
    offered += [Entry(None, "b"), Entry(None, "a"), Entry(None, "falco")]
    assert installed_plugins() == ("a", "b")


def test_nobody_stands_in_for_a_plugin_of_the_gate(offered: list[Entry]) -> None:
    offered.append(Entry(lambda _: Observation(), "falco"))
    assert load_plugin("falco").__module__ == plugins.BUILT_IN["falco"]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "0 installed"),
        ([print, print], "2 installed"),
        ([ImportError("no such module")], "ImportError: no such module"),
        ([3], "is a int, not a function"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_said(offered: list[Entry], entries: list[Any], words: str) -> None:
    offered += [Entry(found) for found in entries]
    with pytest.raises(PluginError, match=words):
        load_plugin("acme.sensor")


def test_a_plugin_of_others_is_loaded(offered: list[Entry]) -> None:
    def read(log: SignalLog) -> Observation:
        return Observation(problems=(log.digest,))

    offered.append(Entry(read))
    assert load_plugin("acme.sensor") is read
