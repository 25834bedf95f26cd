"""Logs of runtime monitors: bytes -> `Observation`, by plugins.

A plugin is a function from `SignalLog` to `Observation`. Three come with the gate; an installed distribution offers
more by entry points of the group `gate.signals`, whose names are the plugins':

    [project.entry-points."gate.signals"]
    "acme.sensor" = "acme_gate:read"

All of them run in a process of their own (`gate.collect.signals`). A plugin that raises has observed nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Final

from gate.model.signal import Observation, SignalLog

GROUP: Final = "gate.signals"
BUILT_IN: Final[Mapping[str, str]] = {
    "falco": "gate.formats.signals.falco",
    "runtime-trace": "gate.formats.signals.runtime_trace",
    "tetragon": "gate.formats.signals.tetragon",
}
"""The plugins that come with the gate; each is the function `read` of a module."""

Plugin = Callable[[SignalLog], Observation]


class PluginError(ValueError):
    """There is no such plugin, or it cannot be used. The text says why."""


def installed_plugins() -> tuple[str, ...]:
    """The names that installed distributions offer; nothing of theirs is imported."""
    from importlib.metadata import entry_points

    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)} - BUILT_IN.keys()))


def load_plugin(name: str) -> Plugin:
    """The function of a plugin; raises `PluginError`. Nobody can stand in for a plugin of the gate, nor for another."""
    from importlib.metadata import entry_points

    if name in BUILT_IN:
        found: Plugin = importlib.import_module(BUILT_IN[name]).read
        return found
    entries = entry_points(group=GROUP, name=name)
    if len(entries) != 1:
        raise PluginError(f"{len(entries)} installed distributions offer the plugin {name!r}, expected one")
    try:
        loaded = next(iter(entries)).load()
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises, it cannot be used
        raise PluginError(f"the plugin {name!r} cannot be loaded: {type(error).__name__}: {str(error)[:300]}") from None
    if not callable(loaded):
        raise PluginError(f"the plugin {name!r} is a {type(loaded).__name__}, not a function")
    plugin: Plugin = loaded
    return plugin
