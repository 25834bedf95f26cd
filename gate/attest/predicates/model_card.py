"""Model cards: the card, and the files of the model that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files
from gate.attest.predicates.values import named_digests, tree
from gate.formats.predicates.model_card import CLAIM
from gate.formats.strict_yaml import Node


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    card, model = files.file(fields["card"]), tree(fields["model"], files)
    return Collected(
        roles={"card": [card], "model": model.files},
        members={
            "license": fields["license"].text(),
            "base": named_digests(fields, "base", files),
            "intended_use": fields["intended_use"].text(),
            "limitations": list(fields["limitations"].texts()),
        },
        folders=model.folders("model"),
        main=card,
    )


_REQUIRED: Final = ("card", "model", "license", "intended_use", "limitations")
COLLECTOR = Collector(claim=CLAIM, keys=(*_REQUIRED, "base"), required=_REQUIRED, collect=_collect)
