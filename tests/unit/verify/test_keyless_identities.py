"""Who a certificate is: every word of an identity refuses alone, and patterns are full matches (SECURITY 3, 7, 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from gate.errors import ConfigError
from gate.model.settings import IdentitySettings
from tests.support.evidence import encode, only_verified, verify
from tests.support.keyless import (
    admitted,
    code,
    keyless,
    keyless_trust,
)
from tests.support.virtual_bundles import (
    bundle,
)
from tests.support.virtual_sigstore import ISSUER, WORKFLOW, Person

MESSAGES: Final = ("hashedrekord/0.0.1", "hashedrekord/0.0.2")
SIGNED: Final = keyless(claims=("artifact.signature", "build.provenance"))


@pytest.mark.parametrize(
    "field", ["source_repository_id", "source_ref", "source_digest", "build_trigger", "runner_environment"]
)
def test_s08_each_word_about_the_job_alone_refuses(field: str) -> None:
    numbers = {
        "source_repository_id": 15,
        "source_ref": 14,
        "source_digest": 13,
        "build_trigger": 20,
        "runner_environment": 11,
    }
    person = Person(WORKFLOW, ISSUER, {number: f"value of {name}" for name, number in numbers.items()})
    found = bundle(person=person)
    good = identity(**{field: f"value of {field}"})
    assert getattr(admitted(found, keyless_trust(good)).signers[0].build, field) == f"value of {field}"
    assert code(found, keyless_trust(identity(**{field: "another"}))).startswith("signature.keyless_")
    assert code(bundle(), keyless_trust(good)).startswith("signature.keyless_")


def identity(subject: str | None = WORKFLOW, **more: Any) -> Any:
    from dataclasses import replace

    return replace(keyless(), identity=IdentitySettings(ISSUER, subject, None, **more))


PATTERN: Final = WORKFLOW.partition("@")[0] + "@refs/tags/v*"


@pytest.mark.parametrize(
    ("subject", "holds"),
    [
        (PATTERN.replace("*", "1.2"), True),
        (PATTERN.replace("*", ""), True),
        (PATTERN.replace("*", "1/2"), False),
        (PATTERN.replace("*", "1 2"), False),
        (PATTERN.replace("v*", "x1"), False),
        (PATTERN.replace("acme", "mallory").replace("*", "1"), False),
        (PATTERN.replace("*", "1") + "\n", False),
        ("https://evil.test/?" + PATTERN.replace("*", "1"), False),
    ],
)
def test_s08_a_pattern_is_a_full_match(subject: str, holds: bool) -> None:
    store = keyless_trust(identity(None, subject_pattern=PATTERN))
    found = bundle(person=Person(subject))
    if holds:
        assert admitted(found, store).signers[0].subject == subject
    else:
        assert code(found, store) == "signature.keyless_identity"


def test_s03_a_workflow_is_one_whatever_ref_it_ran_for() -> None:
    first, second = (Person(PATTERN.replace("*", text)) for text in "12")
    other = Person(first.subject.replace(".yml@", "-too.yml@"))
    assert other.subject != first.subject
    pattern = replace(identity(None, subject_pattern=PATTERN), claims=("build.provenance",))
    exact = replace(identity(other.subject), name="exact", claims=("build.provenance",))
    store = keyless_trust(pattern, exact, thresholds={"build.provenance": 2})
    for again in (first, second):
        one = verify(encode(bundle(person=first)), encode(bundle(person=again)), store=store)
        assert {item.code for item in one.rejected} == {"signature.threshold"}
    two = only_verified(verify(encode(bundle(person=first)), encode(bundle(person=other)), store=store))
    assert sorted(item.subject or "" for item in two.signers) == sorted([first.subject, other.subject])


def test_s03_two_refs_of_a_workflow_reach_no_threshold() -> None:
    signers = [
        replace(identity(PATTERN.replace("*", text)), name=f"tag {text}", claims=("build.provenance",)) for text in "12"
    ]
    with pytest.raises(ConfigError, match=r"the threshold of build.provenance is 2, but 1 distinct signers"):
        keyless_trust(*signers, thresholds={"build.provenance": 2})


def test_s07_a_revoked_pattern_takes_all_whom_it_means() -> None:
    person = Person(PATTERN.replace("*", "1"))
    exact = identity(person.subject)
    pattern = identity(None, subject_pattern=PATTERN)
    store = keyless_trust(replace(exact, name="exact"), replace(pattern, name="old"), identities=["old"])
    assert code(bundle(person=person), store) == "signature.revoked"
    admitted(bundle(), keyless_trust(keyless(), replace(pattern, name="old"), identities=["old"]))


def test_s07_a_revoked_pattern_is_of_its_issuer() -> None:
    person = Person(PATTERN.replace("*", "1"))
    others = replace(
        identity(), name="old", identity=IdentitySettings(f"{ISSUER}/x", None, None, subject_pattern=PATTERN)
    )
    store = keyless_trust(replace(identity(person.subject), name="exact"), others, identities=["old"])
    admitted(bundle(person=person), store)


def test_s07_one_pattern_is_revoked_and_another_of_its_issuer_is_not() -> None:
    other = PATTERN.replace(".yml@", "-too.yml@")
    first, second = replace(identity(None, subject_pattern=PATTERN), name="old"), identity(None, subject_pattern=other)
    store = keyless_trust(first, second, identities=["old"])
    admitted(bundle(person=Person(other.replace("*", "1"))), store)
    assert code(bundle(person=Person(PATTERN.replace("*", "1"))), store) == "signature.revoked"


def test_s07_who_is_revoked_under_a_name_does_not_come_back_under_a_pattern() -> None:
    person = Person(PATTERN.replace("*", "1"))
    exact, wide = replace(identity(person.subject), name="old"), identity(None, subject_pattern=PATTERN)
    store = keyless_trust(exact, wide, identities=["old"])
    assert code(bundle(person=person), store) == "signature.revoked"
    admitted(bundle(person=Person(PATTERN.replace("*", "2"))), store)


def test_s03_two_refs_of_a_workflow_are_one_of_the_two_that_are_needed() -> None:
    subjects = [*(PATTERN.replace("*", text) for text in "12"), PATTERN.replace(".yml@", "-too.yml@")]
    signers = [
        replace(identity(subject), name=f"signer {number}", claims=("build.provenance",))
        for number, subject in enumerate(subjects)
    ]
    store = keyless_trust(*signers, thresholds={"build.provenance": 2})
    found = verify(*(encode(bundle(person=Person(subject))) for subject in subjects[:2]), store=store)
    assert {item.code for item in found.rejected} == {"signature.threshold"}


def test_s03_people_of_two_domains_are_two_whatever_their_names_are() -> None:
    people = [Person(f"ann@{domain}.test", ISSUER, {}) for domain in ("acme", "other")]
    signers = [
        replace(identity(person.subject), name=person.subject, claims=("build.provenance",)) for person in people
    ]
    store = keyless_trust(*signers, thresholds={"build.provenance": 2})
    found = only_verified(verify(*(encode(bundle(person=person)) for person in people), store=store))
    assert [item.subject for item in found.signers] == ["ann@acme.test", "ann@other.test"]
