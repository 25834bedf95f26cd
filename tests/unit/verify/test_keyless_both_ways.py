"""What is asked of every keyless bundle, whether or not the sigstore library verifies its kind too (SECURITY 8)."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from gate.formats.certificate_material import FIRST_VERSION
from gate.model.reuse import SKEW_S
from gate.verify import keyless as module
from gate.verify.certificate import quiet
from gate.verify.trust import TrustStore
from tests.support.evidence import NOW_S, encode, make_key, only_rejected, signer, verify
from tests.support.keyless import AT, AT_S, admitted, changed, code, keyless, keyless_trust, sigstore
from tests.support.virtual_bundles import ENTRY, KINDS, P256, STAMPS, bundle, promised
from tests.support.virtual_sigstore import BEGAN, ENDS, Person, b64, der, older

# The first two are verified by the library too.
WAYS: Final = ("dsse/0.0.1", "hashedrekord/0.0.2", "intoto/0.0.2", "dsse/0.0.2")
DAY: Final = timedelta(days=1)
LONG_AGO: Final = AT.replace(microsecond=0) - 400 * DAY
NOTE: Final = f"{ENTRY}.inclusionProof.checkpoint.envelope"
CHAIN: Final = "verificationMaterial.x509CertificateChain.certificates"


def reason(value: Any, store: TrustStore | None = None) -> tuple[str, str]:
    item = only_rejected(verify(encode(value), store=store or keyless_trust()))
    return item.code.removeprefix("signature.keyless_"), item.detail


# -- authorities and logs that had their time --------------------------------------------------------------------------


def trusted(member: str, begins: datetime, ends: datetime) -> TrustStore:
    root = sigstore().trusted_root()
    (item,) = root[member]
    texts = {"start": f"{begins:%Y-%m-%dT%H:%M:%SZ}", "end": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
    (item["publicKey"] if member == "ctlogs" else item)["validFor"] = texts
    return keyless_trust(root=encode(root))


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize(
    ("member", "expected"), [("certificateAuthorities", "certificate"), ("ctlogs", "sct")], ids=["authority", "log"]
)
def test_s08_who_had_its_time_issues_nothing_more(kind: str, member: str, expected: str) -> None:
    """The certificate says that it began in that time, and it lives until now: only the signature tells."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = sigstore().issue(key.public_key(), Person(), LONG_AGO, life=1000 * DAY, promised_at=AT)
    found = bundle(kind, key=key, certificate=certificate)
    for begins, ends in ((BEGAN, LONG_AGO + DAY), (AT + 100 * DAY, AT + 200 * DAY)):
        assert reason(found, trusted(member, begins, ends))[0] == expected
    admitted(found, trusted(member, BEGAN, AT))
    admitted(found, trusted(member, AT, ENDS))


# -- the chain, up to its end ------------------------------------------------------------------------------------------


@quiet()
def authority(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    begins: datetime = BEGAN,
    ends: datetime = ENDS,
    depth: int = 0,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    instance = sigstore()
    words = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    signs: dict[str, bool] = dict.fromkeys((*words, "encipher_only", "decipher_only"), False)
    builder = (
        instance._base(instance._name(name), key.public_key(), "root", begins, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(x509.KeyUsage(**signs, key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(instance.root_key.public_key()), critical=False
        )
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(instance.root_key, hashes.SHA384())


def middle(**more: Any) -> x509.Certificate:
    return authority("intermediate", sigstore().authority_key, **more)


def top(key: ec.EllipticCurvePrivateKey | None = None, **more: Any) -> x509.Certificate:
    return authority("root", key or sigstore().root_key, **{"depth": 1, **more})


def pinned(*chain: x509.Certificate) -> TrustStore:
    listed = [{"rawBytes": b64(der(item))} for item in chain]
    root = changed(sigstore().trusted_root(), "certificateAuthorities.0.certChain.certificates", listed)
    return keyless_trust(root=encode(root))


@pytest.mark.parametrize("kind", WAYS)
def test_s08_a_chain_holds_up_to_its_end(kind: str) -> None:
    found, other = bundle(kind), ec.generate_private_key(ec.SECP384R1())
    admitted(found, pinned(middle(usage=ExtendedKeyUsageOID.CODE_SIGNING), top()))
    for chain in (
        (middle(), top(ends=AT - DAY)),
        (middle(), top(begins=AT + DAY)),
        (middle(), top(depth=0)),
        (middle(), top(other)),
        (middle(usage=ExtendedKeyUsageOID.SERVER_AUTH), top()),
    ):
        assert reason(found, pinned(*chain))[0] == "certificate"


# -- what stands after the certificate ---------------------------------------------------------------------------------


def raw(*certificates: x509.Certificate) -> list[dict[str, str]]:
    return [{"rawBytes": b64(der(item))} for item in certificates]


@pytest.mark.parametrize("kind", KINDS)
def test_s08_a_root_comes_from_the_configuration(kind: str) -> None:
    """One that is sent is refused, but for the pinned one at the end of a chain of version 0.1."""
    ours, theirs = sigstore(), sigstore("other.test")
    listed: list[Any] = raw(ours.authority, ours.root)
    old = [older(bundle(kind), "0.2")]
    if kind not in {"dsse/0.0.2", "hashedrekord/0.0.2"}:
        old.append(older(bundle(kind), "0.1"))
        old.append(promised(bundle(kind)))
    for found in old:

        def after(*items: Any, found: dict[str, Any] = found) -> dict[str, Any]:
            return changed(
                found, CHAIN, [*found["verificationMaterial"]["x509CertificateChain"]["certificates"], *items]
            )

        admitted(after(listed[0]))
        admitted(after(*raw(theirs.authority)))
        if found["mediaType"] == FIRST_VERSION:
            admitted(after(*listed))
        else:
            assert reason(after(*listed))[0] == "certificate"
        for items in (
            raw(ours.root, ours.authority),
            raw(ours.root),
            raw(ours.authority, theirs.root),
            raw(theirs.authority, theirs.root),
            raw(ours.authority, ours.root, ours.root),
            [{"rawBytes": b64(b"junk")}],
            [*listed[:1], {"rawBytes": b64(b"junk")}],
            after()["verificationMaterial"]["x509CertificateChain"]["certificates"],
        ):
            word, text = reason(after(*items))
            assert (word, "ParseError" in text) == ("certificate", False)


# -- the log -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", WAYS)
def test_s08_every_signature_in_the_name_of_the_log_holds(kind: str) -> None:
    found = bundle(kind)
    lines = found["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"].split("\n")
    *_, ours, last = lines
    name, held = ours.split(" ")[1:]
    data = base64.b64decode(held)
    bad = f"\u2014 {name} {b64(data[:-1] + bytes([data[-1] ^ 1]))}"
    other_hint = f"\u2014 {name} {b64(bytes(4) + data[4:-1])}"
    witness = f"\u2014 witness.test {b64(bytes(4) + data[4:-1])}"
    body = lines[:-2]
    for signatures in ([ours, witness], [witness, ours], [other_hint, ours], [ours, ours]):
        admitted(changed(found, NOTE, "\n".join([*body, *signatures, last])))
    for signatures in ([bad, ours], [ours, bad], [ours, witness, bad], [bad], [witness], [other_hint]):
        assert reason(changed(found, NOTE, "\n".join([*body, *signatures, last])))[0] == "log"
    assert reason(changed(found, NOTE, "\n".join([*body, ours])))[0] == "log"


def test_s05_a_checkpoint_is_written_in_one_way() -> None:
    """Bits at the end of base64 that mean nothing are nought: the signature is Ed25519's, and has two such letters."""
    found = bundle("hashedrekord/0.0.2")
    note = found["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]
    end = note.rstrip("\n=")
    following = chr(ord(end[-1]) + 1)
    assert reason(changed(found, NOTE, end[:-1] + following + note[len(end) :]))[0] == "log"


def without_checkpoint(found: dict[str, Any]) -> dict[str, Any]:
    return changed(older(found, "0.1"), f"{ENTRY}.inclusionProof.checkpoint", ...)


@pytest.mark.parametrize("kind", ["dsse/0.0.1", "hashedrekord/0.0.1", "intoto/0.0.1", "intoto/0.0.2"])
def test_s08_a_proof_without_a_checkpoint_holds_and_proves_nothing(kind: str) -> None:
    found = without_checkpoint(bundle(kind))
    verified = admitted(found)
    assert (verified.signed_at_s, verified.log_included) == (AT_S, False)
    for place, value in (("rootHash", b64(bytes(32))), ("hashes.0", ...), ("treeSize", "1")):
        assert reason(changed(found, f"{ENTRY}.inclusionProof.{place}", value))[0] == "log"


def test_s08_a_proof_without_a_checkpoint_holds_beside_a_managed_key() -> None:
    store = keyless_trust(signer("release", type(make_key())("p256", P256)))
    found = bundle("dsse/0.0.1", key=P256, managed=True)
    first = changed({**found, "mediaType": FIRST_VERSION}, f"{ENTRY}.inclusionProof.checkpoint", ...)
    assert admitted(first, store).log_included is False
    assert code(changed(first, f"{ENTRY}.inclusionProof.rootHash", b64(bytes(32))), store) == "signature.keyless_log"


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*WAYS, None])
def test_s07_nothing_was_signed_at_a_time_to_come(kind: str | None) -> None:
    trusted = keyless(timestamps_only=kind is None)
    for later_s in (NOW_S - AT_S, NOW_S - AT_S + SKEW_S):
        admitted(bundle(kind, at=AT + timedelta(seconds=later_s)), keyless_trust(trusted))
    for later_s in (NOW_S - AT_S + SKEW_S + 1, 4000 * 86400):
        found = bundle(kind, at=AT + timedelta(seconds=later_s))
        assert reason(found, keyless_trust(trusted)) == (
            "time",
            "it says that it was signed at a time that is yet to come",
        )


def test_s07_no_time_to_come_beside_a_managed_key() -> None:
    trust = signer("release", type(make_key())("p256", P256))
    found = bundle("dsse/0.0.1", key=P256, managed=True)
    admitted(found, keyless_trust(trust, now_s=AT_S - SKEW_S))
    assert code(found, keyless_trust(trust, now_s=AT_S - SKEW_S - 1)) == "signature.keyless_time"


# -- what is good ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    ],
)
def test_a_trusted_root_has_two_versions_by_two_names(name: str) -> None:
    root = encode({**sigstore().trusted_root(), "mediaType": name})
    for kind in WAYS:
        admitted(bundle(kind), keyless_trust(root=root))


def test_null_is_absent_where_members_exclude_each_other() -> None:
    found = bundle()
    admitted({**found, "messageSignature": None})
    for name in ("publicKey", "x509CertificateChain"):
        admitted(changed(found, "verificationMaterial", lambda held, name=name: {**held, name: None}))
    assert code({**found, "other": None}) == "envelope.shape"


# -- what is said ------------------------------------------------------------------------------------------------------


def test_a_timestamp_over_something_else_is_said_to_be_that() -> None:
    found = bundle("hashedrekord/0.0.2")
    for name, hashed in (("other.test", b"x"), ("virtual.test", b"x")):
        stamp = sigstore(name).tsa.timestamp(hashlib.sha256(hashed).digest(), AT)
        word, text = reason(changed(found, STAMPS, [{"signedTimestamp": b64(stamp)}]))
        assert (word, text) == ("timestamp", "timestamp 0 is over other bytes than the signature")


def test_no_parser_speaks_to_people() -> None:
    found = bundle("hashedrekord/0.0.2")
    for place, value in (
        ("verificationMaterial.certificate.rawBytes", "AAAA"),
        (STAMPS, [{"signedTimestamp": "AAAA"}]),
    ):
        _, text = reason(changed(found, place, value))
        assert "cannot be read" in text
        assert "ParseError" not in text
        assert "{" not in text


def test_an_entry_of_a_list_without_its_bundle_is_told_where_that_is() -> None:
    listed = {"attestations": [{"bundle": None, "bundle_url": "https://forge.test/x"}]}
    entry = listed["attestations"][0]
    item = only_rejected(verify(json.dumps(entry).encode(), store=keyless_trust()))
    assert (item.code, "bundle_url" in item.detail) == ("envelope.unknown", True)


# -- the library -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", WAYS)
def test_s08_the_library_has_to_agree_where_it_verifies_such_a_bundle(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sigstore.errors import CertValidationError, VerificationError
    from sigstore.models import InvalidBundle

    found = bundle(kind)
    for error, expected in (
        (InvalidBundle("x"), "bundle"),
        (CertValidationError("x"), "certificate"),
        (VerificationError("Signature is invalid for input"), "signature"),
        (ValueError("x ParseError { kind: InvalidTag }"), "invalid"),
    ):

        def disagree(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(module, "_verify", disagree)
        if kind in WAYS[:2]:
            word, text = reason(found)
            assert (word, text.startswith(str(error)[:1]), "{" in text) == (expected, True, False)
        else:
            admitted(found)
