"""Trusted keys: which texts are keys, and which bytes are signatures (SECURITY 4)."""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
from collections.abc import Iterator
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from gate.verify.keys import SCHEMES, KeyFormatError, TrustedKey, load_key
from tests.support.evidence import KEY_TYPES, SigningKey, make_key

MESSAGE: Final = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
P: Final = (1 << 255) - 19
ED25519_ORDER: Final = (1 << 252) + 27742317777372353535851937790883648493
ORDERS: Final = {
    "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "p384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}
ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
ORDER_8: Final = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def loaded(kind: str, name: str = "release") -> TrustedKey:
    key = make_key(name, kind)
    return load_key(key.pem, key.scheme)


def pem(der: bytes, label: str = "PUBLIC KEY") -> bytes:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()


def public_pem(private: Any) -> bytes:
    return bytes(
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def der(tag: int, body: bytes) -> bytes:
    length = len(body)
    return bytes([tag, length] if length < 128 else [tag, 0x82, length >> 8, length & 255]) + body


# -- what is a key -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_a_key_of_each_type_verifies_its_own_signature(kind: str) -> None:
    assert loaded(kind).verifies(make_key("release", kind).sign(MESSAGE), MESSAGE)


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_the_spki_is_the_digest_of_the_public_key_info(kind: str) -> None:
    assert loaded(kind).spki == make_key("release", kind).spki


def test_the_key_names_its_one_algorithm() -> None:
    found = [loaded(kind).algorithm for kind in KEY_TYPES]
    assert found == ["ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha256", "rsa-pkcs1v15-sha256"]


def test_rsa_without_a_scheme_is_pss() -> None:
    assert load_key(make_key("release", "rsa-pss").pem).algorithm == "rsa-pss-sha256"


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1()])
def test_other_curves_are_no_keys(curve: ec.EllipticCurve) -> None:
    with pytest.raises(KeyFormatError, match=r"curve .* is not trusted|not a public key"):
        load_key(public_pem(ec.generate_private_key(curve)))


def test_other_algorithms_are_no_keys() -> None:
    for private in (
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
        dsa.generate_private_key(1024),
    ):
        with pytest.raises(KeyFormatError, match="neither Ed25519"):
            load_key(public_pem(private))


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="1024 bits"):
        load_key(public_pem(rsa.generate_private_key(65537, 1024)))


def test_an_unknown_rsa_scheme_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="known are rsa-pss-sha256, rsa-pkcs1v15-sha256"):
        load_key(make_key("release", "rsa-pss").pem, "rsa-pkcs1v15-sha1")
    assert len(SCHEMES) == 2


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384"])
def test_a_scheme_is_for_rsa_only(kind: str) -> None:
    with pytest.raises(KeyFormatError, match="RSA keys only"):
        load_key(make_key("release", kind).pem, "rsa-pss-sha256")


@pytest.mark.parametrize("kind", KEY_TYPES)
@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_a_private_key_is_refused_and_not_quoted(kind: str, form: str) -> None:
    if kind == "ed25519" and form == "TraditionalOpenSSL":
        form = "OpenSSH"
    text = make_key("release", kind).private.private_bytes(
        serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), serialization.NoEncryption()
    )
    with pytest.raises(KeyFormatError, match="this is a private key") as caught:
        load_key(text)
    assert text.split(b"\n")[1].decode() not in str(caught.value)


GOOD: Final = make_key().pem
RAW: Final = base64.b64decode(b"".join(GOOD.splitlines()[1:-1]))
NOT_KEYS: Final = {
    "empty": b"",
    "space": b" \n",
    "junk": b"\x00\xff\xfe",
    "text": b"ssh-ed25519 AAAA",
    "der": RAW,
    "two blocks": GOOD + GOOD,
    "two different blocks": GOOD + make_key("other").pem,
    "certificate": pem(RAW, "CERTIFICATE"),
    "rsa public key": pem(RAW, "RSA PUBLIC KEY"),
    "public key and certificate": GOOD + pem(RAW, "CERTIFICATE"),
    "text in front": b"the release key:\n" + GOOD,
    "text behind": GOOD + b"and more\n",
    "nul behind": GOOD + b"\x00",
    "headers": GOOD.replace(b"KEY-----\n", b"KEY-----\nProc-Type: 4\n\n", 1),
    "no end": GOOD.split(b"-----END")[0],
    "no begin": GOOD.split(b"KEY-----\n", 1)[1],
    "empty block": b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
    "bad base64": GOOD.replace(b"\nM", b"\n=M", 1),
    "truncated": pem(RAW[:-1]),
    "trailing der": pem(RAW + b"\x00"),
    "long der": pem(RAW[:-32] + b"\x00" * 64),
    "unknown oid": pem(RAW.replace(bytes.fromhex("2b6570"), bytes.fromhex("2b6579"))),
    "utf-16": GOOD.decode().encode("utf-16"),
}


@pytest.mark.parametrize("name", NOT_KEYS)
def test_what_is_not_one_public_key_is_refused(name: str) -> None:
    with pytest.raises(KeyFormatError):
        load_key(NOT_KEYS[name])


@pytest.mark.parametrize("text", [GOOD.replace(b"\n", b"\r\n"), b"\n\n" + GOOD + b"\n\n"], ids=["crlf", "blank lines"])
def test_line_ends_and_blank_lines_do_not_matter(text: bytes) -> None:
    assert load_key(text).spki == make_key().spki


def small_order_keys() -> Iterator[bytes]:
    y8 = int.from_bytes(bytes.fromhex(ORDER_8), "little")
    for y in (0, 1, P - 1, P, P + 1, y8, P - y8):
        for sign in (0, 1 << 255):
            yield (y | sign).to_bytes(32, "little")


@pytest.mark.parametrize("raw", list(small_order_keys()), ids=lambda raw: raw.hex()[:8] + raw.hex()[-2:])
def test_s4_a_key_for_which_anybody_can_sign_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyFormatError, match=r"small order|not a public key"):
        load_key(pem(ED25519_PREFIX + raw))


@pytest.mark.parametrize("exponent", [1, 2, 4])
def test_s4_a_trivial_rsa_exponent_is_refused(exponent: int) -> None:
    modulus = make_key("release", "rsa-pss").private.public_key().public_numbers().n
    inner = der(0x30, der(2, b"\0" + modulus.to_bytes(256)) + der(2, bytes([exponent])))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    with pytest.raises(KeyFormatError, match="not a public key"):
        load_key(pem(der(0x30, algorithm + der(3, b"\0" + inner))))


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_s3_another_encoding_of_an_ec_point_is_the_same_key(kind: str) -> None:
    key = make_key("release", kind)
    public = key.private.public_key()
    info = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    plain = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    short = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    hybrid = bytes([6 + (plain[-1] & 1)]) + plain[1:]
    algorithm = info[2 : info.index(b"\x03", 20)]
    algorithm = algorithm[: 2 + algorithm[1]]
    for point in (short, hybrid):
        try:
            found = load_key(pem(der(0x30, algorithm + der(3, b"\0" + point))))
        except KeyFormatError:
            continue  # not to read a form is as good as to see through it
        assert found.spki == key.spki


def test_s3_an_rsa_key_under_the_pss_identifier_is_the_same_key() -> None:
    key = make_key("release", "rsa-pss")
    inner = key.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    found = load_key(pem(der(0x30, der(0x30, bytes.fromhex("06092a864886f70d01010a")) + der(3, b"\0" + inner))))
    assert found.spki == key.spki == make_key("release", "rsa-pkcs1").spki


# -- what is a signature -----------------------------------------------------------------------------------------------


def test_s4_pss_and_pkcs1_are_not_taken_for_each_other() -> None:
    pss, pkcs1 = make_key("release", "rsa-pss"), make_key("release", "rsa-pkcs1")
    assert pss.pem == pkcs1.pem
    assert not loaded("rsa-pss").verifies(pkcs1.sign(MESSAGE), MESSAGE)
    assert not loaded("rsa-pkcs1").verifies(pss.sign(MESSAGE), MESSAGE)


@pytest.mark.parametrize("algorithm", [hashes.SHA1, hashes.SHA224, hashes.SHA384, hashes.SHA512, hashes.SHA3_256])
@pytest.mark.parametrize("kind", ["p256", "rsa-pss", "rsa-pkcs1"])
def test_s4_another_hash_is_refused(kind: str, algorithm: type[hashes.HashAlgorithm]) -> None:
    private, other = make_key("release", kind).private, algorithm()
    if kind == "p256":
        signature = private.sign(MESSAGE, ec.ECDSA(other))
    elif kind == "rsa-pss":
        signature = private.sign(MESSAGE, padding.PSS(padding.MGF1(other), 20), other)
    else:
        signature = private.sign(MESSAGE, padding.PKCS1v15(), other)
    assert not loaded(kind).verifies(signature, MESSAGE)


def test_s4_a_p384_signature_over_sha256_is_refused() -> None:
    signature = make_key("release", "p384").private.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    assert not loaded("p384").verifies(signature, MESSAGE)


def test_s4_a_hash_signed_as_the_message_is_refused() -> None:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(MESSAGE)
    for kind in KEY_TYPES:
        assert not loaded(kind).verifies(make_key("release", kind).sign(digest.finalize()), MESSAGE)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(MESSAGE)


def ecdsa_forms(kind: str) -> Iterator[bytes]:
    """Hand-made DER, right and wrong numbers in right and wrong encodings."""
    order, size = ORDERS[kind], len(ORDERS[kind].to_bytes(64).lstrip(b"\0"))
    good = make_key("release", kind).sign(MESSAGE)
    r, s = decode_dss_signature(good)
    edges = (0, 1, 2, order - 1, order, order + 1, 1 << (8 * size), (1 << (8 * size)) - 1, r, s)
    yield from (encode_dss_signature(a, b) for a in edges for b in edges if (a, b) != (r, s))
    yield r.to_bytes(size) + s.to_bytes(size)  # P1363
    yield encode_dss_signature(r + order, s)
    yield encode_dss_signature(r, s + order)
    minimal = [der(2, _minimal(number)) for number in (r, s)]
    negative = [der(2, bytes([0x80 | _minimal(number)[-size]]) + _minimal(number)[1:]) for number in (r, s)]
    body = b"".join(minimal)
    yield der(0x30, b"\0" + body)
    yield from (
        der(0x30, b"".join(pair))
        for pair in ((der(2, b"\0" + _minimal(r)), minimal[1]), (minimal[0], der(2, b"\0" + _minimal(s))))
    )
    yield from (
        der(0x30, b"".join(pair)) for pair in ((negative[0], minimal[1]), (minimal[0], negative[1]), tuple(negative))
    )
    yield b"\x30\x81" + bytes([len(body)]) + body  # long form of a short length
    yield b"\x30\x82\x00" + bytes([len(body)]) + body
    yield b"\x30\x80" + body + b"\0\0"  # indefinite length
    yield b"\x30" + bytes([len(body) + 1]) + body
    yield b"\x30" + bytes([len(body) - 1]) + body
    yield from (der(tag, body) for tag in (0x31, 0x24, 0x10, 0x02, 0x00))
    yield from (der(0x30, minimal[0] + extra) for extra in (b"", der(5, b""), der(2, b"")))
    yield from (der(0x30, body + extra) for extra in (b"\0", der(5, b""), minimal[0]))
    yield from (good + extra for extra in (b"\0", b"\xff", good, b"\r\n"))
    yield from (der(0x30, der(tag, _minimal(r)) + minimal[1]) for tag in (3, 4, 9, 0x22))
    yield der(0x30, der(9, b"\x80\x00\x01") + minimal[1])  # a real number


def _minimal(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


def ed25519_forms() -> Iterator[bytes]:
    good = make_key().sign(MESSAGE)
    first, scalar = good[:32], int.from_bytes(good[32:], "little")
    public = make_key().private.public_key().public_bytes_raw()
    for factor in range(1, 8):  # S >= L
        yield first + (scalar + factor * ED25519_ORDER).to_bytes(32, "little")
    for number in (0, 1, ED25519_ORDER - 1, ED25519_ORDER, ED25519_ORDER + 1, (1 << 256) - 1, (1 << 253)):
        yield first + number.to_bytes(32, "little")
        yield public + number.to_bytes(32, "little")
        for point in small_order_keys():
            yield point + number.to_bytes(32, "little")
    yield first + (ED25519_ORDER - scalar).to_bytes(32, "little")
    for point in small_order_keys():
        yield point + good[32:]
    yield good[32:] + good[:32]
    yield bytes(reversed(good))
    yield bytes([*good[:31], good[31] ^ 0x80]) + good[32:]  # the other square root
    for value in range(P, P + 19):  # not reduced
        yield value.to_bytes(32, "little") + good[32:]


def rsa_forms(kind: str) -> Iterator[bytes]:
    key = make_key("release", kind)
    good, modulus = key.sign(MESSAGE), key.private.public_key().public_numbers().n
    number = int.from_bytes(good)
    yield from (value.to_bytes(256) for value in (0, 1, 2, modulus - 1, modulus, modulus - number))
    yield (number + modulus).to_bytes(257)
    yield b"\0" + good
    yield good.lstrip(good[:1])
    yield pow(number, 65537, modulus).to_bytes(256)
    for body in (b"\x00\x01" + b"\xff" * 8 + b"\x00", b"\x00\x02" + b"\xff" * 8 + b"\x00"):
        yield body.ljust(256, b"\0")


def common_forms(kind: str) -> Iterator[bytes]:
    good = make_key("release", kind).sign(MESSAGE)
    yield from (b"", b"\0", b"\xff" * len(good), b"\0" * len(good), b"\0" * 64, b"\0" * 10_000)
    yield from (good[:length] for length in range(len(good)))
    yield from (good[start:] for start in range(1, len(good)))
    yield from (good + b"\0" * more for more in (1, 2, 64))
    yield from (make_key(name, kind).sign(MESSAGE) for name in ("other", "third"))
    yield from (make_key("release", kind).sign(other) for other in other_messages())
    yield from (make_key("release", other).sign(MESSAGE) for other in KEY_TYPES if other != kind)
    for place in range(len(good)):
        for bit in (0, 3, 7):
            yield good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]


def other_messages() -> Iterator[bytes]:
    yield from (b"", MESSAGE + b"\0", MESSAGE[:-1], MESSAGE.upper(), MESSAGE[::-1], b"{}")
    yield from (MESSAGE[:place] + bytes([MESSAGE[place] ^ 1]) + MESSAGE[place + 1 :] for place in range(len(MESSAGE)))


@functools.cache
def invalid(kind: str) -> tuple[bytes, ...]:
    special: dict[str, Iterator[bytes]] = {
        "ed25519": ed25519_forms(),
        "p256": ecdsa_forms("p256"),
        "p384": ecdsa_forms("p384"),
    }
    return (*common_forms(kind), *(special[kind] if kind in special else rsa_forms(kind)))


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_s4_no_invalid_signature_is_accepted(kind: str) -> None:
    key = loaded(kind)
    assert [signature.hex() for signature in invalid(kind) if key.verifies(signature, MESSAGE)] == []


@pytest.mark.parametrize("kind", ["rsa-pss", "rsa-pkcs1"])
def test_s4_an_rsa_signature_has_all_its_bytes_leading_zeros_too(kind: str) -> None:
    key, signing = loaded(kind), make_key("release", kind)
    signed = ((message, signing.sign(message)) for message in (str(number).encode() for number in itertools.count()))
    message, signature = next(pair for pair in signed if pair[1].startswith(b"\0"))
    assert key.verifies(signature, message)
    assert not any(key.verifies(changed, message) for changed in (signature[1:], b"\0" + signature))


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_a_signature_is_over_every_byte_of_the_message(kind: str) -> None:
    key, signature = loaded(kind), make_key("release", kind).sign(MESSAGE)
    assert not any(key.verifies(signature, message) for message in other_messages())


def test_there_are_two_thousand_invalid_signatures() -> None:
    assert sum(len(set(invalid(kind))) for kind in KEY_TYPES) >= 2_000


def test_a_fault_that_is_no_verdict_is_not_swallowed() -> None:
    def broken(_signature: bytes, _data: bytes) -> None:
        raise RuntimeError("hardware")

    with pytest.raises(RuntimeError):
        TrustedKey(make_key().spki, "ed25519", broken).verifies(b"", b"")


def test_keys_of_tests_are_distinct() -> None:
    keys: list[SigningKey] = [make_key(name, kind) for name in ("release", "other") for kind in KEY_TYPES[:4]]
    assert len({key.spki for key in keys}) == len(keys)


@pytest.mark.parametrize("kind", [kind for kind in KEY_TYPES if kind != "ed25519"])
def test_s4_a_digest_is_verified_by_the_hash_of_the_key_alone(kind: str) -> None:
    key, signature = loaded(kind), make_key("release", kind).sign(MESSAGE)
    assert key.hash is not None
    digest = hashlib.new(key.hash, MESSAGE).digest()
    assert key.verifies_digest(signature, key.hash, digest)
    for other in {"sha256", "sha384", "sha512"} - {key.hash}:
        assert not key.verifies_digest(signature, other, digest)
    assert not key.verifies_digest(signature, key.hash, hashlib.new(key.hash, b"other").digest())
    assert not key.verifies_digest(make_key("other", kind).sign(MESSAGE), key.hash, digest)


def test_s4_ed25519_signs_no_digest() -> None:
    key = loaded("ed25519")
    assert not any(key.verifies_digest(make_key().sign(MESSAGE), name, MESSAGE) for name in ("sha256", "sha512"))
