"""Training provenance: the nine fields, from a file that the training job, or a person, wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files
from gate.attest.predicates.approval import statements
from gate.attest.predicates.values import items, named_digests, optional_text, tree, trees, truth
from gate.formats.merkle import files_root
from gate.formats.predicates.training_provenance import CLAIM, FINE_TUNING, TRAINING
from gate.formats.strict_yaml import Node
from gate.model.digest import Digest
from gate.model.json import JsonObject


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    model = tree(fields["model"], files)
    evaluation = statements(fields, "evaluation", files)
    return Collected(
        roles={"model": model.files},
        members={
            "method": fields["method"].choice(TRAINING, FINE_TUNING),
            "code": _code(fields["code"]),
            "datasets": named_digests(fields, "datasets", files),
            "base": named_digests(fields, "base", files),
            "environment": {name: node.text() for name, node in fields["environment"].members().items()},
            "pipeline": fields["pipeline"].text(),
            "signer": optional_text(fields, "signer"),
            "time": {name: optional_text(fields, name) for name in ("started_at", "finished_at")},
            "evaluation": list(evaluation),
            "metrics_root": _metrics(fields, files),
            "seed": _seed(fields),
        },
        folders=model.folders("model"),
        depends_on=tuple(evaluation),
    )


def _code(node: Node) -> JsonObject:
    fields = node.fields("repository", "commit", "dirty")
    is_dirty = truth(fields["dirty"]) if "dirty" in fields and fields["dirty"].value is not None else None
    return {
        "repository": optional_text(fields, "repository"),
        "commit": optional_text(fields, "commit"),
        "dirty": is_dirty,
    }


def _metrics(fields: Mapping[str, Node], files: Files) -> Digest | None:
    """The Merkle root over files of metrics, checkpoints and events, by their path below the root."""
    found, _ = trees(items(fields, "metrics"), files)
    return files_root({item.path: item.digest for item in found}) if found else None


def _seed(fields: Mapping[str, Node]) -> int | None:
    if "seed" not in fields or fields["seed"].value is None:
        return None
    value = fields["seed"].value
    if not isinstance(value, int) or isinstance(value, bool):
        raise fields["seed"].error("expected an integer")
    return value


_REQUIRED: Final = ("method", "model", "code", "datasets", "environment", "pipeline")
COLLECTOR = Collector(
    claim=CLAIM,
    keys=(*_REQUIRED, "base", "evaluation", "finished_at", "metrics", "seed", "signer", "started_at"),
    required=_REQUIRED,
    collect=_collect,
)
