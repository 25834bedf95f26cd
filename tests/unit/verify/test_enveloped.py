"""CycloneDX documents that are signed inside and lie in evidence as they are: what counts, and the attacks on it.

The documents are signed here with `rfc8785` and `cryptography` alone, not with anything of the gate.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gate.model.evidence import Stage
from tests.support.evidence import (
    KEY_TYPES,
    SigningKey,
    bundle,
    encode,
    make_key,
    only_rejected,
    only_verified,
    refusal,
    signer,
    single_file,
    statement,
    subject,
    trust,
    verify,
)

CONTENT = b"weights"
MODEL = single_file("model", "models/model.safetensors", CONTENT)
ALGORITHMS = {"ed25519": "Ed25519", "p256": "ES256", "p384": "ES384", "rsa-pss": "PS256", "rsa-pkcs1": "RS256"}
KEY = make_key("bom")
STORE = trust(signer("bom", KEY, ["sbom"]))


def bom(content: bytes = CONTENT, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": "2026-11-01T00:00:00Z",
            "component": {
                "type": "machine-learning-model",
                "bom-ref": "model",
                "name": "model",
                "hashes": [{"alg": "SHA-256", "content": digest}],
            },
        },
        **more,
    }


def url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(key: SigningKey, data: bytes) -> str:
    """A signature as JWA writes it."""
    value = key.sign(data)
    if key.kind in {"p256", "p384"}:
        size = {"p256": 32, "p384": 48}[key.kind]
        value = b"".join(number.to_bytes(size) for number in decode_dss_signature(value))
    return url_safe(value)


def jwk(key: SigningKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": url_safe(key.private.public_key().public_bytes_raw())}


def signed(
    document: dict[str, Any], key: SigningKey = KEY, algorithm: str | None = None, **more: Any
) -> dict[str, Any]:
    head = {"algorithm": algorithm or ALGORITHMS[key.kind], **more}
    value = raw(key, rfc8785.dumps({**document, "signature": head}))
    return {**document, "signature": {**head, "value": value}}


def several(document: dict[str, Any], *keys: SigningKey, member: str = "signers") -> dict[str, Any]:
    done: list[dict[str, str]] = []
    for key in keys:
        head = {"algorithm": ALGORITHMS[key.kind]}
        before = done if member == "chain" else []
        value = raw(key, rfc8785.dumps({**document, "signature": {member: [*before, head]}}))
        done.append({**head, "value": value})
    return {**document, "signature": {member: done}}


def judged(*documents: Any, store: Any = STORE) -> Any:
    items = [item if isinstance(item, bytes) else encode(item) for item in documents]
    return verify(*items, store=store, artifacts=[MODEL])


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_a_document_that_a_trusted_key_signed_covers_what_its_main_component_hashes(kind: str) -> None:
    key = make_key("bom", kind)
    found = only_verified(judged(signed(bom(), key), store=trust(signer("bom", key, ["sbom"]))))
    assert found.artifacts == ("model",)
    assert found.statement.claim == "sbom"
    assert found.statement.facts["enveloped_signature"] is True
    assert [item.name for item in found.signers] == ["bom"]


def test_the_same_document_in_another_layout_is_the_same_statement() -> None:
    document = signed(bom())
    once = only_verified(judged(document))
    other = only_verified(judged(json.dumps(document, indent=3, sort_keys=True).encode()))
    assert once.payload == other.payload
    assert once.evidence != other.evidence


def test_a_document_about_other_bytes_covers_nothing_and_with_its_name_is_refused() -> None:
    other = bom(b"other bytes")
    assert only_verified(judged(signed(other))).artifacts == ()
    other["metadata"]["component"]["name"] = "models/model.safetensors"
    assert refusal(judged(signed(other)))[0] is Stage.SUBJECT


def test_without_a_hash_it_covers_nothing() -> None:
    document = bom()
    del document["metadata"]["component"]["hashes"]
    assert only_verified(judged(signed(document))).artifacts == ()


def test_s02_an_embedded_key_proves_nothing() -> None:
    mine = make_key("attacker")
    assert refusal(judged(signed(bom(), mine, publicKey=jwk(mine), keyId="bom"))) == (
        Stage.SIGNATURE,
        "signature.untrusted",
    )
    # The other way round it counts: whom the trusted key says it is does not matter.
    only_verified(judged(signed(bom(), publicKey=jwk(mine))))


def test_s04_the_algorithm_of_the_message_chooses_none() -> None:
    for kind, other in (("rsa-pss", "RS256"), ("rsa-pkcs1", "PS256"), ("p256", "Ed25519"), ("ed25519", "PS256")):
        key = make_key("bom", kind)
        store = trust(signer("bom", key, ["sbom"]))
        assert refusal(judged(signed(bom(), key, other), store=store)) == (Stage.SIGNATURE, "signature.untrusted")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES512", "https://example.com/alg"])
def test_s04_other_algorithms_are_refused(algorithm: str) -> None:
    assert refusal(judged(signed(bom(), KEY, algorithm))) == (Stage.ENVELOPE, "envelope.algorithm")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"components": []},
        {"serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"},
        {"metadata": {}},
    ],
    ids=str,
)
def test_a_member_that_was_changed_or_added_is_no_longer_signed(change: Any) -> None:
    assert refusal(judged(signed(bom()) | change)) == (Stage.SIGNATURE, "signature.untrusted")


def test_a_member_beside_the_value_is_signed_too() -> None:
    document = signed(bom(), keyId="release")
    document["signature"]["keyId"] = "other"
    assert refusal(judged(document)) == (Stage.SIGNATURE, "signature.untrusted")


def test_members_cannot_be_excluded() -> None:
    open_document = bom(components=[])
    document = signed(bom())
    document["signature"]["excludes"] = ["components"]
    assert refusal(judged(open_document | {"signature": document["signature"]})) == (Stage.ENVELOPE, "envelope.shape")


def test_s17_a_second_signature_is_a_duplicate_key() -> None:
    text = encode(signed(bom()))
    twice = text.replace(b'"version":', b'"signature":{"algorithm":"Ed25519","value":"AA"},"version":', 1)
    assert twice != text
    assert refusal(judged(twice)) == (Stage.ENVELOPE, "envelope.json")


def test_a_signature_inside_a_component_is_none_of_the_document() -> None:
    document = bom()
    document["metadata"]["component"] = signed(document["metadata"]["component"])
    assert refusal(judged(document)) == (Stage.ENVELOPE, "envelope.unsigned_bom")


def test_numbers_that_are_the_same_are_the_same_and_others_are_not() -> None:
    text = encode(signed(bom()))
    assert b'"version":1,' in text.replace(b" ", b"")
    same = text.replace(b" ", b"").replace(b'"version":1,', b'"version":1.0,')
    assert only_verified(judged(same)).artifacts == ("model",)
    for other in (b"1.0000001", b"2", b"true", b'"1"'):
        changed = text.replace(b" ", b"").replace(b'"version":1,', b'"version":' + other + b",")
        assert refusal(judged(changed))[0] is Stage.SIGNATURE


def test_a_number_that_a_double_cannot_hold_is_refused() -> None:
    document = signed(bom())
    document["version"] = 2**53 + 1
    assert refusal(judged(document)) == (Stage.ENVELOPE, "envelope.number")


def test_names_outside_ascii_are_sorted_as_the_standard_says() -> None:
    extra = {"name": "\ufb33", "value": "\U0001f600"}
    only_verified(judged(signed(bom(properties=[extra, {"name": "\u20ac"}]))))
    # Members that the format does not have are signed, and refused by its schema.
    unknown: Any = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3}
    assert refusal(judged(signed(bom(**unknown)))) == (Stage.STATEMENT, "statement.predicate")


@pytest.mark.parametrize("member", ["signers", "chain"])
def test_s03_each_signature_counts_by_its_key(member: str) -> None:
    first, second, stranger = make_key("one"), make_key("two", "p256"), make_key("stranger")
    settings = [signer("one", first, ["sbom"]), signer("two", second, ["sbom"]), signer("again", first, ["sbom"])]
    store = trust(*settings, thresholds={"sbom": 2})
    found = only_verified(judged(several(bom(), first, second, member=member), store=store))
    assert [item.name for item in found.signers] == ["again", "one", "two"]
    assert refusal(judged(several(bom(), first, first, member=member), store=store))[1] == "signature.threshold"
    assert refusal(judged(several(bom(), first, stranger, member=member), store=store))[1] == "signature.threshold"
    assert refusal(judged(several(bom(), stranger, member=member), store=store))[1] == "signature.untrusted"


def test_two_copies_that_two_keys_signed_count_together() -> None:
    first, second = make_key("one"), make_key("two", "p256")
    store = trust(signer("one", first, ["sbom"]), signer("two", second, ["sbom"]), thresholds={"sbom": 2})
    found = only_verified(judged(signed(bom(), first), signed(bom(), second), store=store))
    assert [item.name for item in found.signers] == ["one", "two"]


def test_a_signature_moved_between_forms_is_none() -> None:
    one = signed(bom())
    assert refusal(judged(bom() | {"signature": {"signers": [one["signature"]]}}))[1] == "signature.untrusted"
    listed = several(bom(), KEY)["signature"]["signers"]
    assert refusal(judged(bom() | {"signature": {"chain": listed}}))[1] == "signature.untrusted"
    assert refusal(judged(bom() | {"signature": listed[0]}))[1] == "signature.untrusted"


def test_the_first_of_a_chain_counts_only_for_itself() -> None:
    first, second = make_key("one"), make_key("two")
    document = several(bom(), first, second, member="chain")
    document["signature"]["chain"][0]["value"] = document["signature"]["chain"][1]["value"]
    store = trust(signer("one", first, ["sbom"]), signer("two", second, ["sbom"]))
    assert refusal(judged(document, store=store))[1] == "signature.untrusted"


def test_s07_a_key_that_may_not_speak_for_it_or_is_revoked_does_not_count() -> None:
    assert refusal(judged(signed(bom()), store=trust(signer("bom", KEY, ["prompt"]))))[1] == "signature.claim"
    revoked = trust(signer("bom", KEY, ["sbom"]), revoked_keys=["bom"])
    assert refusal(judged(signed(bom()), store=revoked))[1] == "signature.revoked"
    payload = only_verified(judged(signed(bom()))).payload
    known = trust(signer("bom", KEY, ["sbom"]), revoked_evidence=[payload])
    assert refusal(judged(signed(bom()), store=known))[1] == "signature.revoked_evidence"


@pytest.mark.parametrize(
    "document", [bom(), {"spdxVersion": "SPDX-2.3"}, {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}]
)
def test_a_document_that_nobody_signed_is_refused_with_what_to_do(document: Any) -> None:
    found = only_rejected(judged(document))
    assert (found.stage, found.code) == (Stage.ENVELOPE, "envelope.unsigned_bom")
    assert "gate attest create --claim sbom" in found.detail
    assert "cosign attest" in found.detail


def test_spdx_has_no_signature_inside() -> None:
    document = signed({"spdxVersion": "SPDX-2.3"})
    assert refusal(judged(document)) == (Stage.ENVELOPE, "envelope.unsigned_bom")


def test_what_only_mentions_the_words_is_read_as_what_it_is() -> None:
    assert refusal(judged(b'["bomFormat"]')) == (Stage.ENVELOPE, "envelope.unknown")
    assert refusal(judged({"@context": "https://schema.org"})) == (Stage.ENVELOPE, "envelope.unknown")
    assert refusal(judged(b'{"bomFormat": ')) == (Stage.ENVELOPE, "envelope.json")


def test_a_document_with_an_envelope_in_it_is_a_document() -> None:
    store = trust(signer("bom", KEY, ["sbom", "prompt"]))
    envelope = json.loads(bundle(statement("prompt", [subject("m", MODEL.digest)]), KEY))  # type: ignore[arg-type]
    assert refusal(judged(envelope | bom(), store=store)) == (Stage.ENVELOPE, "envelope.unsigned_bom")
    both = signed(envelope | bom())
    assert refusal(judged(both, store=store)) == (Stage.STATEMENT, "statement.predicate")


def test_s15_a_document_from_the_future_of_its_statement_is_told() -> None:
    document = bom()
    document["metadata"]["timestamp"] = "yesterday"
    assert refusal(judged(signed(document))) == (Stage.STATEMENT, "statement.predicate")
