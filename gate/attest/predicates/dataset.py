"""Datasets: all files, who answers for them, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files
from gate.attest.predicates.values import digest_of, members, tree, truth
from gate.formats.predicates.dataset import CLAIM
from gate.formats.strict_yaml import Node
from gate.model.json import JsonObject


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    found = tree(fields["path"], files)
    return Collected(
        roles={"files": found.files},
        members={
            **{name: fields[name].text() for name in ("owner", "classification", "license")},
            "personal_data": truth(fields["personal_data"]),
            "sources": _sources(fields, files),
        },
        folders=found.folders("files"),
    )


def _sources(fields: Mapping[str, Node], files: Files) -> JsonObject:
    """The digests of the sources; a source without one, such as people who were asked, is null."""
    return {
        name: None if node.value is None else digest_of(node, files)
        for name, node in members(fields, "sources").items()
    }


_REQUIRED: Final = ("path", "owner", "classification", "license", "personal_data")
COLLECTOR = Collector(claim=CLAIM, keys=(*_REQUIRED, "sources"), required=_REQUIRED, collect=_collect)
