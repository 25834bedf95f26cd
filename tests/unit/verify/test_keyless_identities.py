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
