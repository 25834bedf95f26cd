"""The number that a decision tells: as far as gate.yaml vouches for builders, and no further."""

from __future__ import annotations

from collections.abc import Sequence

from gate.model.build_level import build_level
from gate.model.evidence import SignerIdentity, Statement, Verified
from gate.model.settings import BuilderSettings
from tests.support.evidence import digest_of

HOSTED = BuilderSettings("https://builder.example/", ("builder",), 3)
LAPTOP = BuilderSettings("https://laptop.example/", ("builder", "second"), 1)


def made(
    builder: str = HOSTED.id,
    signers: Sequence[str] = ("builder",),
    claim: str = "build.provenance",
    artifacts: tuple[str, ...] = ("model",),
) -> Verified:
    statement = Statement(claim, "type", (), (), False, (), None, {"builder_id": builder}, {})
    people = tuple(SignerIdentity(name, "key", digest_of(name)) for name in signers)
    return Verified(digest_of("payload"), digest_of("envelope"), "origin", statement, people, artifacts)


def test_the_level_is_the_builders() -> None:
    assert build_level("model", [made()], [HOSTED, LAPTOP]) == 3


def test_the_lowest_of_several_counts() -> None:
    assert build_level("model", [made(), made(LAPTOP.id)], [HOSTED, LAPTOP]) == 1
    twice = BuilderSettings(HOSTED.id, ("builder",), 2)
    assert build_level("model", [made()], [HOSTED, twice]) == 2


def test_what_nobody_vouches_for_has_none() -> None:
    assert build_level("model", [], [HOSTED]) is None
    assert build_level("model", [made()], []) is None
    assert build_level("model", [made(signers=["second"])], [HOSTED]) is None, "not a signer of that builder"
    assert build_level("model", [made(), made("https://other.example/")], [HOSTED]) is None, "one is enough"


def test_other_statements_say_nothing() -> None:
    others = [made("https://other.example/", claim="scan.report"), made("https://other.example/", artifacts=("data",))]
    assert build_level("model", [made(), *others], [HOSTED]) == 3
