"""The section `signals` of `gate.yaml`: logs of runtime monitors, and the images that they watched."""

from __future__ import annotations

from collections.abc import Mapping

from gate.config.nodes import glob
from gate.formats.signals import BUILT_IN, installed_plugins
from gate.formats.strict_yaml import Node, suggestion
from gate.model.settings import ArtifactSettings, SignalSettings


def read_signals(node: Node | None, artifacts: Mapping[str, ArtifactSettings]) -> tuple[SignalSettings, ...]:
    """The logs in the order in which they are named."""
    found = []
    for item in node.items() if node is not None else ():
        fields = item.fields("plugin", "path", "artifact")
        for key in ("plugin", "path", "artifact"):
            if key not in fields:
                raise item.error("a signal needs a plugin, a path and the artifact whose image it watched")
        plugin, artifact = fields["plugin"].text(), fields["artifact"].text()
        if plugin not in BUILT_IN and plugin not in (others := installed_plugins()):
            known = (*sorted(BUILT_IN), *others)
            raise fields["plugin"].error(f"no plugin {plugin[:80]!r}{suggestion(plugin, known)}")
        if artifact not in artifacts:
            raise fields["artifact"].error(f"no artifact {artifact!r}{suggestion(artifact, list(artifacts))}")
        if artifacts[artifact].image is None:
            raise fields["artifact"].error(f"the artifact {artifact!r} is no image: what runs is found by its image")
        glob(fields["path"])
        found.append(SignalSettings(plugin, fields["path"].text(), artifact))
    return tuple(found)
