"""What signing shares: a signature is looked at before it is written, and parties are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gate.app.produce import certified_identity, is_of_another, party_digest, sign_payload, signed_by
from gate.errors import AttestError
from tests.support.evidence import bundle, encode, provenance
from tests.support.keyless import MAINTAINER, PAYLOAD, changed, good, sigstore
from tests.support.virtual_sigstore import ISSUER, WORKFLOW


@dataclass
class Identity:
    """Signs whatever it is given with one and the same bundle."""

    data: bytes

    def sign_statement(self, _: bytes) -> bytes:
        return self.data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bundle(PAYLOAD), "not by a certificate over the statement"),
        (encode(sigstore().sign(provenance({}))), "not by a certificate over the statement"),
        (b"{}", "cannot be verified"),
        (encode(changed(good(), "verificationMaterial.tlogEntries", {})), "cannot be verified"),
    ],
    ids=["a key", "another statement", "junk", "another shape"],
)
def test_a_bundle_that_is_not_of_this_statement_is_not_written(data: bytes, says: str) -> None:
    with pytest.raises(AttestError, match=says):
        sign_payload(PAYLOAD, Identity(data))


def test_identities_are_told_apart(tmp_path: Path) -> None:
    mine: Any = Identity(encode(good()))
    others = encode(sigstore().sign(PAYLOAD, MAINTAINER))
    data = sign_payload(PAYLOAD, mine)
    assert signed_by(mine, data).text == f"{WORKFLOW} of {ISSUER}"
    assert party_digest(mine, data) != party_digest(mine, others)
    for found, another in (
        (data, False),
        (encode(good("v2")), False),
        (others, True),
        (bundle(PAYLOAD), True),
        (bundle(provenance({})), False),
    ):
        (tmp_path / "out").write_bytes(found)
        assert is_of_another(tmp_path / "out", data, mine) is another


def test_a_certificate_that_cannot_be_read_names_nobody() -> None:
    odd = encode(changed(good(), "verificationMaterial.certificate.rawBytes", "AAAA"))
    assert certified_identity(odd) is None
    assert signed_by(Identity(odd), odd).text == ""
