"""Bundles in certificate mode that do not prove it all, one reason at a time (SECURITY 8, 9)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.evidence import digest_of, encode, only_rejected, provenance, verify
from tests.support.keyless import (
    AT,
    PAYLOAD,
    changed,
    code,
    good,
    keyless,
    keyless_trust,
    signature_of,
    sigstore,
    with_certificate,
)
from tests.support.virtual_sigstore import (
    ISSUER,
    REPOSITORY,
    WORKFLOW,
    Person,
    b64,
    der,
    dsse_entry,
    older,
    pem,
)

MATERIAL: Final = "verificationMaterial"
ENTRIES: Final = f"{MATERIAL}.tlogEntries"
CERTIFICATE: Final = f"{MATERIAL}.certificate"
STAMPS: Final = f"{MATERIAL}.timestampVerificationData.rfc3161Timestamps"
SIGNATURES: Final = "dsseEnvelope.signatures"
HOUR: Final = timedelta(hours=1)
FOREIGN: Final = "other.test"
OTHER_PAYLOAD: Final = provenance({"x": digest_of("y")})

Make = Callable[[], dict[str, Any]]


def with_(path: str, change: Any, log: str = "v1") -> Make:
    """A good bundle with one change."""
    return lambda: changed(good(log, stamped=log == "v2"), path, change)


def entry(path: str, change: Any, log: str = "v1") -> Make:
    return with_(f"{ENTRIES}.0.{path}", change, log)


def proof(path: str, change: Any) -> Make:
    return entry(f"inclusionProof.{path}", change)


def signed(person: Person) -> Make:
    return lambda: sigstore().sign(PAYLOAD, person)


def odd(**more: Any) -> Make:
    return lambda: with_certificate(**more)


def entry_of(payload: bytes, instance: str = "virtual.test") -> Make:
    """A good bundle with the log entry of another one."""
    return lambda: changed(good(), ENTRIES, sigstore(instance).sign(payload)[MATERIAL]["tlogEntries"])


def logged_late() -> dict[str, Any]:
    """An entry made after the certificate ended."""
    bundle = good()
    certificate = x509.load_der_x509_certificate(base64.b64decode(bundle[MATERIAL]["certificate"]["rawBytes"]))
    body = dsse_entry(encode(bundle["dsseEnvelope"]), PAYLOAD, [b64(signature_of(bundle))], pem(certificate))
    return changed(bundle, f"{ENTRIES}.0", sigstore().rekor(body, "dsse", AT + HOUR))


def stamped(at: datetime, log: str = "v2", message: bytes | None = None, instance: str = "virtual.test") -> Make:
    """A bundle with another timestamp."""

    def make() -> dict[str, Any]:
        bundle = good(log, stamped=True)
        digest = hashlib.sha256(message or signature_of(bundle)).digest()
        stamp = sigstore(instance).tsa.timestamp(digest, at)
        return changed(bundle, STAMPS, [{"signedTimestamp": b64(stamp)}])

    return make


def with_foreign_certificate() -> dict[str, Any]:
    """A certificate of another authority, and a log that does not mind."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = sigstore(FOREIGN).issue(key.public_key(), Person(), AT)
    return sigstore().sign(PAYLOAD, key=key, certificate=certificate)


def flip(text: str) -> str:
    """The same base64 with its last byte changed."""
    data = base64.b64decode(text)
    return b64(data[:-1] + bytes([data[-1] ^ 1]))


def plus(change: int) -> Callable[[str], str]:
    return lambda text: str(int(text) + change)


def double(items: list[Any]) -> list[Any]:
    return items * 2


def leaf(certificate: x509.Certificate) -> str:
    return b64(der(certificate))


def foreign(_: str) -> str:
    return leaf(sigstore(FOREIGN).root)


def authority(_: str) -> str:
    return leaf(sigstore().authority)


def other_certificate(_: object) -> object:
    return good("v2")[MATERIAL]["certificate"]


def other_signatures(_: object) -> object:
    return good("v2")["dsseEnvelope"]["signatures"]


TWO_NAMES: Final = [x509.UniformResourceIdentifier(WORKFLOW), x509.RFC822Name("a@b.test")]
REFUSED: dict[str, tuple[Make, str]] = {
    # The envelope
    "another payload": (with_("dsseEnvelope.payload", b64(OTHER_PAYLOAD)), "signature"),
    "another signature": (with_(SIGNATURES, other_signatures), "signature"),
    "a changed signature": (with_(f"{SIGNATURES}.0.sig", flip), "signature"),
    "an empty signature": (with_(f"{SIGNATURES}.0.sig", ""), "invalid"),
    "two signatures": (with_(SIGNATURES, double), "signatures"),
    "no signature": (with_(SIGNATURES, []), "signatures"),
    # The certificate
    "another certificate": (with_(CERTIFICATE, other_certificate), "signature"),
    "a certificate that is none": (with_(f"{CERTIFICATE}.rawBytes", "AAAA"), "certificate"),
    "an empty certificate": (with_(f"{CERTIFICATE}.rawBytes", ""), "certificate"),
    "a changed certificate": (with_(f"{CERTIFICATE}.rawBytes", flip), "certificate"),
    "a bundle of another instance": (lambda: sigstore(FOREIGN).sign(PAYLOAD), "log"),
    "a certificate of another instance": (with_foreign_certificate, "certificate"),
    "an authority as leaf": (with_(f"{CERTIFICATE}.rawBytes", authority), "certificate"),
    "a self-made certificate": (with_(f"{CERTIFICATE}.rawBytes", foreign), "certificate"),
    "a certificate that no log promised": (odd(promised=False), "sct"),
    "a certificate for servers": (odd(usage=ExtendedKeyUsageOID.SERVER_AUTH), "usage"),
    # Who
    "another subject": (signed(Person("mallory@acme.test")), "identity"),
    "a subject without end": (signed(Person(WORKFLOW + "x" * 20_000)), "identity"),
    "a longer subject": (signed(Person(WORKFLOW + "x")), "identity"),
    "a subject in capitals": (signed(Person(WORKFLOW.upper())), "identity"),
    "another issuer": (signed(Person(issuer="https://accounts.test")), "issuer"),
    "another repository": (signed(Person(WORKFLOW, ISSUER, {12: "https://forge.test/mallory/model"})), "repository"),
    "no repository": (signed(Person(extensions={})), "repository"),
    "two subjects": (odd(names=TWO_NAMES), "identity"),
    "a host as subject": (odd(names=[x509.DNSName("acme.test")]), "identity"),
    "two issuers": (odd(raw={1: b"https://accounts.test"}), "issuer"),
    "no issuer": (odd(raw={1: b"", 8: b""}), "issuer"),
    "an issuer that is no text": (odd(raw={8: b"\x0c\x7f"}), "certificate"),
    # The log
    "no log entry": (with_(ENTRIES, []), "log"),
    "no log entries": (with_(ENTRIES, ...), "log"),
    "two log entries": (with_(ENTRIES, double), "log"),
    "the entry of another payload": (entry_of(OTHER_PAYLOAD), "log"),
    "the entry of another signature": (entry_of(PAYLOAD), "log"),
    "the entry of another instance": (entry_of(PAYLOAD, FOREIGN), "log"),
    "an entry of another kind": (entry("kindVersion.kind", "intoto"), "log"),
    "an entry of another version": (entry("kindVersion.version", "0.0.2"), "log"),
    "an unknown log": (entry("logId.keyId", flip), "log"),
    "a changed promise": (entry("inclusionPromise.signedEntryTimestamp", flip), "log"),
    "another time": (entry("integratedTime", plus(1)), "log"),
    "another place": (entry("logIndex", plus(1)), "log"),
    "another place in Rekor v2": (entry("logIndex", plus(1), "v2"), "log"),
    "another body": (entry("canonicalizedBody", b64(b"{}")), "log"),
    "another place in the proof": (proof("logIndex", plus(-1)), "log"),
    "a place beyond the tree": (proof("logIndex", plus(1000)), "log"),
    "another tree": (proof("treeSize", plus(1)), "log"),
    "another root": (proof("rootHash", flip), "log"),
    "another hash": (proof("hashes.0", flip), "log"),
    "a hash less": (proof("hashes.0", ...), "log"),
    "a hash more": (proof("hashes", double), "log"),
    "an unsigned checkpoint": (proof("checkpoint.envelope", lambda text: text.partition("\u2014")[0]), "log"),
    "a checkpoint of junk": (proof("checkpoint.envelope", "x"), "log"),
    "a checkpoint in another name": (
        proof("checkpoint.envelope", lambda text: text.replace("\u2014 r", "\u2014 x")),
        "log",
    ),
    # Time
    "no time": (entry("inclusionPromise", ...), "time"),
    "a time of nought": (entry("integratedTime", "0"), "time"),
    "no timestamp in Rekor v2": (with_(STAMPS, [], "v2"), "time"),
    "logged after the end": (logged_late, "certificate"),
    "stamped before the beginning": (stamped(AT - HOUR), "certificate"),
    "stamped after the end": (stamped(AT + HOUR), "certificate"),
    "stamped after the end and logged in time": (stamped(AT + HOUR, "v1"), "certificate"),
    "a stamp of something else": (stamped(AT, message=b"x"), "timestamp"),
    "a stamp of another authority": (stamped(AT, instance=FOREIGN), "timestamp"),
    "a stamp of junk": (with_(f"{STAMPS}.0.signedTimestamp", "AAAA", "v2"), "timestamp"),
    "one stamp twice": (with_(STAMPS, double, "v2"), "timestamp"),
    "too many stamps": (with_(STAMPS, lambda items: items * 33, "v2"), "timestamp"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_s08_a_bundle_that_does_not_prove_it_all_is_refused(name: str) -> None:
    make, expected = REFUSED[name]
    assert code(make(), keyless_trust(keyless(repository=REPOSITORY))) == f"signature.keyless_{expected}"


def chained(path: str, change: Any) -> Make:
    return lambda: changed(older(good(), "0.2"), path, change)


def beside(name: str, value: Any) -> Make:
    return with_(MATERIAL, lambda material: {**material, name: value})


VERSION_2: Final = "application/vnd.dev.sigstore.bundle+json;version=0.2"
VERSION_4: Final = "application/vnd.dev.sigstore.bundle.v0.4+json"
SHAPES: dict[str, tuple[Make, str]] = {
    "a key beside the certificate": (beside("publicKey", {"hint": "x"}), "material_mode"),
    "a chain beside the certificate": (beside("x509CertificateChain", {"certificates": []}), "material_mode"),
    "a chain in version three": (chained("mediaType", good()["mediaType"]), "material_mode"),
    "one certificate in version two": (with_("mediaType", VERSION_2), "material_mode"),
    "no certificate": (with_(CERTIFICATE, ...), "material_mode"),
    "an empty chain": (chained(f"{MATERIAL}.x509CertificateChain.certificates", []), "shape"),
    "a certificate of null": (with_(CERTIFICATE, None), "material_mode"),
    "an envelope of null": (with_("dsseEnvelope", None), "shape"),
    "an unknown version": (with_("mediaType", VERSION_4), "version"),
    "another payload type": (lambda: sigstore().sign(PAYLOAD, payload_type="text/plain"), "payload_type"),
    "names with underscores": (entry("log_index", "0"), "shape"),
    "no inclusion proof": (entry("inclusionProof", ...), "shape"),
    "no checkpoint": (proof("checkpoint", ...), "shape"),
    "entries that are no list": (with_(ENTRIES, {}), "shape"),
    "an entry that is no object": (with_(f"{ENTRIES}.0", "x"), "shape"),
    "a number that is none": (entry("logIndex", "1e3"), "shape"),
    "a number with a nought": (entry("logIndex", "01"), "shape"),
    "a number that is too large": (entry("logIndex", str(1 << 63)), "shape"),
    "a truth for a number": (entry("logIndex", True), "shape"),
    "base64 with a space": (entry("canonicalizedBody", lambda text: f"{text} "), "shape"),
    "a message beside the envelope": (with_("messageSignature", {"signature": ""}), "content"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_s09_a_bundle_has_one_shape_and_one_mode(name: str) -> None:
    make, expected = SHAPES[name]
    assert code(make()) == f"envelope.{expected}"


JUNK: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "\U0001f600" * 3,
    "=",
    [],
    {},
    [{}],
    {"a": 1},
    "A" * 4096,
    ...,
)


def places(value: Any, prefix: str = "") -> list[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in members for found in [f"{prefix}{key}", *places(item, f"{prefix}{key}.")]]


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_s08_junk_in_any_place_is_refused_and_nothing_is_raised(log: str) -> None:
    bundle, store, tried = good(log), keyless_trust(), 0
    for place in places(bundle):
        for junk in JUNK:
            item = only_rejected(verify(encode(changed(bundle, place, junk)), store=store))
            assert item.stage.exit_code in {11, 14}
            tried += 1
    assert tried > 400
