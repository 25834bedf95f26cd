"""What rests on what: every way counts, each says why, cycles end, and a forgery proves nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable

from gate.app.recall_search import Field, resting_statements
from gate.model.recall import Record, Standing, Target, Why
from tests.support.decisions import digest

KEY = Target("key", "key", spki=digest("spki"))


def record(
    word: str,
    *needs: str,
    about: Iterable[str] = (),
    inputs: Iterable[str] = (),
    signed: Standing | None = None,
    copy: str = "",
) -> Record:
    return Record(
        payload=digest(word),
        evidence=digest(f"evidence {word}{copy}"),
        origin=f"{word}{copy}.json",
        claim="prompt",
        subjects=tuple((item, digest(item)) for item in about),
        about=frozenset(digest(item) for item in about),
        inputs=frozenset(digest(item) for item in inputs),
        depends_on=tuple(digest(item) for item in needs),
        signed=signed,
    )


def rests(*records: Record, target: Target = KEY, trusted: Iterable[str] = ()) -> dict[str, tuple[Why, Standing]]:
    words = {digest(str(word)): str(word) for word in (*"abcdefgh", *range(3000))}
    stands = {digest(word): ("somebody",) for word in trusted}
    found = resting_statements(Field(records), target, {}, stands)
    return {words[item.payload]: (item.why, item.standing) for item in found}


def test_statements_that_build_on_one_another_in_a_circle_end() -> None:
    found = rests(record("a", "c", signed=Standing.PROVED), record("b", "a"), record("c", "b"), trusted="bc")
    assert found == {
        "a": (Why.SIGNED, Standing.PROVED),
        "b": (Why.BUILDS_ON, Standing.PROVED),
        "c": (Why.BUILDS_ON, Standing.PROVED),
    }


def test_what_is_made_from_itself_does_not_rest_on_itself() -> None:
    one = record("a", about=["x"], inputs=["x", "y"], signed=Standing.PROVED)
    other = record("b", about=["y"], inputs=["x"])
    assert rests(one, other, trusted="b") == {
        "a": (Why.SIGNED, Standing.PROVED),
        "b": (Why.MADE_FROM, Standing.PROVED),
    }
    (first, second) = resting_statements(Field([one, other]), KEY, {}, None)
    assert (first.because, second.because) == ((digest("y"),), (digest("x"),))
    assert first.others is None


def test_what_a_statement_about_an_artifact_covers_besides_does_not_rest_on_it() -> None:
    target = Target("artifact", "x", frozenset({digest("x")}))
    found = rests(
        record("a", about=["x", "y"]), record("b", inputs=["y"]), record("c", "a"), target=target, trusted="abc"
    )
    assert found == {"a": (Why.ABOUT, Standing.PROVED), "c": (Why.BUILDS_ON, Standing.PROVED)}


def test_a_way_over_a_statement_that_nobody_signed_proves_nothing() -> None:
    chain = [record("a", signed=Standing.PROVED), record("b", "a"), record("c", "b")]
    assert rests(*chain, trusted="c")["c"] == (Why.BUILDS_ON, Standing.UNPROVED)
    assert rests(*chain, record("c", "b", copy=" again"), trusted="bc")["c"] == (Why.BUILDS_ON, Standing.PROVED)


def test_a_real_envelope_beside_a_forged_one_counts() -> None:
    for order in (1, -1):
        both = [record("a", signed=Standing.UNPROVED, copy="0"), record("a", signed=Standing.PROVED, copy="1")][::order]
        (found,) = resting_statements(Field(both), KEY, {}, {})
        assert found.standing is Standing.PROVED
        assert [place.signed for place in found.places] == [Standing.UNPROVED, Standing.PROVED]


def test_a_long_chain_is_quick() -> None:
    chain = [record("0", signed=Standing.PROVED), *(record(str(n), str(n - 1)) for n in range(1, 3000))]
    started = time.monotonic()
    assert len(rests(*chain, trusted=[str(n) for n in range(3000)])) == 3000
    assert time.monotonic() - started < 10
