"""The SLSA build level of an artifact, as far as `gate.yaml` vouches for its builders.

Control `build.level` judges whether a level is high enough; this is the number that a decision tells.
"""

from __future__ import annotations

from collections.abc import Iterable

from gate.model.evidence import Verified
from gate.model.settings import BuilderSettings

_CLAIM = "build.provenance"


def build_level(artifact: str, verified: Iterable[Verified], builders: Iterable[BuilderSettings]) -> int | None:
    """The lowest level that the provenance of an artifact has; `None` without any, or where one has none.

    A statement has the level of a listed builder that it names, where one of that builder's signers signed it: nobody
    gives itself one.
    """
    known = tuple(builders)
    levels: list[int] = []
    for item in verified:
        if item.statement.claim != _CLAIM or artifact not in item.artifacts:
            continue
        signers = {signer.name for signer in item.signers}
        named = item.statement.facts.get("builder_id")
        granted = [builder.level for builder in known if builder.id == named and signers & set(builder.signers)]
        if not granted:
            return None
        levels += granted
    return min(levels, default=None)
