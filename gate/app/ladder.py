"""How much a proposed configuration asks for: the levels of docs/explanation/adoption-ladder.md, and others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from gate.model.artifact import ArtifactKind

_BUILT: Final = frozenset({ArtifactKind.WEIGHTS, ArtifactKind.ADAPTER})


@dataclass(frozen=True, slots=True)
class Level:
    """A profile, and the attestations that a change has to bring: for any artifact, and for models besides.

    For the kinds in `of_kind` they are those that stand there.
    """

    profile: str
    note: str
    attestations: tuple[str, ...]
    of_models: tuple[str, ...]
    claims: tuple[str, ...]
    of_kind: Mapping[ArtifactKind, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def signs(self) -> bool:
        """Whether anything has to be signed, so that a key is needed."""
        return bool(self.claims)

    def required(self, kind: ArtifactKind) -> tuple[str, ...]:
        """The attestations for a changed artifact of a kind."""
        return self.of_kind.get(kind, self.attestations + (self.of_models if kind in _BUILT else ()))


_SIGNATURE: Final = "artifact.signature"
_PROVENANCE: Final = "build.provenance"
BASELINE: Final = Level(
    "baseline", "baseline | strict | a file", (_SIGNATURE,), (_PROVENANCE,), (_SIGNATURE, "build.*")
)
APPLICATION: Final = Level(
    "llm-application",
    "llm-application | a file",
    (_SIGNATURE,),
    (_PROVENANCE,),
    ("prompt", "corpus", "eval", "route", "slo", _SIGNATURE),
    MappingProxyType(
        {
            ArtifactKind.PROMPT: ("prompt", "eval"),
            ArtifactKind.CORPUS: ("corpus", "eval"),
            ArtifactKind.EVALUATION: ("eval",),
            ArtifactKind.ROUTE: ("route", "slo"),
            ArtifactKind.SLO: ("slo",),
        }
    ),
)
"""What is asked of an application that is built on a model it does not hold."""
LEVELS: Final[Mapping[int, Level]] = MappingProxyType(
    {
        1: Level("ladder-1-hashes", "next: gate.yaml of `gate init --level 2`", (), (), ()),
        2: Level("ladder-2-signatures", "next: ladder-3-provenance", (_SIGNATURE,), (), (_SIGNATURE,)),
        # Which provenance is left to the profile: that of a build, or that of a training.
        3: Level("ladder-3-provenance", "next: baseline", (_SIGNATURE,), (), (_SIGNATURE, "build.*", "training.*")),
    }
)
"""The levels by number, each asking for all that the one below it asks for."""
