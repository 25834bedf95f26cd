"""`trust.builders` and `drafts` of `gate.yaml`: which builder deserves which level, and which drafts are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.config.nodes import named
from gate.formats.predicates import DRAFTS
from gate.formats.strict_yaml import Node, suggestion
from gate.model.settings import BuilderSettings, SignerSettings

MAX_LEVEL: Final = 3
_BUILDS: Final = ("build.provenance", "training.provenance")
_KEYS: Final = ("id", "signers", "level")


def read_builders(node: Node | None, signers: Mapping[str, SignerSettings]) -> Mapping[str, BuilderSettings]:
    """The builders by name; without the section no builder has a level, whatever its provenance says."""
    found: dict[str, BuilderSettings] = {}
    known: dict[tuple[str, str], str] = {}
    for name, item in named(node).items():
        builder = _builder(name, item, signers)
        for signer in builder.signers:
            other = known.setdefault((builder.id, signer), name)
            if other != name:
                raise item.error(f"the builders {other!r} and {name!r} are one: the same id, signed by {signer!r}")
        found[name] = builder
    return found


def _builder(name: str, node: Node, signers: Mapping[str, SignerSettings]) -> BuilderSettings:
    fields = node.fields(*_KEYS)
    for key in _KEYS:
        if key not in fields:
            raise node.error(f"builder {name!r} needs {key!r}")
    if not fields["signers"].items():
        raise fields["signers"].error(f"builder {name!r} needs the signers of its provenance")
    for item in fields["signers"].items():
        signer = signers.get(item.text())
        if signer is None:
            raise item.error(f"no signer {item.text()[:80]!r}{suggestion(item.text(), sorted(signers))}")
        if not any(signer.may_claim(claim) for claim in _BUILDS):
            raise item.error(f"the signer {signer.name!r} may speak for neither {' nor '.join(_BUILDS)}")
    level = fields["level"].value
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level <= MAX_LEVEL:
        raise fields["level"].error(f"the level of a builder is a number from 0 to {MAX_LEVEL}")
    if ":" not in fields["id"].text():
        raise fields["id"].error("expected the URI by which provenance names the builder")
    return BuilderSettings(fields["id"].text(), tuple(dict.fromkeys(fields["signers"].texts())), level)


def read_drafts(node: Node | None) -> frozenset[str]:
    """The names of the drafts that are switched on."""
    for item in node.items() if node is not None else ():
        item.choice(*DRAFTS)
    return frozenset(node.texts()) if node is not None else frozenset()
