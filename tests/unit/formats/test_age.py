"""Files of age as they are seen without a key."""

from __future__ import annotations

import pyrage
import pytest

from gate.formats.age import AgeError, recipient_kinds

CHUNK = 64 << 10
BODY = b"-> X25519 abc\n" + b"A" * 43 + b"\n"
MAC = b"--- " + b"B" * 43 + b"\n"
START = b"age-encryption.org/v1\n"


def made(size: int, recipients: int = 1) -> bytes:
    keys = [pyrage.x25519.Identity.generate().to_public() for _ in range(recipients)]
    data: bytes = pyrage.encrypt(b"x" * size, keys)
    return data


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
@pytest.mark.parametrize("recipients", [1, 3])
def test_what_age_makes_is_read(size: int, recipients: int) -> None:
    assert recipient_kinds(made(size, recipients)) == ("X25519",) * recipients


def test_a_passphrase_shows() -> None:
    assert recipient_kinds(pyrage.passphrase.encrypt(b"x", "secret")) == ("scrypt",)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it does not start as a file of age v1 does"),
        (b"age-encryption.org/v2\n" + BODY + MAC + b"x" * 32, "it does not start as a file of age v1 does"),
        (pyrage.encrypt(b"x", [pyrage.x25519.Identity.generate().to_public()], armored=True), "it does not start as"),
        (START, "its header is malformed or cut"),
        (START + MAC + b"x" * 32, "its header is malformed or cut"),
        (START + BODY, "its header is malformed or cut"),
        (START + BODY + MAC[:-1], "its header is malformed or cut"),
        (START + b"-> \n\n" + MAC + b"x" * 32, "its header is malformed or cut"),
        (START + BODY * 65 + MAC + b"x" * 32, "it has more than 64 recipients"),
        (START + BODY + MAC, "its ciphertext is cut"),
        (START + BODY + MAC + b"x" * 31, "its ciphertext is cut"),
        (START + BODY + MAC + b"x" * (16 + CHUNK + 16 + 15), "its ciphertext is cut"),
        (START + BODY + MAC + b"x" * (16 + CHUNK + 16 + 16), "its ciphertext is cut"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(AgeError) as caught:
        recipient_kinds(data)
    assert str(caught.value).startswith(problem)


def test_the_smallest_that_has_the_form_is_read() -> None:
    assert recipient_kinds(START + BODY + MAC + b"x" * 32) == ("X25519",)
    assert recipient_kinds(START + BODY + b"-> Q@-grease x\n\n" + MAC + b"x" * 32) == ("X25519",)
    assert recipient_kinds(START + BODY + MAC + b"x" * (16 + CHUNK + 16 + 17)) == ("X25519",)
