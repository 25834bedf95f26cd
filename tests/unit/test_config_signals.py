"""The section `signals` of the configuration."""

from __future__ import annotations

from typing import Any

import pytest

from gate.config import signals
from gate.model.settings import SignalSettings
from tests.unit.config_cases import DIGEST, changed, load, refused, text_of

SERVER = {"kind": "container", "image": f"registry.example/server@{DIGEST}"}


def with_signals(*entries: object, **artifacts: object) -> Any:
    value = changed("artifacts/server", SERVER)
    return {**value, "artifacts": {**value["artifacts"], **artifacts}, "signals": list(entries)}


def test_logs_are_read_in_their_order() -> None:
    settings = load(
        text_of(
            with_signals(
                {"plugin": "tetragon", "path": "runtime/*.log", "artifact": "server"},
                {"plugin": "falco", "path": "a", "artifact": "server"},
            )
        )
    )
    assert settings.signals == (
        SignalSettings("tetragon", "runtime/*.log", "server"),
        SignalSettings("falco", "a", "server"),
    )
    assert load(text_of(with_signals())).signals == load(text_of(changed("environment", "e"))).signals == ()


def test_an_installed_plugin_is_known_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"plugin": "acme.sensor", "path": "a", "artifact": "server"}
    message = refused(with_signals(entry))
    assert message.endswith("no plugin 'acme.sensor'; known are falco, runtime-trace, tetragon")
    monkeypatch.setattr(signals, "installed_plugins", lambda: ("acme.sensor",))
    assert load(text_of(with_signals(entry))).signals == (SignalSettings("acme.sensor", "a", "server"),)
    assert "did you mean 'acme.sensor'?" in refused(with_signals({**entry, "plugin": "acme.senser"}))


@pytest.mark.parametrize("key", ["plugin", "path", "artifact"])
def test_each_key_is_needed(key: str) -> None:
    entry = {"plugin": "falco", "path": "a", "artifact": "server"}
    del entry[key]
    assert "a signal needs a plugin, a path and the artifact whose image it watched" in refused(with_signals(entry))


def test_only_an_image_can_be_watched() -> None:
    assert "is no image" in refused(with_signals({"plugin": "falco", "path": "a", "artifact": "m"}))
    found = refused(with_signals({"plugin": "falco", "path": "a", "artifact": "sever"}))
    assert "no artifact 'sever'; did you mean 'server'?" in found
