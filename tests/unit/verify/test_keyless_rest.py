"""What is left of keyless verification: patterns with two stars, answers of workers, libraries that raise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats.bundle import BundleError, parse_container
from gate.model.digest import sha256_digest
from gate.model.evidence import Evidence
from gate.verify import keyless as module
from gate.verify.alone import Signed, judge
from gate.verify.answers import NonsenseError, read_answer, write_answer
from gate.verify.identity import matches
from gate.verify.sigstore import own
from gate.verify.trust import root_weaknesses
from tests.support.evidence import LIMIT, NOW_S, encode, make_key, signer
from tests.support.keyless import admitted, changed, code, keyless_trust, root_bytes
from tests.support.virtual_bundles import ENTRY, FILE, P256, bundle


@pytest.mark.parametrize(
    ("text", "holds"), [("a/v1-rc2", True), ("a/v-rc", True), ("a/v1", False), ("a/x-rc", False), ("a/v1-rc/2", False)]
)
def test_s08_two_stars_in_a_segment(text: str, *, holds: bool) -> None:
    assert matches("a/v*-rc*", text) is holds
    assert matches("a/v*-*c*", text) is holds


def test_who_needs_a_statement_is_told_that_a_message_is_signed() -> None:
    container = parse_container(encode(bundle("hashedrekord/0.0.1", content=FILE, message=True)), limit=LIMIT)
    with pytest.raises(BundleError, match="a statement in a DSSE envelope is needed"):
        _ = container.envelope


def test_a_worker_tells_whom_a_certificate_names() -> None:
    store = keyless_trust()
    item = Evidence("a.json", encode(bundle()))
    digest = sha256_digest(item.data)
    found = judge(item, digest, store, LIMIT)
    assert isinstance(found, Signed)
    line = write_answer(found)
    assert read_answer(line, item, digest, store) == found
    for value in ([], ["x"], ["x", "y"], ["x", "y", *[1] * 9], 7):
        answer = json.loads(line)
        answer[2][5] = value
        with pytest.raises(NonsenseError):
            read_answer(json.dumps(answer).encode(), item, digest, store)


def test_an_entry_without_time_beside_a_managed_key_says_that_it_is_logged() -> None:
    key = type(make_key())("p256", P256)
    store = keyless_trust(signer("release", key))
    found = changed(bundle("dsse/0.0.1", key=P256, managed=True), f"{ENTRY}.inclusionPromise", ...)
    verified = admitted(found, store)
    assert (verified.signed_at_s, verified.log_included) == (None, True)


def test_a_library_that_raises_something_else_is_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    key = type(make_key())("p256", P256)
    store = keyless_trust(signer("release", key))

    def fail(*_: Any) -> Any:
        raise RuntimeError("something that nobody expected")

    monkeypatch.setattr(own, "trusted_times", fail)
    assert code(bundle("dsse/0.0.1", key=P256, managed=True), store) == "signature.keyless_invalid"
    assert code(bundle(), keyless_trust()) == "signature.keyless_invalid"


def test_what_the_library_calls_a_bad_bundle_is_one() -> None:
    from sigstore.models import InvalidBundle

    assert module._code(InvalidBundle("x")) == "bundle"


def test_without_a_root_nothing_of_it_is_over() -> None:
    from gate.model.settings import Revocations, TrustSettings

    none = Revocations(frozenset(), frozenset(), frozenset())
    assert root_weaknesses(TrustSettings({}, {}, none, None, None, sha256_digest(b"")), 0) == ()


def test_what_of_the_pinned_root_is_over_is_told() -> None:
    from gate.model.settings import Revocations, TrustSettings

    none = Revocations(frozenset(), frozenset(), frozenset())
    root = root_bytes()
    settings = TrustSettings({}, {}, none, "root.json", None, sha256_digest(b""), root)
    assert root_weaknesses(settings, NOW_S) == ()
    assert "none of its certificateAuthorities is valid now" in root_weaknesses(settings, 0)


def test_s08_the_checkpoint_is_of_the_tree_that_the_proof_is_about() -> None:
    def other_root(text: str) -> str:
        origin, size, _, *rest = text.split("\n")
        return "\n".join([origin, size, "AAAA", *rest])

    found = changed(bundle("intoto/0.0.2"), f"{ENTRY}.inclusionProof.checkpoint.envelope", other_root)
    assert code(found) == "signature.keyless_log"
