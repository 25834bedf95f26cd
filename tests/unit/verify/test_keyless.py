"""Keyless signatures: who signed, when, and every way in which a bundle does not say so (SECURITY 2, 3, 7, 8, 9)."""

from __future__ import annotations

import base64
import builtins
import hashlib
import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from gate.errors import ConfigError
from gate.formats.bundle import parse_container
from gate.model.evidence import Stage, TimeSource, Verified
from gate.verify.keyless import CertificateIdentity, KeylessError, identity_of
from tests.support.evidence import (
    LIMIT,
    NOW_S,
    bundle_value,
    digest_of,
    encode,
    make_key,
    only_rejected,
    only_verified,
    provenance,
    signer,
    statement,
    trust,
    verify,
)
from tests.support.keyless import (
    AT,
    AT_S,
    MAINTAINER,
    PAYLOAD,
    changed,
    good,
    keyless,
    keyless_trust,
    root_bytes,
    sigstore,
)
from tests.support.virtual_sigstore import (
    FULCIO,
    ISSUER,
    REPOSITORY,
    WORKFLOW,
    Person,
    asn1_text,
    b64,
    der,
    dsse_entry,
    older,
    pae,
    pem,
)

ENTRY = "verificationMaterial.tlogEntries.0"
STAMPS = "verificationMaterial.timestampVerificationData"
OTHER_REPOSITORY = Person(WORKFLOW, ISSUER, {12: "https://forge.test/mallory/model"})


def code(bundle: Any, store: Any = None) -> str:
    """How a bundle is refused. Its exit code is 11 or 14, and what is said about it fits on a screen."""
    item = only_rejected(verify(encode(bundle), store=store or keyless_trust()))
    assert item.stage in {Stage.ENVELOPE, Stage.SIGNATURE, Stage.STATEMENT}
    assert item.stage.exit_code in {11, 14}
    assert 10 < len(item.detail) < 700
    return item.code


def admitted(bundle: Any, store: Any = None) -> Verified:
    return only_verified(verify(encode(bundle), store=store or keyless_trust()))


# -- what verifies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.3", "0.2", "0.1"])
@pytest.mark.parametrize(
    ("log", "stamped", "source"),
    [("v1", False, "log"), ("v1", True, "log"), ("v2", True, "timestamp-authority")],
)
def test_a_bundle_of_a_trusted_identity_is_verified(log: str, stamped: bool, source: str, version: str) -> None:
    bundle = good(log, stamped=stamped)
    if version != "0.3":
        bundle = older(bundle, version)
    if (log, version) == ("v2", "0.1"):  # v0.1 needs a promise, which Rekor v2 does not make
        assert code(bundle) == "signature.keyless_bundle"
        return
    found = admitted(bundle)
    (identity,) = found.signers
    assert (identity.name, identity.kind, identity.spki) == ("builder", "identity", None)
    assert (identity.issuer, identity.subject) == (ISSUER, WORKFLOW)
    assert (found.signed_at_s, found.time_source.value, found.log_included) == (AT_S, source, True)


def test_the_alternative_name_of_version_three_is_read() -> None:
    admitted(changed(good(), "mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.3"))


@pytest.mark.parametrize("person", [MAINTAINER, Person("https://user.test/x", ISSUER, {})], ids=str)
def test_people_and_workflows_are_identities(person: Person) -> None:
    found = admitted(sigstore().sign(PAYLOAD, person), keyless_trust(keyless("ann", person.subject, person.issuer)))
    assert found.signers[0].subject == person.subject


def test_a_user_name_is_a_subject() -> None:
    name = x509.OtherName(ObjectIdentifier(f"{FULCIO}.7"), asn1_text("ann"))
    assert admitted(certified(names=[name]), keyless_trust(keyless(subject="ann"))).signers[0].subject == "ann"


def test_the_source_repository_is_compared_when_it_is_given() -> None:
    admitted(good(), keyless_trust(keyless(repository=REPOSITORY)))


def test_numbers_and_url_safe_base64_mean_the_same() -> None:
    bundle = changed(good(), f"{ENTRY}.logIndex", int)
    bundle = changed(bundle, f"{ENTRY}.canonicalizedBody", lambda text: text.replace("+", "-").replace("/", "_"))
    bundle = changed(bundle, "dsseEnvelope.signatures.0.sig", lambda text: text.replace("+", "-").replace("/", "_"))
    admitted(changed(bundle, STAMPS.rpartition(".")[0], lambda material: {**material, STAMPS.rpartition(".")[2]: None}))


def test_the_earliest_trusted_time_counts() -> None:
    bundle = good("v1", stamped=True)
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    earlier = sigstore().tsa.timestamp(hashlib.sha256(signature).digest(), AT + timedelta(seconds=-0))
    later = sigstore().tsa.timestamp(hashlib.sha256(signature).digest(), AT + timedelta(seconds=60))
    stamps = [{"signedTimestamp": b64(item)} for item in (later, earlier)]
    found = admitted(changed(bundle, f"{STAMPS}.rfc3161Timestamps", stamps))
    assert (found.signed_at_s, found.time_source) == (AT_S, TimeSource.LOG)
    found = admitted(changed(good("v2"), f"{STAMPS}.rfc3161Timestamps", lambda items: items))
    assert found.time_source is TimeSource.TIMESTAMP_AUTHORITY


def test_a_key_has_no_trusted_time() -> None:
    found = only_verified(verify(encode(bundle_value(PAYLOAD, make_key()))))
    assert (found.signed_at_s, found.time_source, found.log_included) == (None, TimeSource.NONE, False)


# -- what is refused ---------------------------------------------------------------------------------------------------


def certified(*, person: Person = Person(), key: Any = None, **more: Any) -> dict[str, Any]:
    """A bundle whose certificate is made in an unusual way."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    return sigstore().sign(PAYLOAD, key=key, certificate=sigstore().issue(key.public_key(), person, AT, **more))


def resigned(payload: bytes, entry_of: bytes | None = None) -> dict[str, Any]:
    """A bundle around one payload whose log entry is about another one."""
    bundle = sigstore().sign(payload)
    return (
        bundle
        if entry_of is None
        else changed(bundle, ENTRY, sigstore().sign(entry_of)["verificationMaterial"]["tlogEntries"][0])
    )


def logged_late() -> dict[str, Any]:
    """An entry made an hour after the certificate ended."""
    bundle = good()
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    certificate = base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"])
    text = pem(x509.load_der_x509_certificate(certificate))
    body = dsse_entry(json.dumps(bundle["dsseEnvelope"]).encode(), PAYLOAD, [b64(signature)], text)
    return changed(bundle, ENTRY, sigstore().rekor(body, "dsse", AT + timedelta(hours=1)))


def stamped(at: Any, log: str = "v2", message: bytes | None = None, count: int = 1) -> dict[str, Any]:
    """A bundle with other timestamps."""
    bundle = good(log, stamped=True)
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    digest = hashlib.sha256(message or signature).digest()
    stamps = [{"signedTimestamp": b64(sigstore().tsa.timestamp(digest, at))} for _ in range(count)]
    return changed(bundle, f"{STAMPS}.rfc3161Timestamps", stamps)


def flip(text: str) -> str:
    """The same base64 with its last byte changed."""
    data = base64.b64decode(text)
    return b64(data[:-1] + bytes([data[-1] ^ 1]))


def number(change: int) -> Any:
    return lambda text: str(int(text) + change)


TWO = {"payload": "", "payloadType": "", "signatures": [{"sig": ""}, {"sig": ""}]}
REFUSED: dict[str, tuple[Any, str]] = {
    # The envelope
    "another payload": (lambda: changed(good(), "dsseEnvelope.payload", b64(provenance({"x": digest_of("y")}))), "signature"),
    "another signature": (lambda: changed(good(), "dsseEnvelope.signatures", good("v2")["dsseEnvelope"]["signatures"]), "signature"),
    "a changed signature": (lambda: changed(good(), "dsseEnvelope.signatures.0.sig", flip), "signature"),
    "an empty signature": (lambda: changed(good(), "dsseEnvelope.signatures.0.sig", ""), "bundle|invalid"),
    "two signatures": (lambda: changed(good(), "dsseEnvelope.signatures", lambda items: items * 2), "signatures"),
    "no signature": (lambda: changed(good(), "dsseEnvelope.signatures", []), "signatures"),
    # The certificate
    "another certificate": (lambda: changed(good(), "verificationMaterial.certificate", good("v2")["verificationMaterial"]["certificate"]), "signature"),
    "a certificate that is none": (lambda: changed(good(), "verificationMaterial.certificate.rawBytes", "AAAA"), "certificate"),
    "an empty certificate": (lambda: changed(good(), "verificationMaterial.certificate.rawBytes", ""), "certificate"),
    "a changed certificate": (lambda: changed(good(), "verificationMaterial.certificate.rawBytes", flip), "certificate"),
    "of another instance": (lambda: sigstore("other.test").sign(PAYLOAD), "certificate"),
    "an authority as leaf": (lambda: changed(good(), "verificationMaterial.certificate.rawBytes", b64(der(sigstore().authority))), "certificate|sct|signature|invalid"),
    "a self-made certificate": (lambda: changed(good(), "verificationMaterial.certificate.rawBytes", b64(der(sigstore("other.test").root))), "certificate"),
    "no promise of a certificate log": (lambda: certified(promised=False), "sct|invalid"),
    "for servers": (lambda: certified(usage=ExtendedKeyUsageOID.SERVER_AUTH), "invalid|certificate"),
    "an Ed25519 key": (lambda: ed25519_bundle(), "invalid|signature"),
    # Who
    "another subject": (lambda: sigstore().sign(PAYLOAD, Person("mallory@acme.test")), "identity"),
    "a longer subject": (lambda: sigstore().sign(PAYLOAD, Person(WORKFLOW + "x")), "identity"),
    "a subject in capitals": (lambda: sigstore().sign(PAYLOAD, Person(WORKFLOW.upper())), "identity"),
    "another issuer": (lambda: sigstore().sign(PAYLOAD, Person(issuer="https://accounts.test")), "issuer"),
    "another repository": (lambda: sigstore().sign(PAYLOAD, OTHER_REPOSITORY), "repository"),
    "no repository": (lambda: sigstore().sign(PAYLOAD, Person(extensions={})), "repository"),
    "two subjects": (lambda: certified(names=[x509.UniformResourceIdentifier(WORKFLOW), x509.RFC822Name("a@b.test")]), "identity"),
    "a host as subject": (lambda: certified(names=[x509.DNSName("acme.test")]), "identity|certificate"),
    "two issuers": (lambda: certified(raw={1: b"https://accounts.test"}), "issuer"),
    "no issuer": (lambda: certified(raw={1: b"", 8: b""}), "issuer"),
    "an issuer that is no text": (lambda: certified(raw={8: b"\x0c\x7f"}), "invalid"),
    # The log
    "no log entry": (lambda: changed(good(), "verificationMaterial.tlogEntries", []), "log"),
    "two log entries": (lambda: changed(good(), "verificationMaterial.tlogEntries", lambda items: items * 2), "log"),
    "the entry of another payload": (lambda: resigned(PAYLOAD, provenance({"z": digest_of("z")})), "log"),
    "the entry of another signature": (lambda: resigned(PAYLOAD, PAYLOAD), "log"),
    "an entry of another kind": (lambda: changed(good(), f"{ENTRY}.kindVersion.kind", "intoto"), "log"),
    "an entry of another version": (lambda: changed(good(), f"{ENTRY}.kindVersion.version", "0.0.2"), "log"),
    "an unknown log": (lambda: changed(good(), f"{ENTRY}.logId.keyId", flip), "log"),
    "the log of another instance": (lambda: changed(good(), ENTRY, sigstore("other.test").sign(PAYLOAD)["verificationMaterial"]["tlogEntries"][0]), "log"),
    "a changed promise": (lambda: changed(good(), f"{ENTRY}.inclusionPromise.signedEntryTimestamp", flip), "log"),
    "another time": (lambda: changed(good(), f"{ENTRY}.integratedTime", number(1)), "log"),
    "another place": (lambda: changed(good(), f"{ENTRY}.logIndex", number(1)), "log"),
    "another place in version two": (lambda: changed(good("v2"), f"{ENTRY}.logIndex", number(1)), "log"),
    "another body": (lambda: changed(good(), f"{ENTRY}.canonicalizedBody", b64(b"{}")), "log"),
    "another proof place": (lambda: changed(good(), f"{ENTRY}.inclusionProof.logIndex", number(-1)), "log"),
    "a proof beyond the tree": (lambda: changed(good(), f"{ENTRY}.inclusionProof.logIndex", number(1000)), "bundle"),
    "another tree": (lambda: changed(good(), f"{ENTRY}.inclusionProof.treeSize", number(1)), "log"),
    "another root": (lambda: changed(good(), f"{ENTRY}.inclusionProof.rootHash", flip), "log"),
    "another hash": (lambda: changed(good(), f"{ENTRY}.inclusionProof.hashes.0", flip), "log"),
    "a hash less": (lambda: changed(good(), f"{ENTRY}.inclusionProof.hashes.0", ...), "log"),
    "a hash more": (lambda: changed(good(), f"{ENTRY}.inclusionProof.hashes", lambda items: [*items, items[0]]), "log"),
    "an unsigned checkpoint": (lambda: changed(good(), f"{ENTRY}.inclusionProof.checkpoint.envelope", lambda text: text.partition("\u2014")[0]), "log"),
    "a checkpoint of junk": (lambda: changed(good(), f"{ENTRY}.inclusionProof.checkpoint.envelope", "x"), "log"),
    # Time
    "no time": (lambda: changed(good(), f"{ENTRY}.inclusionPromise", ...), "time"),
    "a time of nought": (lambda: changed(good(), f"{ENTRY}.integratedTime", "0"), "time"),
    "no timestamp in version two": (lambda: changed(good("v2"), STAMPS, ...), "time"),
    "logged after the end": (logged_late, "certificate|time"),
    "stamped before the certificate": (lambda: stamped(AT - timedelta(hours=1)), "certificate|time"),
    "stamped after the certificate": (lambda: stamped(AT + timedelta(hours=1)), "certificate|time"),
    "stamped after the certificate, logged in time": (lambda: stamped(AT + timedelta(hours=1), "v1"), "certificate|time"),
    "a stamp of something else": (lambda: stamped(AT, message=b"x"), "timestamp"),
    "a stamp of another authority": (lambda: foreign_stamp(), "timestamp"),
    "a stamp of junk": (lambda: changed(good("v2"), f"{STAMPS}.rfc3161Timestamps.0.signedTimestamp", "AAAA"), "timestamp"),
    "one stamp twice": (lambda: changed(good("v2"), f"{STAMPS}.rfc3161Timestamps", lambda items: items * 2), "invalid"),
    "too many stamps": (lambda: changed(good("v2"), f"{STAMPS}.rfc3161Timestamps", lambda items: items * 33), "timestamp"),
}  # fmt: skip


def foreign_stamp() -> dict[str, Any]:
    bundle = good("v2")
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    stamp = sigstore("other.test").tsa.timestamp(hashlib.sha256(signature).digest(), AT)
    return changed(bundle, f"{STAMPS}.rfc3161Timestamps", [{"signedTimestamp": b64(stamp)}])


def ed25519_bundle() -> dict[str, Any]:
    """A leaf with an Ed25519 key: the library expects an elliptic curve."""
    key = ed25519.Ed25519PrivateKey.generate()
    certificate = sigstore().issue(key.public_key(), Person(), AT)
    signature = key.sign(pae(PAYLOAD))
    bundle = good()
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = b64(signature)
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = b64(der(certificate))
    body = dsse_entry(encode(bundle["dsseEnvelope"]), PAYLOAD, [b64(signature)], pem(certificate))
    return changed(bundle, ENTRY, sigstore().rekor(body, "dsse", AT))


@pytest.mark.parametrize("name", REFUSED)
def test_s08_a_bundle_that_does_not_prove_it_all_is_refused(name: str) -> None:
    make, expected = REFUSED[name]
    found = code(make(), keyless_trust(keyless(repository=REPOSITORY)))
    assert found.removeprefix("signature.keyless_") in expected.split("|"), found


SHAPES: dict[str, tuple[Any, str]] = {
    "a key beside the certificate": (lambda: changed(good(), "verificationMaterial", lambda m: {**m, "publicKey": {"hint": "x"}}), "material_mode"),
    "a chain beside the certificate": (lambda: changed(good(), "verificationMaterial", lambda m: {**m, "x509CertificateChain": {"certificates": []}}), "material_mode"),
    "a chain in version three": (lambda: changed(older(good(), "0.2"), "mediaType", good()["mediaType"]), "material_mode"),
    "one certificate in version two": (lambda: changed(good(), "mediaType", older(good(), "0.2")["mediaType"]), "material_mode"),
    "an empty chain": (lambda: changed(older(good(), "0.2"), "verificationMaterial.x509CertificateChain.certificates", []), "shape"),
    "no certificate": (lambda: changed(good(), "verificationMaterial.certificate", ...), "material_mode"),
    "a certificate of null": (lambda: changed(good(), "verificationMaterial.certificate", None), "shape"),
    "an unknown version": (lambda: changed(good(), "mediaType", "application/vnd.dev.sigstore.bundle.v0.4+json"), "version"),
    "another payload type": (lambda: sigstore().sign(PAYLOAD, payload_type="text/plain"), "payload_type"),
    "names with underscores": (lambda: changed(good(), ENTRY, lambda e: {**e, "log_index": "0"}), "shape"),
    "no inclusion proof": (lambda: changed(good(), f"{ENTRY}.inclusionProof", ...), "shape"),
    "no checkpoint": (lambda: changed(good(), f"{ENTRY}.inclusionProof.checkpoint", ...), "shape"),
    "entries that are no list": (lambda: changed(good(), "verificationMaterial.tlogEntries", {}), "shape"),
    "an entry that is no object": (lambda: changed(good(), ENTRY, "x"), "shape"),
    "a number that is none": (lambda: changed(good(), f"{ENTRY}.logIndex", "1e3"), "shape"),
    "a number with a nought": (lambda: changed(good(), f"{ENTRY}.logIndex", "01"), "shape"),
    "a number that is too large": (lambda: changed(good(), f"{ENTRY}.logIndex", str(1 << 63)), "shape"),
    "a truth for a number": (lambda: changed(good(), f"{ENTRY}.logIndex", True), "shape"),
    "base64 with a space": (lambda: changed(good(), f"{ENTRY}.canonicalizedBody", lambda text: f"{text} "), "shape"),
    "a message beside the envelope": (lambda: {**good(), "messageSignature": {"signature": ""}}, "content"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_s09_a_bundle_has_one_shape_and_one_mode(name: str) -> None:
    make, expected = SHAPES[name]
    assert code(make()) == f"envelope.{expected}"


JUNK = (None, True, 0, -1, 1.5, "", "x", "\ud83d\ude00" * 3, "=", [], {}, [{}], {"a": 1}, "A" * 4096)


def places(value: Any, prefix: str = "") -> list[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in members for found in [f"{prefix}{key}", *places(item, f"{prefix}{key}.")]]


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_s08_junk_in_any_place_is_refused_and_nothing_is_raised(log: str) -> None:
    bundle, store, tried = good(log, stamped=True), keyless_trust(), 0
    for place in places(bundle):
        for junk in (*JUNK, ...):
            found = verify(encode(changed(bundle, place, junk)), store=store)
            tried += 1
            if found.verified:
                # What may be left out: the timestamp of an entry that has a time, and what is empty or null anyway.
                assert log == "v1", (place, junk)
                assert place.startswith(STAMPS), (place, junk)
                assert junk in (None, ..., [], {}), (place, junk)
            else:
                assert only_rejected(found).stage.exit_code in {11, 14}
    assert tried > 400


# -- what is configured ------------------------------------------------------------------------------------------------


def test_s02_without_a_trusted_root_nobody_is_proved() -> None:
    item = only_rejected(verify(encode(good()), store=trust(signer(), keyless())))
    assert item.code == "signature.keyless_unconfigured"
    assert "trust.sigstore" in item.detail


def test_s02_a_root_without_identities_trusts_nobody() -> None:
    assert code(good(), keyless_trust(signer())) == "signature.keyless_identity"


def test_s09_a_managed_key_never_stands_for_a_certificate() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    bundle = sigstore().sign(PAYLOAD, Person("mallory@acme.test"), key=key)
    release = type(make_key())("p256", key)
    assert code(bundle, keyless_trust(signer("release", release), keyless())) == "signature.keyless_identity"


def test_s09_a_keyless_signature_without_its_certificate_is_nobodys() -> None:
    bundle = changed(good(), "verificationMaterial", {"publicKey": {"hint": WORKFLOW}, "tlogEntries": []})
    assert code(bundle, keyless_trust(signer(), keyless())) == "signature.untrusted"
    assert code(good()["dsseEnvelope"], keyless_trust(signer(), keyless())) == "signature.untrusted"


def test_s08_another_root_is_another_world() -> None:
    assert code(good(), keyless_trust(root=root_bytes("other.test"))) == "signature.keyless_certificate"


ROOT_PARTS = {
    "certificateAuthorities": "certificateAuthorities.0.validFor",
    "ctlogs": "ctlogs.0.publicKey.validFor",
    "tlogs": "tlogs.0.publicKey.validFor",
    "timestampAuthorities": "timestampAuthorities.0.validFor",
}


@pytest.mark.parametrize("name", ROOT_PARTS)
def test_s08_who_was_no_longer_trusted_when_it_was_signed_does_not_count(name: str) -> None:
    past = {"start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00.000Z"}
    root = json.loads(root_bytes())
    root = changed(changed(root, "tlogs", lambda items: items[1:]), ROOT_PARTS[name], past)
    expected = "timestamp" if name == "timestampAuthorities" else "root"
    assert code(good("v2"), keyless_trust(root=encode(root))) == f"signature.keyless_{expected}"
    until_now = {**past, "end": "2099-01-01T00:00:00Z"}
    admitted(good("v2"), keyless_trust(root=encode(changed(root, ROOT_PARTS[name], until_now))))


def test_s08_a_timestamp_counts_while_its_authority_is_trusted() -> None:
    window = {"start": "2024-01-01T00:00:00Z", "end": (AT - timedelta(seconds=1)).isoformat()}
    root = changed(json.loads(root_bytes()), "timestampAuthorities.0.validFor", window)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = sigstore().issue(key.public_key(), Person(), AT - timedelta(minutes=1))
    bundle = sigstore().sign(PAYLOAD, at=AT, log="v2", key=key, certificate=certificate)
    assert code(bundle, keyless_trust(root=encode(root))) == "signature.keyless_timestamp"


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        ("certificateAuthorities.0.certChain.certificates.0.rawBytes", "AAAA", "cannot be used"),
        ("tlogs.0.publicKey", lambda key: {**key, "extra": 1}, "cannot be used"),
        ("mediaType", "application/json", "not a trusted root"),
        ("tlogs", [], "tlogs is not a list"),
        ("ctlogs", ..., "ctlogs is not a list"),
        ("tlogs.0.publicKey.validFor", ..., "does not say when"),
        ("certificateAuthorities.0.validFor.start", "yesterday", "does not say when"),
        ("certificateAuthorities.0", [], "does not say when"),
    ],
)
def test_a_root_that_cannot_be_used_is_a_configuration_error(place: str, value: Any, text: str) -> None:
    root = encode(changed(json.loads(root_bytes()), place, value))
    with pytest.raises(ConfigError, match=rf"trust/trusted_root\.json: .*{text}"):
        verify(encode(good()), store=keyless_trust(root=root))


def test_a_root_that_is_no_json_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"trust/trusted_root\.json"):
        keyless_trust(root=b"{")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "sigstore":
            raise ImportError(name)
        return kept(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError) as caught:
        verify(encode(good()), store=keyless_trust())
    assert caught.value.hint == "pip install 'gate[sigstore]'"


def test_the_library_is_imported_for_keyless_evidence_only() -> None:
    import subprocess

    program = "import gate.verify.trust, sys; sys.exit('sigstore' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_library_that_finds_another_payload_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    from gate.verify import keyless as module

    monkeypatch.setattr(module, "_verify", lambda *_: ("application/vnd.in-toto+json", b"{}"))
    assert code(good()) == "signature.keyless_payload"


# -- windows, revocations, thresholds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "ends", "holds"),
    [
        (None, AT_S, True),
        (AT_S, None, True),
        (AT_S, AT_S, True),
        (None, AT_S - 1, False),
        (AT_S + 1, None, False),
    ],
)
def test_s07_an_identity_counts_when_it_signed_inside_its_window(
    begins: int | None, ends: int | None, *, holds: bool
) -> None:
    store = keyless_trust(keyless(valid_from_s=begins, valid_until_s=ends), now_s=NOW_S)
    if holds:
        admitted(good(), store)
    else:
        assert code(good(), store) == "signature.expired"


@pytest.mark.parametrize(
    "revoked", [{"identities": [WORKFLOW]}, {"identities": ["builder"]}, {"keys": ["builder"]}], ids=str
)
def test_s07_a_revoked_identity_does_not_count(revoked: dict[str, Any]) -> None:
    assert code(good(), keyless_trust(**revoked)) == "signature.revoked"


def test_s07_an_identity_revoked_under_one_name_does_not_come_back_under_another() -> None:
    store = keyless_trust(keyless("old"), keyless("new", repository=REPOSITORY), identities=["old"])
    assert code(good(), store) == "signature.revoked"


def test_s07_revoking_another_identity_changes_nothing() -> None:
    admitted(good(), keyless_trust(keyless(), keyless("ann", "ann@acme.test"), identities=["ann", "ben@acme.test"]))


def test_s07_an_identity_speaks_for_its_claims_only() -> None:
    assert code(good(), keyless_trust(keyless(claims=("prompt",)))) == "signature.claim"


APPROVAL = statement("approval", {"model.bin": digest_of("weights")})


def approvals(*people: Person, keys: tuple[str, ...] = ()) -> list[bytes]:
    bundles = [encode(sigstore().sign(APPROVAL, person)) for person in people]
    return bundles + [encode(bundle_value(APPROVAL, make_key(name))) for name in keys]


def two(*signers: Any) -> Any:
    return keyless_trust(keyless(), *signers, thresholds={"approval": 2})


ANN = keyless("ann", MAINTAINER.subject, MAINTAINER.issuer)


def test_s03_two_identities_reach_a_threshold_of_two() -> None:
    found = only_verified_of(approvals(Person(), MAINTAINER), two(ANN))
    assert [item.name for item in found.signers] == ["ann", "builder"]


def test_s03_a_key_and_an_identity_are_two() -> None:
    found = only_verified_of(approvals(Person(), keys=("release",)), two(signer("release", claims=("approval",))))
    assert [item.kind for item in found.signers] == ["identity", "key"]
    assert (found.signed_at_s, found.time_source, found.log_included) == (AT_S, TimeSource.LOG, True)


def test_s03_one_identity_with_two_certificates_counts_once() -> None:
    found = verify(*approvals(Person(), Person()), store=two(ANN))
    assert {item.code for item in found.rejected} == {"signature.threshold"}


def test_s03_one_identity_under_two_names_counts_once() -> None:
    found = verify(*approvals(Person(), Person()), store=two(keyless("again", repository=REPOSITORY), ANN))
    assert {item.code for item in found.rejected} == {"signature.threshold"}


def test_s03_a_threshold_that_identities_cannot_reach_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="threshold of approval is 2, but 1 distinct"):
        two(keyless("again"))


def test_the_time_of_a_signature_that_does_not_count_is_not_the_statements() -> None:
    earlier = encode(sigstore().sign(APPROVAL, MAINTAINER, at=AT - timedelta(days=1)))
    store = keyless_trust(keyless(), keyless("ann", MAINTAINER.subject, MAINTAINER.issuer, claims=("prompt",)))
    found = verify(earlier, *approvals(Person()), store=store)
    assert [item.signed_at_s for item in found.verified] == [AT_S]


def only_verified_of(bundles: list[bytes], store: Any) -> Verified:
    found = verify(*bundles, store=store)
    assert found.rejected == ()
    assert len(found.verified) == 1
    return found.verified[0]


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "holds"), [(-86400, True), (300, True), (301, False), (86400, False)])
def test_s15_a_statement_is_not_made_after_its_signature(seconds: int, *, holds: bool) -> None:
    stated = (AT + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    bundle = sigstore().sign(statement("approval", {"m": digest_of("m")}, predicate={"created_at": stated}))
    if holds:
        assert admitted(bundle).statement.stated_at_s == AT_S + seconds
    else:
        assert code(bundle) == "statement.time"


# -- identities --------------------------------------------------------------------------------------------------------


def test_the_identity_is_read_from_the_certificate() -> None:
    certificate = sigstore().issue(ec.generate_private_key(ec.SECP256R1()).public_key(), Person(), AT)
    assert identity_of(certificate) == CertificateIdentity(ISSUER, WORKFLOW, REPOSITORY)


@pytest.mark.parametrize(
    ("raw", "issuer"), [({1: b""}, ISSUER), ({8: b""}, ISSUER), ({8: asn1_text(ISSUER)}, ISSUER)], ids=str
)
def test_either_issuer_extension_is_enough(raw: dict[int, bytes], issuer: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert identity_of(sigstore().issue(key, Person(), AT, raw=raw)).issuer == issuer


def test_a_name_of_an_unknown_kind_is_no_subject() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    for name in (x509.DNSName("acme.test"), x509.OtherName(ObjectIdentifier("1.2.3"), asn1_text("ann"))):
        with pytest.raises(KeylessError, match="neither an e-mail address"):
            identity_of(sigstore().issue(key, Person(), AT, names=[name]))


def test_the_bundle_given_to_the_library_says_what_was_read() -> None:
    material = parse_container(encode(good()), limit=LIMIT).material
    assert material is not None
    assert json.loads(material.bundle) == good()
