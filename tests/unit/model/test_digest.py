"""Digests have one spelling."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.model.digest import digest_from_hex, hex_of, parse_digest, sha256_digest

HEX = hashlib.sha256(b"x").hexdigest()


@given(st.binary(max_size=100))
def test_a_digest_is_the_sha256_in_lower_case(data: bytes) -> None:
    digest = sha256_digest(data)
    assert digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert parse_digest(digest) == digest == digest_from_hex(hex_of(digest))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        HEX.upper(),
        HEX[:-1],
        HEX + "0",
        HEX + "\n",
        " " + HEX,
        "sha256:" + HEX,
        "g" * 64,
        "\u0661" * 64,
        "\uff11" * 64,
    ],
    ids=ascii,
)
def test_s11_no_other_spelling_is_a_digest(text: str) -> None:
    assert digest_from_hex(text) is None
    assert parse_digest("sha256:" + text) is None


@pytest.mark.parametrize(
    "text",
    [HEX, "SHA256:" + HEX, "sha512:" + HEX, "sha256" + HEX, " sha256:" + HEX, "sha256:sha256:" + HEX, "", "sha1:"],
)
def test_s11_the_algorithm_is_part_of_the_spelling(text: str) -> None:
    assert parse_digest(text) is None
