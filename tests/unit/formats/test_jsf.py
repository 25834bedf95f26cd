"""Signatures inside JSON objects: the vectors of the specification, and what is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gate.formats.jsf import JsfError, SignedDocument, parse_signed

VECTORS = Path(__file__).parents[2] / "vectors" / "bom" / "jsf"
VALUE = base64.urlsafe_b64encode(bytes(64)).rstrip(b"=").decode()
ONE = {"algorithm": "Ed25519", "value": VALUE}


def vector(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_bytes())


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def verify(found: SignedDocument, signers: list[Any]) -> None:
    """Independent of the gate's keys: with what the vectors bring."""
    first, second = (item["publicKey"] for item in signers)
    point = ec.EllipticCurvePublicNumbers(number(first["x"]), number(first["y"]), ec.SECP256R1()).public_key()
    point.verify(found.signatures[0].value, found.signatures[0].signed, ec.ECDSA(hashes.SHA256()))
    modulus = rsa.RSAPublicNumbers(number(second["e"]), number(second["n"])).public_key()
    modulus.verify(found.signatures[1].value, found.signatures[1].signed, padding.PKCS1v15(), hashes.SHA256())


def code(signature: Any, **document: Any) -> str:
    with pytest.raises(JsfError) as caught:
        parse_signed({**document, "signature": signature})
    assert len(str(caught.value)) < 300
    return caught.value.code


@pytest.mark.parametrize(("name", "member"), [("multiple", "signers"), ("chain", "chain")])
def test_the_vectors_of_the_specification_verify(name: str, member: str) -> None:
    document = vector(name)
    found = parse_signed(document)
    assert [item.algorithm for item in found.signatures] == ["ecdsa-p256-sha256", "rsa-pkcs1v15-sha256"]
    assert json.loads(found.content) == {name: item for name, item in document.items() if name != "signature"}
    verify(found, document["signature"][member])


@pytest.mark.parametrize(("name", "member"), [("multiple", "signers"), ("chain", "chain")])
def test_one_other_character_is_no_longer_signed(name: str, member: str) -> None:
    document = vector(name) | {"name": "Jo\u00e9"}
    with pytest.raises(InvalidSignature):
        verify(parse_signed(document), document["signature"][member])


def test_in_a_chain_a_signature_covers_those_before_it_and_among_signers_none() -> None:
    chained, several = (
        [json.loads(item.signed)["signature"] for item in parse_signed(vector(name)).signatures]
        for name in ("chain", "multiple")
    )
    assert [len(item["chain"]) for item in chained] == [1, 2]
    assert [len(item["signers"]) for item in several] == [1, 1]
    assert "value" in chained[1]["chain"][0]
    assert "value" not in chained[1]["chain"][1]


def test_a_vector_that_leaves_members_out_is_refused() -> None:
    document = vector("excludes")
    with pytest.raises(JsfError, match="excludes"):
        parse_signed(document)


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("text", "shape"),
        ({}, "algorithm"),
        ({**ONE, "excludes": []}, "shape"),
        ({**ONE, "extensions": ["x"]}, "shape"),
        ({"signers": [ONE], "chain": [ONE]}, "shape"),
        ({"signers": [ONE], **ONE}, "shape"),
        ({"signers": [ONE], "excludes": ["name"]}, "shape"),
        ({"signers": []}, "shape"),
        ({"signers": ONE}, "shape"),
        ({"chain": [ONE, "text"]}, "shape"),
        ({"signers": [{"signers": [ONE]}]}, "shape"),
        ({"signers": [ONE] * 17}, "too_many_signatures"),
        ({**ONE, "algorithm": "HS256"}, "algorithm"),
        ({**ONE, "algorithm": "ES512"}, "algorithm"),
        ({**ONE, "algorithm": "none"}, "algorithm"),
        ({**ONE, "algorithm": ["Ed25519"]}, "algorithm"),
        ({"algorithm": "Ed25519"}, "base64"),
        ({**ONE, "value": ""}, "base64"),
        ({**ONE, "value": VALUE + "=="}, "base64"),
        ({**ONE, "value": "a+b/"}, "base64"),
        ({**ONE, "value": "AAAAA"}, "base64"),
        ({**ONE, "value": "AB"}, "base64"),
        ({**ONE, "algorithm": "ES384"}, "signature"),
        ({**ONE, "algorithm": "ES256", "value": "AAAA"}, "signature"),
    ],
    ids=str,
)
def test_what_is_no_signature_of_the_format_is_refused(signature: Any, expected: str) -> None:
    assert code(signature) == expected


def test_a_number_without_canonical_form_is_refused() -> None:
    assert code(ONE, size=2**60 + 1) == "number"


def test_numbers_and_names_are_signed_in_their_canonical_form() -> None:
    (found,) = parse_signed({"\u20ac": 1, "\U0001f600": 2, "\ufb33": 1.0, "b": 1e21, "signature": ONE}).signatures
    text = '{"b":1e+21,"signature":{"algorithm":"Ed25519"},"\u20ac":1,"\U0001f600":2,"\ufb33":1}'
    assert found.signed == text.encode()
