"""What no predicate of the field does: raise, hold fractions, cover a file by a commit, be read as a draft unasked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.formats import canonical_json
from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import DRAFTS, PLAIN, claim_of, claims_of, read_statement, readers
from tests.unit.formats.predicates.field import ALL_DRAFTS, NAMES, code, code_of, example, read
from tests.unit.formats.predicates.field_facts import COMMIT
from tests.unit.formats.predicates.reading import SUBJECTS, changed


def numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=9)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)


def places(value: Any, path: str = "") -> Iterator[str]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if "." not in str(name):
            yield from places(item, f"{path}.{name}".lstrip("."))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_nothing_but_a_refusal_comes_of_any_value_anywhere(name: str, data: st.DataObject) -> None:
    statement = example(name)
    place = data.draw(st.sampled_from(list(places(statement["predicate"])) or [""]))
    value = data.draw(VALUES)
    predicate = changed(statement["predicate"], place, value) if place else {}
    try:
        found = read_statement(RawStatement(SUBJECTS, statement["predicateType"], predicate), ALL_DRAFTS)
    except StatementError:
        return
    assert not list(numbers(found.facts))
    canonical_json.dumps(found.facts)


def test_no_statement_but_of_these_types_is_about_a_commit() -> None:
    subject = example("source-summary")["subject"]
    about = {name for name in NAMES if _is_read({**example(name), "subject": subject})}
    assert about == {"source-summary", "scorecard"}


def _is_read(statement: Any) -> bool:
    try:
        read(statement)
    except StatementError:
        return False
    return True


@pytest.mark.parametrize("name", ["source-summary", "scorecard"])
class TestS11Commits:
    @pytest.mark.parametrize("commit", ["main", "", "0" * 39, "0" * 41, "0" * 63, "A" * 40, "0" * 40 + "\n", None, 1])
    def test_s11_a_commit_is_a_complete_id(self, name: str, commit: Any) -> None:
        assert code(name, "subject.0.digest", {"gitCommit": commit}) == "subject_digest"

    @pytest.mark.parametrize("digest", [{"sha1": "0" * 40}, {"gitTree": "0" * 40}, {"md5": "0" * 32}, {}])
    def test_s11_no_other_weak_digest_is_a_subject(self, name: str, digest: Any) -> None:
        assert code(name, "subject.0.digest", digest) == "subject_digest"

    def test_s11_a_commit_is_the_only_subject(self, name: str) -> None:
        statement = example(name)
        more = {"name": "x", "digest": {"sha256": "a" * 64}}
        for subjects in ([*statement["subject"], more], [more, *statement["subject"]], statement["subject"] * 2):
            assert code_of({**statement, "subject": subjects}) == "subject"

    def test_s11_a_commit_covers_nothing(self, name: str) -> None:
        found = read(example(name))
        assert found.resources == ()
        assert [(item.digest, item.other_digests) for item in found.subjects] == [(None, {})]

    def test_s11_with_a_secure_digest_the_commit_is_none(self, name: str) -> None:
        found = read(changed(example(name), "subject.0.digest", {"gitCommit": COMMIT, "sha256": "a" * 64}))
        assert found.claim in {"verification.summary", "scorecard"}
        assert [item.revision for item in found.subjects] == [None]
        assert found.resources == found.subjects


# -- which claim -------------------------------------------------------------------------------------------------------


def test_what_is_not_read_yet_has_the_claim_that_it_seems_to_make() -> None:
    kind = example("source-summary")["predicateType"]
    assert claim_of(kind) == claim_of(kind, {"verifiedLevels": "x"}) == "verification.summary"
    assert claim_of(kind, {"verifiedLevels": ["SLSA_SOURCE_LEVEL_2"]}) == "source.summary"
    assert claim_of(kind, {"verifiedLevels": ["SLSA_SOURCE_LEVEL_2", "SLSA_BUILD_LEVEL_2"]}) == "verification.summary"
    assert claims_of(kind) == ("verification.summary", "source.summary")


def test_a_draft_is_read_only_where_it_is_switched_on() -> None:
    statement = example("eval-result")
    with pytest.raises(StatementError, match=r"`drafts: \[eval-result\]` in gate.yaml") as caught:
        read(statement, PLAIN)
    assert caught.value.code == "draft"
    assert claim_of(statement["predicateType"]) == "eval.result"
    assert not readers().keys() & {kind for found in DRAFTS.values() for kind in found}
