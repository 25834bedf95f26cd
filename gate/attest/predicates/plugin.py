"""Plugins: the descriptor of each tool, what the tool may do, and the server that offers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found, optional_file
from gate.attest.predicates.values import optional_text
from gate.formats.predicates.plugin import CLAIM
from gate.formats.strict_yaml import Node
from gate.model.json import JsonObject


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    descriptors: list[Found] = []
    tools: dict[str, JsonObject] = {}
    for name, node in fields["tools"].members().items():
        tool = node.fields("descriptor", "permissions")
        if len(tool) != 2:
            raise node.error(f"the tool {name[:80]!r} needs descriptor and permissions, a list that may be empty")
        found = files.file(tool["descriptor"])
        descriptors.append(found)
        tools[name] = {"descriptor": found.digest, "permissions": sorted(set(tool["permissions"].texts()))}
    if not tools:
        raise fields["tools"].error("a plugin without tools")
    return Collected(
        roles={"descriptors": descriptors, "server": optional_file(fields, "server", files)},
        members={"tools": tools, "transport": optional_text(fields, "transport")},
    )


_REQUIRED: Final = ("tools",)
COLLECTOR = Collector(claim=CLAIM, keys=("tools", "server", "transport"), required=_REQUIRED, collect=_collect)
