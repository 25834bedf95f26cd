"""A certificate's way up to its authority, its promise and its log, one thing wrong at a time (SECURITY 8)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from gate.formats.certificate_material import LogEntry
from gate.formats.trusted_root import Span, parse_trusted_root
from gate.verify.certificate import KeylessError
from gate.verify.sigstore.chain import issuer_at
from gate.verify.sigstore.log import check_inclusion, check_logged
from gate.verify.sigstore.promise import check_promise
from gate.verify.sigstore.root import Authority, read_root
from tests.support.evidence import encode, make_key, signer
from tests.support.keyless import AT, AT_S, admitted, changed, code, good, keyless, keyless_trust, root_bytes, sigstore
from tests.support.virtual_bundles import P256, bundle
from tests.support.virtual_sigstore import SCT_LIST, Person, b64

DAY: Final = timedelta(days=1)
ALWAYS: Final = Span(0, 1 << 40)
USAGE: Final = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(
    subject: str,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    *extensions: tuple[x509.ExtensionType, bool],
    begins: datetime = AT - DAY,
    ends: datetime = AT + DAY,
    hashed: Any = None,
) -> x509.Certificate:
    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), 7, begins, ends)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(signer, hashed or hashes.SHA256())


KEYS: Final = {who: ec.generate_private_key(ec.SECP256R1()) for who in ("root", "middle", "leaf", "other")}
CA: Final = (x509.BasicConstraints(ca=True, path_length=None), True)
SIGNS: Final = (x509.KeyUsage(**{**USAGE, "key_cert_sign": True}), True)
LEAF: Final = (x509.KeyUsage(**{**USAGE, "digital_signature": True}), True)
CODE: Final = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
SERVER: Final = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
ODD: Final = (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
NAMES: Final = (x509.NameConstraints([x509.DNSName("test")], None), False)
LATE: Final[dict[str, Any]] = {"begins": AT - 3 * DAY, "ends": AT - DAY}


def root(*extensions: Any, **more: Any) -> x509.Certificate:
    return made("root", "root", KEYS["root"], KEYS["root"], *(extensions or (CA, SIGNS)), **more)


def middle(*extensions: Any, **more: Any) -> x509.Certificate:
    return made("middle", "root", KEYS["root"], KEYS["middle"], *(extensions or (CA, SIGNS, CODE)), **more)


def leaf(*extensions: Any, **more: Any) -> x509.Certificate:
    return made("leaf", "middle", KEYS["middle"], KEYS["leaf"], *(extensions or (LEAF, CODE)), **more)


def short(length: int) -> Any:
    return x509.BasicConstraints(ca=True, path_length=length), True


NO_CA: Final = (x509.BasicConstraints(ca=False, path_length=None), True)
PARTS: Final[dict[str, tuple[x509.Certificate, tuple[x509.Certificate, ...], str]]] = {
    "a leaf that is over": (leaf(**LATE), (middle(), root()), "certificate"),
    "a leaf of tomorrow": (leaf(begins=AT + DAY / 2), (middle(), root()), "certificate"),
    "an intermediate that is over": (leaf(), (middle(**LATE), root()), "certificate"),
    "a root that is over": (leaf(), (middle(), root(**LATE)), "certificate"),
    "a leaf that is an authority": (leaf(CA, LEAF, CODE), (middle(), root()), "certificate"),
    "a leaf that signs nothing": (leaf(SIGNS, CODE), (middle(), root()), "usage"),
    "a leaf without usage": (leaf(CODE), (middle(), root()), "usage"),
    "a leaf for servers": (leaf(LEAF, SERVER), (middle(), root()), "usage"),
    "a leaf for everything": (leaf(LEAF), (middle(), root()), "usage"),
    "a leaf with an odd extension": (leaf(LEAF, CODE, ODD), (middle(), root()), "certificate"),
    "an intermediate that is no authority": (leaf(), (middle(NO_CA, SIGNS), root()), "certificate"),
    "an intermediate without constraints": (leaf(), (middle(SIGNS), root()), "certificate"),
    "an intermediate that may not issue": (leaf(), (middle(CA, LEAF), root()), "certificate"),
    "an intermediate for servers": (leaf(), (middle(CA, SIGNS, SERVER), root()), "certificate"),
    "an intermediate of names": (leaf(), (middle(CA, SIGNS, NAMES), root()), "certificate"),
    "an intermediate with an odd extension": (leaf(), (middle(CA, SIGNS, ODD), root()), "certificate"),
    "a root above nothing": (leaf(), (middle(), root(short(0), SIGNS)), "certificate"),
    "another root": (leaf(), (middle(), made("root", "root", KEYS["other"], KEYS["other"], CA, SIGNS)), "certificate"),
    "another intermediate": (leaf(), (root(),), "certificate"),
    "nobody": (leaf(), (), "certificate"),
}


@pytest.mark.parametrize("what", PARTS)
def test_s08_a_chain_holds_in_every_part(what: str) -> None:
    certificate, chain, expected = PARTS[what]
    with pytest.raises(KeylessError) as caught:
        issuer_at(certificate, [Authority(chain, ALWAYS)], AT_S)
    assert caught.value.code == expected


def test_s08_a_chain_that_holds_gives_the_issuer() -> None:
    chains = [(middle(), root(short(1), SIGNS)), (middle(CA, SIGNS), root()), (middle(short(0), SIGNS), root())]
    for chain in chains:
        decoy = made("middle", "root", KEYS["root"], KEYS["other"], CA, SIGNS)
        authorities = [Authority((decoy, root()), ALWAYS), Authority(chain, ALWAYS)]
        assert issuer_at(leaf(NO_CA, LEAF, CODE), authorities, AT_S) is chain[0]
        with pytest.raises(KeylessError):
            issuer_at(leaf(), [Authority(chain, Span(0, AT_S - 1))], AT_S)
        assert issuer_at(leaf(), [Authority(chain, Span(AT_S, AT_S))], AT_S) is chain[0]


def test_s08_a_weak_hash_proves_nothing() -> None:
    weak = leaf(hashed=hashes.SHA224())
    with pytest.raises(KeylessError):
        issuer_at(weak, [Authority((middle(), root()), ALWAYS)], AT_S)


# -- promises of certificate logs --------------------------------------------------------------------------------------


def test_s08_a_promise_is_by_a_log_of_the_root_while_it_was_trusted() -> None:
    instance, found = sigstore(), read_root(root_bytes())
    certificate = instance.issue(P256.public_key(), Person(), AT)
    check_promise(certificate, instance.authority, found.certificate_logs)
    over = {
        key: tuple(replace(log, span=Span(0, AT_S - 1)) for log in logs) for key, logs in found.certificate_logs.items()
    }
    unread = {key: tuple(replace(log, key=None) for log in logs) for key, logs in found.certificate_logs.items()}
    for logs in ({}, over, unread):
        with pytest.raises(KeylessError, match="no certificate log of the trusted root"):
            check_promise(certificate, instance.authority, logs)
    with pytest.raises(KeylessError, match="no certificate log of the trusted root"):
        check_promise(certificate, instance.root, found.certificate_logs)


def test_s08_exactly_one_promise_is_read() -> None:
    instance, found = sigstore(), read_root(root_bytes())
    certificate = instance.issue(P256.public_key(), Person(), AT)
    value = certificate.extensions.get_extension_for_oid(SCT_LIST).value
    # An octet string with a list: after two bytes each for tag and size, the promises.
    twice = value.public_bytes()[4:] * 2
    inner = len(twice).to_bytes(2) + twice
    wrapped = b"\x04\x81" + len(inner).to_bytes(1) + inner
    builder = x509.CertificateBuilder(
        name("middle"), name("leaf"), P256.public_key(), 7, AT - DAY, AT + DAY
    ).add_extension(x509.UnrecognizedExtension(SCT_LIST, wrapped), critical=False)
    double = builder.sign(KEYS["middle"], hashes.SHA256())
    with pytest.raises(KeylessError, match="promise"):
        check_promise(double, instance.authority, found.certificate_logs)


# -- logs --------------------------------------------------------------------------------------------------------------


def test_s08_inclusion_holds_for_every_place_of_every_small_tree() -> None:
    from gate.formats.certificate_material import InclusionProof
    from tests.support.virtual_sigstore import MerkleLog

    for size in range(1, 18):
        log = MerkleLog()
        for number in range(size):
            log.add(b"%d" % number)
        for index in range(size):
            entry = LogEntry("k", "l", index, None, None, None, b"%d" % index)
            proof = InclusionProof(index, size, log.root(), tuple(log.proof(index)), "")
            check_inclusion(entry, proof)
            for wrong in (
                replace(proof, index=(index + 1) % size) if size > 1 else replace(proof, index=1),
                replace(proof, hashes=(*proof.hashes, b"x" * 32)),
                replace(proof, hashes=proof.hashes[:-1], root_hash=b"" if size == 1 else proof.root_hash),
                replace(proof, tree_size=0),
            ):
                with pytest.raises(KeylessError):
                    check_inclusion(entry, wrong)


def test_s08_a_log_counts_while_one_of_its_keys_was_trusted() -> None:
    over = {"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}
    document = parse_trusted_root(root_bytes()).document
    ended = changed(dict(document), "tlogs.0.publicKey.validFor", over)
    found = bundle("intoto/0.0.2")
    assert code(found, keyless_trust(root=encode(ended))) == "signature.keyless_log"
    unknown = changed(dict(document), "tlogs.0.publicKey.keyDetails", "PKIX_ED25519")
    junk = changed(dict(document), "tlogs.0.publicKey.rawBytes", "AAAA")
    for value in (unknown, junk):
        assert code(found, keyless_trust(root=encode(value))) == "signature.keyless_log"
    with pytest.raises(KeylessError, match="is not in the trusted root"):
        check_logged(LogEntry("k", "x", 0, None, None, None, b""), {}, [])


def test_an_authority_for_timestamps_without_one_above_it_is_none() -> None:
    document = dict(parse_trusted_root(root_bytes()).document)
    alone = changed(document, "timestampAuthorities.0.certChain.certificates.1", ...)
    assert read_root(encode(alone)).stampers == ()


def test_the_root_says_what_of_it_is_over() -> None:
    found = parse_trusted_root(root_bytes())
    now_s = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    assert list(found.weaknesses(now_s, None)) == []
    assert list(found.weaknesses(now_s, 2000 * 86400)) == []
    (aged,) = found.weaknesses(now_s, 86400)
    assert "1054 days old" in aged
    over = {"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}
    ended = parse_trusted_root(encode(changed(dict(found.document), "ctlogs.0.publicKey.validFor", over)))
    assert list(ended.weaknesses(now_s, None)) == ["none of its ctlogs is valid now"]


def test_s08_a_root_with_nothing_in_it_serves_managed_keys_alone() -> None:
    root = encode({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"})
    assert list(parse_trusted_root(root).weaknesses(0, None)) == ["it has neither an authority nor a log"]
    assert code(bundle("dsse/0.0.1"), keyless_trust(root=root)) == "signature.keyless_log"
    private = keyless(timestamps_only=True)
    assert code(bundle(None), keyless_trust(private, root=root)) == "signature.keyless_root"
    key = type(make_key())("p256", P256)
    release = signer("release", key)
    alone = bundle(None, key=P256, managed=True, stamped=False)
    assert admitted(alone, keyless_trust(release, root=root)).signers[0].kind == "key"
    logged = bundle("dsse/0.0.1", key=P256, managed=True)
    assert code(logged, keyless_trust(release, root=root)) == "signature.keyless_log"


def test_s08_an_authority_without_certificates_stamps_nothing() -> None:
    root = json.loads(root_bytes())
    (ours,) = root["timestampAuthorities"]
    nobody = {**ours, "certChain": {"certificates": []}}
    beside = encode({**root, "timestampAuthorities": [nobody, ours]})
    admitted(bundle("hashedrekord/0.0.2"), keyless_trust(root=beside))
    over = {**ours, "validFor": {"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}}
    borrowed = encode({**root, "timestampAuthorities": [over, nobody]})
    assert code(bundle("hashedrekord/0.0.2"), keyless_trust(root=borrowed)) == "signature.keyless_timestamp"


def test_a_root_that_the_library_does_not_read_is_read_by_our_own_verifier() -> None:
    root = json.loads(root_bytes())
    for place, value in (
        ("tlogs.0.publicKey", lambda key: {**key, "extra": 1}),
        ("certificateAuthorities.0.subject", {}),
    ):
        store = keyless_trust(root=encode(changed(root, place, value)))
        admitted(good(), store)
        assert code(changed(good(), "dsseEnvelope.payload", b64(b"{}")), store) == "signature.keyless_log"
