"""What stands beside the signature of a managed key, and signatures of files by one (SECURITY 7, 9)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from gate.model.evidence import Evidence
from gate.verify.trust import TrustStore
from tests.support.evidence import (
    NOW_S,
    SigningKey,
    encode,
    envelope,
    only_rejected,
    only_verified,
    signer,
    single_file,
    statement,
    trust,
    verify,
)
from tests.support.keyless import (
    AT_S,
    PAYLOAD,
    admitted,
    changed,
    code,
    keyless,
    keyless_trust,
    signature_of,
)
from tests.support.virtual_bundles import (
    CHANGES,
    ED25519,
    FILE,
    KEYS,
    KINDS,
    P256,
    P384,
    STAMPS,
    LeafKey,
    body_of,
    bundle,
    pairs,
    public_pem,
    with_body,
)
from tests.support.virtual_sigstore import pae

MESSAGES: Final = ("hashedrekord/0.0.1", "hashedrekord/0.0.2")
TWO: Final = {"release": P256, "other": ED25519}
SIGNED: Final = keyless(claims=("artifact.signature", "build.provenance"))


def signing(**more: Any) -> TrustStore:
    return keyless_trust(SIGNED, **more)


# -- managed keys ------------------------------------------------------------------------------------------------------


def managed_store(key: LeafKey, *, root: bool, **more: Any) -> TrustStore:
    found = signer("release", SigningKey("p256", key), claims=("artifact.signature", "build.provenance"), **more)
    return keyless_trust(found) if root else trust(found)


@pytest.mark.parametrize(("message", "key"), pairs([False, True], ["p256", "p384"]))
def test_s09_a_managed_key_signs_statements_and_files(message: bool, key: str) -> None:
    found = bundle(
        None, key=KEYS[key], managed=True, message=message, content=FILE if message else PAYLOAD, stamped=False
    )
    for root in (False, True):
        verified = admitted(found, managed_store(KEYS[key], root=root))
        assert (verified.signed_at_s, verified.log_included) == (None, False)
        assert verified.signers[0].kind == "key"
    for version in ("0.1", "0.2"):
        media_type = f"application/vnd.dev.sigstore.bundle+json;version={version}"
        admitted(changed(found, "mediaType", media_type), managed_store(KEYS[key], root=False))


@pytest.mark.parametrize("kind", KINDS)
def test_s09_a_log_entry_beside_a_managed_key_counts_where_a_root_is_pinned(kind: str) -> None:
    found = bundle(kind, key=P256, managed=True)
    verified = admitted(found, managed_store(P256, root=True))
    assert (verified.signed_at_s, verified.log_included) == (AT_S, True)
    ignored = admitted(found, managed_store(P256, root=False))
    assert (ignored.signed_at_s, ignored.log_included) == (None, False)


@pytest.mark.parametrize("name", [*CHANGES, "another key"])
def test_s09_what_stands_beside_a_managed_key_has_to_hold(name: str) -> None:
    if name in {"no entry", "a changed payload", "another signature", "an empty signature", "another kind"}:
        return
    found = bundle("intoto/0.0.2", key=P256, managed=True)
    if name == "another key":
        theirs = public_pem(P384)
        found = with_body(found, body_of("intoto/0.0.2", pae(PAYLOAD), PAYLOAD, signature_of(found), theirs, "sha256"))
    else:
        found = changed(found, *CHANGES[name])
    assert code(found, managed_store(P256, root=True)).startswith("signature.keyless_")
    if name != "two signatures":
        admitted(found, managed_store(P256, root=False))


def test_s07_a_key_whose_time_is_over_counts_where_a_log_says_when_it_signed() -> None:
    over_s = NOW_S - 1800
    found = bundle("dsse/0.0.1", key=P256, managed=True)
    admitted(found, managed_store(P256, root=True, valid_until_s=over_s))
    assert code(found, managed_store(P256, root=False, valid_until_s=over_s)) == "signature.expired"
    late = bundle("dsse/0.0.1", key=P256, managed=True, at=datetime.fromtimestamp(over_s + 60, UTC))
    assert code(late, managed_store(P256, root=True, valid_until_s=over_s)) == "signature.expired"


def test_s09_a_timestamp_beside_a_managed_key_gives_time() -> None:
    found = bundle(None, key=P256, managed=True)
    verified = admitted(found, managed_store(P256, root=True))
    assert (verified.signed_at_s, verified.log_included) == (AT_S, False)
    assert code(changed(found, f"{STAMPS}.0.signedTimestamp", "AAAA"), managed_store(P256, root=True)) == (
        "signature.keyless_timestamp"
    )


def test_a_file_signed_by_nobody_trusted_is_refused() -> None:
    found = bundle(None, key=P256, managed=True, message=True, content=FILE, stamped=False)
    assert code(found, managed_store(P384, root=False)) == "signature.untrusted"
    item = only_rejected(verify(encode(found), store=managed_store(ED25519, root=False)))
    assert "one of Ed25519 needs the file" in item.detail


def test_a_file_signed_by_one_of_several_trusted_keys_is_theirs_alone() -> None:
    found = bundle(None, key=P256, managed=True, message=True, content=FILE, stamped=False)
    both = trust(
        *(signer(name, SigningKey("p256", key), claims=("artifact.signature",)) for name, key in TWO.items()),
    )
    assert [item.name for item in admitted(found, both).signers] == ["release"]
    stranger = bundle(None, key=P384, managed=True, message=True, content=FILE, stamped=False)
    item = only_rejected(verify(encode(stranger), store=both))
    assert "one of Ed25519 needs the file" in item.detail
    item = only_rejected(verify(encode(stranger), store=managed_store(P256, root=False)))
    assert "(1 were tried)" in item.detail


def test_where_the_message_is_known_nothing_else_is_needed() -> None:
    found = bundle(None, key=P256, managed=True, message=True, content=FILE, stamped=False)
    item = only_rejected(
        verify(Evidence("a.json", encode(found), message=FILE), store=managed_store(ED25519, root=False))
    )
    assert "(1 were tried)" in item.detail


def test_s07_a_log_gives_its_time_to_who_may_speak_whatever_other_name_the_key_has() -> None:
    key = SigningKey("p256", P256)
    store = keyless_trust(signer("other", key, ("prompt",)), signer("release", key, ("build.provenance",)))
    verified = admitted(bundle("dsse/0.0.1", key=P256, managed=True), store)
    assert ([item.name for item in verified.signers], verified.signed_at_s) == (["release"], AT_S)


def other_digest_of_file(_digest: str, algorithm: str) -> str:
    return hashlib.new(algorithm, FILE).hexdigest()


def test_s11_a_file_that_is_signed_by_another_digest_is_told_by_its_sha256() -> None:
    """Of the file that is here the manifest says its SHA-256, whatever hash is under the signature."""
    found = bundle(None, key=P384, managed=True, message=True, content=FILE, stamped=False)
    here = single_file("model", "model.bin", FILE)

    store = managed_store(P384, root=False)
    item = only_verified(verify(encode(found), store=store, artifacts=[here], other_digest=other_digest_of_file))
    assert item.artifacts == ("model",)
    assert item.statement.facts["files"] == {".": here.digest}
    assert [found.digest for found in item.statement.resources] == [here.digest]
    elsewhere = only_verified(verify(encode(found), store=store, artifacts=[]))
    assert (elsewhere.artifacts, elsewhere.statement.facts["files"]) == ((), {})


def test_s11_a_statement_by_another_digest_says_what_it_said() -> None:
    said = statement("prompt", [{"name": "a", "digest": {"sha512": hashlib.sha512(FILE).hexdigest()}}])
    here = single_file("model", "model.bin", FILE)
    item = only_verified(verify(envelope(said), artifacts=[here], other_digest=other_digest_of_file))
    assert (item.artifacts, "files" in item.statement.facts) == (("model",), False)
    assert item.statement.subjects == item.statement.resources
    assert [found.digest for found in item.statement.resources] == [here.digest]
