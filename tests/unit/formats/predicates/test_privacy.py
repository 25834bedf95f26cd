"""The member `privacy`: everything in it is verified, and nothing else may be in it."""

from __future__ import annotations

import base64
from typing import Any

import pyrage
import pytest

from gate.attest.privacy import embed
from gate.formats.intoto import StatementError
from gate.formats.predicates.privacy import MAX_BYTES, read_privacy
from gate.model.digest import Digest, sha256_digest

CONTENT = b"You are a careful assistant.\n"
FILES = {"app/a.txt": sha256_digest(CONTENT), "app/b.txt": Digest(f"sha256:{'0' * 64}")}
RECIPIENTS = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2)]
PLAIN: Any = embed("plaintext_explicit", {"app/a.txt": CONTENT})
ENCRYPTED: Any = embed("encrypted_payload", {"app/a.txt": CONTENT}, RECIPIENTS)


def with_payload(privacy: Any, **changes: Any) -> Any:
    payload = {**privacy["payloads"]["app/a.txt"], **changes}
    return {**privacy, "payloads": {"app/a.txt": {key: value for key, value in payload.items() if value is not ...}}}


def sealed(ciphertext: bytes, **changes: Any) -> Any:
    text = base64.b64encode(ciphertext).decode()
    return with_payload(ENCRYPTED, ciphertext=text, ciphertext_digest=sha256_digest(ciphertext), **changes)


def refused(value: Any) -> str:
    with pytest.raises(StatementError) as caught:
        read_privacy(value, FILES)
    assert caught.value.code in {"privacy", "predicate"}
    return str(caught.value)


def test_what_is_right_becomes_facts() -> None:
    assert read_privacy({"mode": "hash_only"}, FILES) == {"mode": "hash_only", "payloads": []}
    assert read_privacy(PLAIN, FILES) == {"mode": "plaintext_explicit", "payloads": ["app/a.txt"]}
    assert read_privacy(ENCRYPTED, FILES) == {"mode": "encrypted_payload", "payloads": ["app/a.txt"]}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "privacy needs a mode: hash_only, plaintext_explicit, encrypted_payload"),
        ({}, "privacy needs a mode"),
        ({"mode": "none"}, "privacy needs a mode"),
        ({"mode": ["hash_only"]}, "privacy needs a mode"),
        ({"mode": "hash_only", "payloads": {}}, "privacy of the mode hash_only has the members mode, and no others"),
        ({"mode": "encrypted_payload"}, "privacy of the mode encrypted_payload has the members mode, payloads, and"),
        ({**PLAIN, "note": ""}, "privacy of the mode plaintext_explicit has the members mode, payloads, and no others"),
        ({"mode": "plaintext_explicit", "payloads": {}}, "privacy has no payloads, or more than 256"),
        ({"mode": "plaintext_explicit", "payloads": []}, "privacy has no payloads, or more than 256"),
        ({"mode": "encrypted_payload", "payloads": {str(n): {} for n in range(257)}}, "privacy has no payloads, or"),
        ({**PLAIN, "payloads": {"app/c.txt": {}}}, "the payload 'app/c.txt' is no subject of the statement"),
        ({**PLAIN, "payloads": {"app/a.txt": "x"}}, "the payload 'app/a.txt' is not an object"),
        ({**PLAIN, "payloads": ENCRYPTED["payloads"]}, "the payload 'app/a.txt' has the members content, digest, and"),
        (
            {**ENCRYPTED, "payloads": PLAIN["payloads"]},
            "the payload 'app/a.txt' has the members ciphertext, ciphertext",
        ),
        (with_payload(PLAIN, content="eA=="), "the content of 'app/a.txt', its digest and the subject's do not agree"),
        (with_payload(PLAIN, digest=FILES["app/b.txt"]), "the content of 'app/a.txt', its digest and the subject's do"),
        (with_payload(PLAIN, content="eA"), "the content of 'app/a.txt' is not base64: wrong length or padding"),
        (with_payload(PLAIN, content="_w=="), "the content of 'app/a.txt' is not in the standard alphabet of base64"),
        (with_payload(PLAIN, content=7), "the content of 'app/a.txt' is not a string"),
        (with_payload(PLAIN, size=1), "the payload 'app/a.txt' has the members content, digest, and no others"),
        (with_payload(ENCRYPTED, ciphertext_digest=...), "the payload 'app/a.txt' has the members ciphertext, cipher"),
        (with_payload(ENCRYPTED, ciphertext_digest=None), "the ciphertext of 'app/a.txt' does not have its ciphertext"),
        (with_payload(ENCRYPTED, commitment="sha256:00"), "commitment of 'app/a.txt' holds 'sha256:00', expected"),
        (with_payload(ENCRYPTED, recipients="x"), "recipients of 'app/a.txt' is not a list"),
        (with_payload(ENCRYPTED, recipients=[]), "the ciphertext of 'app/a.txt' is not for the 0 recipients that are"),
        (
            with_payload(ENCRYPTED, recipients=[FILES["app/b.txt"]] * 2),
            "the ciphertext of 'app/a.txt' is not for the 1 recipients that are",
        ),
        (sealed(CONTENT), "the ciphertext of 'app/a.txt' is no file of age: it does not start as"),
        (
            sealed(pyrage.passphrase.encrypt(CONTENT, "x"), recipients=[FILES["app/b.txt"]]),
            "the ciphertext of 'app/a.txt' is not for the 1 recipients that are named",
        ),
    ],
)
def test_anything_else_is_refused(value: Any, problem: str) -> None:
    assert refused(value).startswith(problem)


def test_payloads_of_another_file_are_refused() -> None:
    value = {"mode": "plaintext_explicit", "payloads": {"app/b.txt": PLAIN["payloads"]["app/a.txt"]}}
    assert refused(value) == "the content of 'app/b.txt', its digest and the subject's do not agree"


def test_there_is_a_limit_for_all_payloads_together() -> None:
    content = b"x" * (MAX_BYTES // 2 + 1)
    digest = sha256_digest(content)
    payload = {"digest": digest, "content": base64.b64encode(content).decode()}
    with pytest.raises(StatementError, match="more than the 8388608 that are read"):
        read_privacy({**PLAIN, "payloads": {"a": payload, "b": payload}}, {"a": digest, "b": digest})
