"""Keyless signatures: who signed, when, and every way in which a bundle does not say so (SECURITY 2, 3, 7, 8, 9)."""

from __future__ import annotations

import builtins
import hashlib
import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ObjectIdentifier

from gate.errors import ConfigError
from gate.formats.bundle import parse_container, rewritten
from gate.model.evidence import BuildIdentity, TimeSource, Verified
from gate.normalize.sections.evidence import attestations_section
from gate.verify.certificate import CertificateIdentity, KeylessError, identity_of
from tests.support.evidence import (
    LIMIT,
    NOW_S,
    bundle_value,
    digest_of,
    encode,
    make_key,
    only_rejected,
    only_verified,
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
    admitted,
    changed,
    code,
    good,
    keyless,
    keyless_trust,
    root_bytes,
    signature_of,
    sigstore,
    with_certificate,
)
from tests.support.virtual_sigstore import (
    FULCIO,
    ISSUER,
    REPOSITORY,
    WORKFLOW,
    Person,
    VirtualSigstore,
    asn1_text,
    b64,
    older,
)

ENTRY = "verificationMaterial.tlogEntries.0"
STAMPS = "verificationMaterial.timestampVerificationData"
OTHER_REPOSITORY = Person(WORKFLOW, ISSUER, {12: "https://forge.test/mallory/model"})


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
        assert code(bundle) == "envelope.shape"
        return
    found = admitted(bundle)
    (identity,) = found.signers
    assert (identity.name, identity.kind, identity.spki) == ("builder", "identity", None)
    assert (identity.issuer, identity.subject) == (ISSUER, WORKFLOW)
    assert (found.signed_at_s, found.time_source.value, found.log_included) == (AT_S, source, True)
    facts: Any = attestations_section([found])[found.payload]
    assert (facts["signed_at"], facts["log"]) == ({"at_s": AT_S, "source": source}, {"included": True})


def test_the_alternative_name_of_version_three_is_read() -> None:
    admitted(changed(good(), "mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.3"))


@pytest.mark.parametrize("person", [MAINTAINER, Person("https://user.test/x", ISSUER, {})], ids=str)
def test_people_and_workflows_are_identities(person: Person) -> None:
    found = admitted(sigstore().sign(PAYLOAD, person), keyless_trust(keyless("ann", person.subject, person.issuer)))
    assert found.signers[0].subject == person.subject


def test_a_user_name_is_a_subject() -> None:
    name = x509.OtherName(ObjectIdentifier(f"{FULCIO}.7"), asn1_text("ann"))
    assert admitted(with_certificate(names=[name]), keyless_trust(keyless(subject="ann"))).signers[0].subject == "ann"


def test_the_source_repository_is_compared_when_it_is_given() -> None:
    admitted(good(), keyless_trust(keyless(repository=REPOSITORY)))


def test_numbers_and_url_safe_base64_mean_the_same() -> None:
    bundle = changed(good(), f"{ENTRY}.logIndex", int)
    bundle = changed(bundle, f"{ENTRY}.canonicalizedBody", lambda text: text.replace("+", "-").replace("/", "_"))
    bundle = changed(bundle, "dsseEnvelope.signatures.0.sig", lambda text: text.replace("+", "-").replace("/", "_"))
    admitted(changed(bundle, STAMPS.rpartition(".")[0], lambda material: {**material, STAMPS.rpartition(".")[2]: None}))


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_what_writers_leave_out_is_its_default(log: str) -> None:
    first = VirtualSigstore(now=lambda: AT)
    first.log.leaves.clear()
    first.log2.leaves.clear()
    bundle = first.sign(PAYLOAD, log=log)
    for place in ("logIndex", "inclusionProof.logIndex", "inclusionProof.hashes"):
        bundle = changed(bundle, f"{ENTRY}.{place}", ...)
    admitted(bundle, keyless_trust(root=encode(first.trusted_root())))


def test_the_earliest_trusted_time_counts() -> None:
    bundle = good("v1", stamped=True)
    digest = hashlib.sha256(signature_of(bundle)).digest()
    for seconds, source in ((60, TimeSource.LOG), (0, TimeSource.LOG)):
        stamp = sigstore().tsa.timestamp(digest, AT + timedelta(seconds=seconds))
        found = admitted(changed(bundle, f"{STAMPS}.rfc3161Timestamps", [{"signedTimestamp": b64(stamp)}]))
        assert (found.signed_at_s, found.time_source) == (AT_S, source)
    stamps = [sigstore().tsa.timestamp(digest, AT + timedelta(seconds=item)) for item in (90, 30, 60)]
    listed = [{"signedTimestamp": b64(item)} for item in stamps]
    unpromised = changed(changed(bundle, f"{ENTRY}.inclusionPromise", ...), f"{STAMPS}.rfc3161Timestamps", listed)
    found = admitted(unpromised)
    assert (found.signed_at_s, found.time_source) == (AT_S + 30, TimeSource.TIMESTAMP_AUTHORITY)


def test_a_key_has_no_trusted_time() -> None:
    found = only_verified(verify(encode(bundle_value(PAYLOAD, make_key()))))
    assert (found.signed_at_s, found.time_source, found.log_included) == (None, TimeSource.NONE, False)


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
    assert code(good(), keyless_trust(root=root_bytes("other.test"))) == "signature.keyless_log"


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
        ("mediaType", "application/json", "not a trusted root"),
        ("tlogs", {}, "tlogs is not a list"),
        ("ctlogs", None, "ctlogs is not a list"),
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

    library = module._library(json.dumps(json.loads(root_bytes())))
    assert library is not None
    monkeypatch.setattr(type(library.verifier), "verify_dsse", lambda *_: ("application/vnd.in-toto+json", b"{}"))
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
    found = counted(approvals(Person(), MAINTAINER), two(ANN))
    assert [item.name for item in found.signers] == ["ann", "builder"]


def test_s03_a_key_and_an_identity_are_two() -> None:
    found = counted(approvals(Person(), keys=("release",)), two(signer("release", claims=("approval",))))
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


def counted(bundles: list[bytes], store: Any) -> Verified:
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
    assert identity_of(certificate) == CertificateIdentity(
        ISSUER, WORKFLOW, BuildIdentity(source_repository=REPOSITORY)
    )


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
    assert json.loads(rewritten(parse_container(encode(good()), limit=LIMIT).content, material)) == good()
