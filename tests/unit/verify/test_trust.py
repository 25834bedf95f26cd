"""Who may say what, at which time (SECURITY 2, 3, 7)."""

from __future__ import annotations

from typing import Any

import pytest

from gate.errors import ConfigError
from gate.verify.trust import TrustStore, Untrusted
from tests.support.evidence import (
    NOW_S,
    SigningKey,
    bundle,
    digest_of,
    keyless,
    make_key,
    only_rejected,
    signer,
    statement,
    trust,
    verify,
)

DATA = b"signed bytes"


def signed(*keys: SigningKey) -> tuple[bytes, ...]:
    return tuple(key.sign(DATA) for key in keys)


def identified(store: TrustStore, *keys: SigningKey) -> list[str]:
    return [item.name for item in store.identify(signed(*keys), DATA)]


def refused(store: TrustStore, *keys: SigningKey) -> str:
    with pytest.raises(Untrusted) as caught:
        store.identify(signed(*keys), DATA)
    return caught.value.code


def test_a_trusted_key_is_identified_by_its_signature() -> None:
    store = trust(signer("release"), signer("other"))
    assert identified(store, make_key("other")) == ["other"]


def test_all_trusted_signers_of_an_envelope_are_found() -> None:
    store = trust(signer("release"), signer("other"))
    assert identified(store, make_key("stranger"), make_key("other"), make_key("release")) == ["release", "other"]


def test_without_a_signature_nobody_signed() -> None:
    assert refused(trust()) == "none"


def test_a_stranger_is_not_trusted() -> None:
    assert refused(trust(), make_key("stranger")) == "untrusted"


def test_without_signers_nobody_is_trusted() -> None:
    assert refused(trust(keyless("workflow")), make_key()) == "untrusted"


# -- windows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "ends", "holds"),
    [
        (None, None, True),
        (NOW_S, NOW_S, True),
        (NOW_S - 1, NOW_S + 1, True),
        (NOW_S + 1, None, False),
        (None, NOW_S - 1, False),
        (NOW_S, None, True),
        (None, NOW_S, True),
        (NOW_S + 1, NOW_S - 1, False),
        (0, 0, False),
    ],
)
def test_s7_a_key_counts_inside_its_window_only(begins: int | None, ends: int | None, *, holds: bool) -> None:
    store = trust(signer(valid_from_s=begins, valid_until_s=ends))
    if holds:
        assert identified(store, make_key()) == ["release"]
    else:
        assert refused(store, make_key()) == "expired"


def test_s7_an_expired_signer_does_not_spoil_a_current_one() -> None:
    store = trust(signer("old", valid_until_s=NOW_S - 1), signer("release"))
    assert identified(store, make_key("old"), make_key("release")) == ["release"]


# -- revocation --------------------------------------------------------------------------------------------------------


def test_s7_a_key_is_revoked_by_its_signers_name() -> None:
    assert refused(trust(revoked_keys=["release"]), make_key()) == "revoked"


def test_s7_a_key_is_revoked_by_its_spki() -> None:
    assert refused(trust(revoked_keys=[make_key().spki]), make_key()) == "revoked"


def test_s7_a_key_revoked_under_one_name_does_not_come_back_under_another() -> None:
    store = trust(signer("old", make_key("release")), signer("new", make_key("release")), revoked_keys=["old"])
    assert refused(store, make_key("release")) == "revoked"


def test_s7_revoking_one_key_leaves_the_others() -> None:
    store = trust(signer("old"), signer("release"), revoked_keys=["old"])
    assert identified(store, make_key("old"), make_key("release")) == ["release"]


def test_s7_a_key_that_is_in_no_signer_may_be_revoked_by_spki() -> None:
    assert identified(trust(revoked_keys=[make_key("gone").spki]), make_key()) == ["release"]


@pytest.mark.parametrize(
    "entry",
    [
        "relase",
        "Release",
        "release ",
        "",
        make_key().spki.upper(),
        make_key().spki[7:],
        make_key().spki[:-1],
        "sha256:",
    ],
)
def test_s7_a_revocation_of_nothing_is_a_configuration_error(entry: str) -> None:
    with pytest.raises(ConfigError, match="is neither a signer nor"):
        trust(revoked_keys=[entry])


def test_s7_a_revocation_with_a_typing_error_names_the_signer_that_was_meant() -> None:
    with pytest.raises(ConfigError, match="did you mean 'release'"):
        trust(revoked_keys=["relase"])


def test_a_keyless_signer_may_be_revoked_by_name() -> None:
    assert identified(trust(signer(), keyless("workflow"), revoked_keys=["workflow"]), make_key()) == ["release"]


def test_s7_evidence_is_revoked_by_any_of_its_digests() -> None:
    store = trust(revoked_evidence=[digest_of("a"), digest_of("b")])
    assert store.is_revoked_evidence(digest_of("x"), digest_of("a"))
    assert store.is_revoked_evidence(digest_of("b"), digest_of("x"))
    assert not store.is_revoked_evidence(digest_of("x"), digest_of("y"))


# -- claims and thresholds ---------------------------------------------------------------------------------------------


def authorised(store: TrustStore, claim: str, *names: str) -> list[str] | str:
    try:
        return [item.name for item in store.authorised(frozenset((name, None) for name in names), claim)]
    except Untrusted as error:
        return error.code


@pytest.mark.parametrize(
    ("claims", "claim", "may"),
    [
        (("prompt",), "prompt", True),
        (("prompt",), "eval", False),
        (("build.*",), "build.provenance", True),
        (("build.*",), "prompt", False),
        (("build.provenance",), "build.provenance", True),
        (("test.result", "prompt"), "prompt", True),
        (("test.*",), "test.result", True),
        (("eval",), "eval.result", False),
        (("eval.*",), "eval", False),
        (("*",), "prompt", False),
        (("b*",), "build.provenance", False),
        (("*.*",), "build.provenance", False),
        (("build.*.*",), "build.provenance", False),
        (("build.prov*",), "build.provenance", False),
        (("approval",), "", False),
    ],
)
def test_s7_a_signer_speaks_for_its_claims_only(claims: tuple[str, ...], claim: str, *, may: bool) -> None:
    found = authorised(trust(signer(claims=claims)), claim, "release")
    assert found == (["release"] if may else "claim")


def test_the_identity_says_who_and_by_which_key() -> None:
    (found,) = trust().authorised(frozenset({("release", None)}), "prompt")
    assert (found.name, found.kind, found.spki) == ("release", "key", make_key().spki)


def two_of(*signers: Any, **more: Any) -> TrustStore:
    return trust(*signers, thresholds={"approval": 2}, **more)


def test_s3_two_distinct_keys_reach_a_threshold_of_two() -> None:
    assert authorised(two_of(signer("b"), signer("a"), signer("c")), "approval", "b", "a") == ["a", "b"]


def test_s3_one_key_does_not_reach_a_threshold_of_two() -> None:
    assert authorised(two_of(signer("a"), signer("b")), "approval", "a") == "threshold"


def test_s3_one_key_under_two_names_counts_once() -> None:
    store = two_of(signer("a"), signer("again", make_key("a")), signer("b"))
    assert authorised(store, "approval", "a", "again") == "threshold"


def test_s3_one_rsa_key_under_two_schemes_counts_once() -> None:
    pss, pkcs1 = make_key("a", "rsa-pss"), make_key("a", "rsa-pkcs1")
    store = two_of(signer("a", pss), signer("again", pkcs1), signer("b"))
    assert authorised(store, "approval", "a", "again") == "threshold"


def test_s3_who_may_not_make_the_claim_does_not_count_for_its_threshold() -> None:
    store = two_of(signer("a"), signer("b"), signer("c", claims=("prompt",)))
    assert authorised(store, "approval", "a", "c") == "threshold"


def test_s3_a_threshold_is_of_its_claim() -> None:
    assert authorised(two_of(signer("a"), signer("b")), "prompt", "a") == ["a"]


def test_s3_a_threshold_that_the_keys_cannot_reach_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="threshold of approval is 2, but 1 distinct"):
        two_of(signer("a"), signer("again", make_key("a")))


def test_s3_who_may_not_make_the_claim_does_not_help_to_reach_a_threshold() -> None:
    with pytest.raises(ConfigError, match="1 distinct signers"):
        two_of(signer("a"), signer("b", claims=("prompt",)))


def test_s3_a_keyless_signer_does_not_help_to_reach_a_threshold() -> None:
    with pytest.raises(ConfigError, match="1 distinct signers"):
        two_of(signer("a"), keyless("b", ("approval",)))


def test_a_configured_key_that_is_none_is_a_configuration_error() -> None:
    broken = signer("a")
    with pytest.raises(ConfigError, match=r"keys/a.pub: key of signer 'a': unknown scheme"):
        trust(type(broken)("a", ("prompt",), "keys/a.pub", make_key("a", "rsa-pss").pem, None, "none", None, None))


def test_s10_a_type_that_is_the_name_of_a_claim_is_no_claim() -> None:
    """A signer's own types are addresses; a statement of the type `approval` is no approval, and nothing else."""
    found = only_rejected(
        verify(
            bundle(statement("approval", {"a": digest_of("a")}, kind="approval")),
            store=trust(signer(claims=("approval",))),
        )
    )
    assert found.code == "statement.predicate_unknown"
