"""Inspectors of other packages: asked last, never believed against the gate's own."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gate.inspect import plugins
from gate.inspect.context import CapError
from gate.inspect.templates import judge_template
from gate.model.digest import sha256_digest
from gate.model.scan import FileInspection, Finding, Severity, Template
from tests.support import samples
from tests.support.looking import is_clean, look, rules

PAGE = Path(__file__).parents[3] / "docs/how-to/add-an-inspector.md"
Install = Callable[..., None]
CLEAN = FileInspection("own", inspected=True)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    def with_plugins(**judge: Callable[..., Any]) -> None:
        points = []
        for name, inspect in judge.items():
            module = ModuleType(f"plugin_{name}")
            module.__dict__.update(recognises=lambda _, head: head.startswith(b"\x01OWN"), inspect=inspect)
            monkeypatch.setitem(sys.modules, module.__name__, module)
            points.append(importlib.metadata.EntryPoint(name, module.__name__, plugins.GROUP))
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == plugins.GROUP else [])
        plugins.installed.cache_clear()

    yield with_plugins
    plugins.installed.cache_clear()


def test_a_format_of_ones_own_is_judged(install: Install) -> None:
    assert not look("a.own", b"\x01OWN").inspected
    install(own=lambda *_: CLEAN)
    found = look("a.own", b"\x01OWN")
    assert (found.format, found.inspected, found.findings) == ("own", True, ())
    assert not look("a.own", b"\x02").inspected


def test_what_the_gate_knows_is_never_asked(install: Install) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError

    install(own=never)
    assert is_clean(look("README.md", b"\x01OWN"[1:]))
    assert "pickle.global" in rules(look("a.own", samples.call("os", "system")))


def test_what_the_gate_finds_stands(install: Install) -> None:
    install(own=lambda *_: CLEAN)
    found = look("a.png", b"\x01OWN" + samples.zip_bytes({"a.txt": b"x"}))
    assert rules(found) == {"file.mismatch", "file.polyglot"}


def test_all_that_recognise_a_file_must_agree(install: Install) -> None:
    finding = Finding("own.bad", Severity.HIGH, "bad")
    template = Template(sha256_digest(b"x"))
    good = FileInspection("x", inspected=True, findings=(finding,), templates={"chat_template": template})
    install(a=lambda *_: good, b=lambda *_: FileInspection("y", inspected=False))
    found = look("a.own", b"\x01OWN")
    assert (found.format, found.inspected, found.reason) == (
        "a+b",
        False,
        "b: no reason was given",
    )
    assert found.findings == (finding,)
    assert found.templates == {"chat_template": template}


def test_a_plugin_that_fails_has_judged_nothing(install: Install) -> None:
    def faulty(*_: Any) -> Any:
        raise ZeroDivisionError("a secret path")

    def capped(*_: Any) -> Any:
        raise CapError("reads more than the limit")

    unsure = FileInspection("x", inspected=False, reason="because", findings=(Finding("own.odd", Severity.LOW, "odd"),))
    for judge, reason in (
        (faulty, "own: the inspection failed (ZeroDivisionError)"),
        (capped, "reads more than the limit"),
        (lambda *_: None, "own: it gave no judgement"),
        (lambda *_: FileInspection("x", inspected=1), "own: no reason was given"),  # type: ignore[arg-type]
        (lambda *_: unsure, "own: because"),
    ):
        install(own=judge)
        found = look("a.own", b"\x01OWN")
        assert (found.inspected, found.reason) == (False, reason)
    assert rules(look("a.own", b"\x01OWN")) == {"own.odd"}


def test_a_plugin_that_cannot_be_loaded_has_judged_nothing(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    missing = [importlib.metadata.EntryPoint("own", "no_such_module", plugins.GROUP)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: missing)
    assert look("a.own", b"\x01OWN").reason == "the inspection failed (ModuleNotFoundError)"


def test_the_page_shows_an_inspector_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    shown = ModuleType("acme_gate")
    monkeypatch.setitem(sys.modules, "acme_gate", shown)
    exec(compile(code, str(PAGE), "exec"), shown.__dict__)
    point = importlib.metadata.EntryPoint("acme", "acme_gate", plugins.GROUP)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [point])
    plugins.installed.cache_clear()
    try:
        good = b"ACME\x01" + (3).to_bytes(8, "little") + b"abc"
        assert is_clean(look("a.acme", good))
        assert rules(look("a.acme", good + b"d")) == {"acme.size"}
        assert not look("a.acme", good, json_bytes=2).inspected
    finally:
        plugins.installed.cache_clear()
    assert callable(judge_template), "the page names it"
