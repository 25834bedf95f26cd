"""Keys, log entries, messages and managed keys beyond what the sigstore library verifies (SECURITY 3, 4, 8, 9)."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from gate.formats.bundle import parse_container
from gate.model.evidence import Evidence, TimeSource
from gate.verify import keyless as module
from gate.verify.certificate import quiet
from gate.verify.pipeline import admit_evidence
from gate.verify.trust import TrustStore
from tests.support.evidence import LIMIT, encode, only_rejected, only_verified, verify
from tests.support.keyless import (
    AT,
    AT_S,
    PAYLOAD,
    admitted,
    changed,
    code,
    keyless,
    keyless_trust,
    root_bytes,
    signature_of,
    sigstore,
)
from tests.support.virtual_bundles import (
    CHANGES,
    ED25519,
    ENTRY,
    FILE,
    KEYS,
    KINDS,
    P256,
    P384,
    STAMPS,
    body_of,
    bundle,
    pairs,
    promised,
    public_pem,
    with_body,
)
from tests.support.virtual_sigstore import Person, b64, older, pae, pem

MESSAGES: Final = ("hashedrekord/0.0.1", "hashedrekord/0.0.2")
SIGNED: Final = keyless(claims=("artifact.signature", "build.provenance"))


def signing(**more: Any) -> TrustStore:
    return keyless_trust(SIGNED, **more)


@quiet()
def oracle(found: dict[str, Any], store: TrustStore) -> bool | None:
    """What the library says of a bundle; `None` where it does not verify such a one."""
    container = parse_container(encode(found), limit=LIMIT)
    keyless_verifier, material = store.keyless, container.material
    assert keyless_verifier is not None
    assert material is not None
    library = module._library(json.dumps(json.loads(root_bytes())))
    assert library is not None
    try:
        module._verify(library.verifier, container.content, material, module._Policy(keyless_verifier.identities, True))
    except Exception:  # noqa: BLE001 - whatever it says, it does not accept it
        return False
    return True


# -- what verifies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "key"), pairs(KINDS, KEYS))
def test_s08_every_kind_of_entry_and_key_is_verified(kind: str, key: str) -> None:
    stamped = kind.endswith("2") and not kind.startswith("intoto")
    found = admitted(bundle(kind, key=KEYS[key]))
    assert found.log_included
    assert (found.signed_at_s, found.time_source) == (
        AT_S,
        TimeSource.TIMESTAMP_AUTHORITY if stamped else TimeSource.LOG,
    )


@pytest.mark.parametrize(("version", "kind"), pairs(["0.1", "0.2"], ["intoto/0.0.2", "hashedrekord/0.0.1"]))
def test_older_bundles_are_verified_by_our_own_verifier(version: str, kind: str) -> None:
    assert admitted(older(bundle(kind), version)).log_included


@pytest.mark.parametrize(("kind", "key"), pairs(MESSAGES, ["p256", "p384"]))
def test_s08_a_signature_of_a_file_is_verified(kind: str, key: str) -> None:
    found = admitted(bundle(kind, key=KEYS[key], content=FILE, message=True), signing())
    (subject,) = found.statement.subjects
    algorithm = "sha256" if key == "p256" else "sha384"
    expected = hashlib.new(algorithm, FILE).hexdigest()
    assert subject.digest == (f"sha256:{expected}" if key == "p256" else None)
    assert dict(subject.other_digests) == ({} if key == "p256" else {"sha384": expected})
    assert (found.statement.claim, subject.name) == ("artifact.signature", "")
    assert found.statement.predicate_type == "urn:promotion-gate:signed-file:v1"


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_bundle_may_leave_the_digest_of_the_file_to_its_log_entry(kind: str) -> None:
    found = bundle(kind, content=FILE, message=True)
    (subject,) = admitted(changed(found, "messageSignature.messageDigest", ...), signing()).statement.subjects
    assert subject.digest == f"sha256:{hashlib.sha256(FILE).hexdigest()}"


def image(digest: str = "a" * 64, **more: Any) -> bytes:
    critical = {
        "identity": {"docker-reference": "registry.test/x"},
        "image": {"docker-manifest-digest": f"sha256:{digest}"},
        "type": "cosign container image signature",
    }
    return json.dumps({"critical": critical | more, "optional": None}).encode()


def over(message: bytes, found: dict[str, Any], store: TrustStore) -> Any:
    """What becomes of a message signature whose message is known."""
    item = Evidence("registry.test/x@sha256:1", encode(found), message=message)
    return admit_evidence([item], store, limit=LIMIT).settle({}, {}, lambda *_: None)


@pytest.mark.parametrize("key", KEYS)
def test_a_signature_of_an_image_is_a_statement_about_its_digest(key: str) -> None:
    message = image()
    found = only_verified(
        over(message, bundle("hashedrekord/0.0.1", key=KEYS[key], content=message, message=True), signing())
    )
    assert [item.digest for item in found.statement.subjects] == [f"sha256:{'a' * 64}"]
    assert found.statement.predicate_type == "https://sigstore.dev/cosign/sign/v1"
    assert found.payload == f"sha256:{hashlib.sha256(message).hexdigest()}"


@pytest.mark.parametrize(
    "message",
    [
        b"not JSON",
        b"[]",
        b"{}",
        image(type="something else"),
        image(digest="A" * 64),
        image(more=1),
        json.dumps({**json.loads(image()), "_type": "https://in-toto.io/Statement/v1"}).encode(),
    ],
    ids=str,
)
def test_s06_a_message_that_names_no_image_is_refused(message: bytes) -> None:
    found = over(message, bundle("hashedrekord/0.0.1", content=message, message=True), signing())
    assert only_rejected(found).code.startswith("statement.")


def test_s06_the_message_is_the_one_that_was_signed() -> None:
    found = bundle("hashedrekord/0.0.1", content=image(), message=True)
    assert only_rejected(over(image("b" * 64), found, signing())).code == "envelope.digest"
    bare = changed(found, "messageSignature.messageDigest", ...)
    assert only_rejected(over(image("b" * 64), bare, signing())).code.startswith("signature.keyless_")
    only_verified(over(image(), bare, signing()))


def test_s03_a_signed_statement_and_the_signed_file_of_its_text_are_two_things() -> None:
    """Who signed the file that holds a statement did not make the statement."""
    ann = Person("ann@acme.test", "https://accounts.test", {})
    store = keyless_trust(
        SIGNED,
        keyless("ann", ann.subject, ann.issuer, claims=("artifact.signature", "build.provenance")),
        thresholds={"build.provenance": 2},
    )
    as_file = bundle("hashedrekord/0.0.1", content=PAYLOAD, message=True, person=ann)
    found = verify(encode(bundle()), encode(as_file), store=store)
    assert [item.statement.claim for item in found.verified] == ["artifact.signature"]
    assert [item.code for item in found.rejected] == ["signature.threshold"]


# -- less than a log proves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dsse/0.0.1", "intoto/0.0.2", "intoto/0.0.1", "hashedrekord/0.0.1"])
def test_s08_a_promise_without_proof_gives_time_and_no_inclusion(kind: str) -> None:
    found = admitted(promised(bundle(kind)))
    assert (found.signed_at_s, found.time_source, found.log_included) == (AT_S, TimeSource.LOG, False)
    unsigned = changed(older(bundle(kind), "0.1"), f"{ENTRY}.inclusionProof.checkpoint", ...)
    assert not admitted(unsigned).log_included


def test_s08_only_version_one_may_lack_the_proof() -> None:
    for version in ("0.2", "0.3"):
        found = bundle() if version == "0.3" else older(bundle(), version)
        assert code(changed(found, f"{ENTRY}.inclusionProof", ...)) == "envelope.shape"
    assert code(changed(promised(bundle()), f"{ENTRY}.inclusionPromise", ...)) == "envelope.shape"


@pytest.mark.parametrize("message", [False, True])
def test_s08_timestamps_alone_count_for_who_says_so(message: bool) -> None:
    private = keyless(claims=("artifact.signature", "build.provenance"), timestamps_only=True)
    found = bundle(None, content=FILE if message else PAYLOAD, message=message)
    verified = admitted(found, keyless_trust(private))
    assert (verified.signed_at_s, verified.time_source) == (AT_S, TimeSource.TIMESTAMP_AUTHORITY)
    assert not verified.log_included
    assert code(found, keyless_trust(SIGNED)) == "signature.keyless_log"
    other = keyless("other", "ann@acme.test", timestamps_only=True)
    assert code(found, keyless_trust(SIGNED, other)) == "signature.keyless_log"
    assert code(changed(found, STAMPS, []), keyless_trust(private)) == "signature.keyless_log"


def private_root() -> dict[str, Any]:
    return {**json.loads(root_bytes()), "tlogs": [], "ctlogs": []}


def test_s08_without_certificate_logs_no_promise_can_be_asked_for() -> None:
    private = keyless(timestamps_only=True)
    certificate = sigstore().issue(P256.public_key(), Person(), AT, promised=False)
    found = bundle(None, key=P256, certificate=certificate)
    assert not admitted(found, keyless_trust(private, root=encode(private_root()))).log_included
    assert code(found, keyless_trust(private)) == "signature.keyless_sct"
    logged = bundle("dsse/0.0.1", key=P384)
    assert code(logged, keyless_trust(private, root=encode(private_root()))) == "signature.keyless_log"


# -- what does not verify ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), pairs(["intoto/0.0.2", "hashedrekord/0.0.1"], CHANGES))
def test_s08_what_is_changed_is_refused(kind: str, name: str) -> None:
    found = changed(bundle(kind, key=P384), *CHANGES[name])
    assert code(found).startswith(("signature.keyless_", "envelope."))


PROMISES: Final[dict[str, tuple[str, Any]]] = {
    "another time": (f"{ENTRY}.integratedTime", lambda text: str(int(text) + 1)),
    "no time": (f"{ENTRY}.integratedTime", ...),
    "a time of nought": (f"{ENTRY}.integratedTime", "0"),
    "another place": (f"{ENTRY}.logIndex", lambda text: str(int(text) + 1)),
    "the promise of another log": (f"{ENTRY}.logId.keyId", lambda _: b64(sigstore().rekor2_id)),
    "another promise": (f"{ENTRY}.inclusionPromise.signedEntryTimestamp", lambda _: b64(b"\x30\x00")),
}


@pytest.mark.parametrize(("short", "name"), pairs([False, True], PROMISES))
def test_s08_a_promise_is_that_of_its_log_over_this_entry(short: bool, name: str) -> None:
    found = bundle("intoto/0.0.2")
    found = changed(promised(found) if short else found, *PROMISES[name])
    assert code(found) in {"signature.keyless_log", "signature.keyless_time"}


def test_s08_a_record_is_about_this_signature_payload_and_certificate() -> None:
    signature, other = b"sig", ec.generate_private_key(ec.SECP256R1())
    for kind in KINDS:
        good = bundle(kind, key=P256)
        raw = good["verificationMaterial"]["certificate"]["rawBytes"]
        wrapped = f"-----BEGIN CERTIFICATE-----\n{raw}\n-----END CERTIFICATE-----\n".encode()
        theirs = pem(sigstore().issue(other.public_key(), Person(), AT))
        mine = signature_of(good)
        bodies = {
            "payload": body_of(kind, b"other", b"other", mine, wrapped, "sha256"),
            "certificate": body_of(kind, pae(PAYLOAD), PAYLOAD, mine, theirs, "sha256"),
            "key": body_of(kind, pae(PAYLOAD), PAYLOAD, mine, public_pem(other), "sha256"),
            "bare key": body_of(kind, pae(PAYLOAD), PAYLOAD, mine, public_pem(P256), "sha256"),
        }
        if kind != "intoto/0.0.1":
            bodies["signature"] = body_of(kind, pae(PAYLOAD), PAYLOAD, signature, wrapped, "sha256")
        for name, body in bodies.items():
            found = with_body(good, body)
            assert code(found) == "signature.keyless_log", (kind, name)


def test_s04_the_key_of_a_certificate_fixes_the_hash() -> None:
    found = bundle("hashedrekord/0.0.1", key=P384, content=FILE, message=True)
    digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(FILE).digest())}
    assert code(changed(found, "messageSignature.messageDigest", digest), signing()) in {
        "signature.keyless_log",
        "signature.keyless_signature",
    }


def test_s04_a_key_that_nothing_is_verified_with_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    certificate = sigstore().issue(key.public_key(), Person(), AT)  # type: ignore[arg-type]
    p521 = ec.generate_private_key(ec.SECP521R1())
    others = sigstore().issue(p521.public_key(), Person(), AT)
    good = bundle("intoto/0.0.2")
    for leaf in (certificate, others):
        raw = b64(leaf.public_bytes(Encoding.DER))
        assert code(changed(good, "verificationMaterial.certificate.rawBytes", raw)) == "signature.keyless_key"


def test_a_signature_of_a_file_by_ed25519_needs_the_file() -> None:
    assert code(bundle("hashedrekord/0.0.1", key=ED25519, content=FILE, message=True), signing()) == (
        "signature.keyless_signature"
    )


@pytest.mark.parametrize("kind", ["intoto/0.0.2", "dsse/0.0.1"])
def test_s08_another_instance_is_another_world(kind: str) -> None:
    theirs = bundle(kind, key=P384, instance=sigstore("other.test"))
    assert code(theirs) == "signature.keyless_log"


# -- the oracle --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dsse/0.0.1", "hashedrekord/0.0.2"])
def test_our_own_verifier_and_the_library_agree(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = keyless_trust()
    cases = [
        bundle(kind),
        bundle(kind, person=Person("mallory@acme.test")),
        bundle(kind, instance=sigstore("other.test")),
    ]
    cases += [changed(bundle(kind), *change) for change in CHANGES.values()]
    cases += [
        bundle(kind, at=AT + timedelta(days=1), certificate=sigstore().issue(P256.public_key(), Person(), AT), key=P256)
    ]
    unpromised = sigstore().issue(P256.public_key(), Person(), AT, promised=False)
    cases += [bundle(kind, key=P256, certificate=unpromised)]
    monkeypatch.setattr(module, "_library_can", lambda *_: False)
    agreed = {True: 0, False: 0}
    for found in cases:
        result = verify(encode(found), store=store)
        if any(item.code.startswith("envelope.") for item in result.rejected):
            continue
        verdict = bool(result.verified)
        if verdict:  # what we accept the library accepts; it is laxer about names of checkpoints
            assert oracle(found, store)
        agreed[verdict] += 1
    assert agreed[True] == 1
    assert agreed[False] > 15
