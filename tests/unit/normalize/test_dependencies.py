"""`dependencies`: what is locked, and the verified statements that are about the very files."""

from __future__ import annotations

import dataclasses
from typing import Any

from gate.formats import schema
from gate.model.dependencies import Dependency, Lock
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Statement, Subject, Verified
from gate.normalize.document import build_document
from gate.normalize.sections.dependencies import dependencies_section
from tests.support.cases import facts_of, good_model

ONE, LONG = "a1" * 32, "c3" * 64
DEPENDENCY = Dependency("a", "1", (f"sha256:{ONE}", f"sha512:{LONG}"))
LOCKS = {"deps": {"x.lock": Lock("uv", {"a@1": DEPENDENCY}), "y.lock": Lock(None, {}, ("odd",))}}


def verified(claim: str, *subjects: Subject) -> Verified:
    statement = Statement(claim, "t", subjects, subjects, False, (), None, {}, {})
    payload = sha256_digest(repr((claim, subjects)).encode())
    return Verified(payload, payload, "x", statement, ())


def attested(*items: Verified) -> Any:
    found: Any = dependencies_section(LOCKS, items)
    return found["deps"]["x.lock"]["packages"]["a@1"]["attested"]


def test_the_section_says_what_is_locked() -> None:
    package = {
        "name": "a",
        "version": "1",
        "pinned": True,
        "digests": [f"sha256:{ONE}", f"sha512:{LONG}"],
        "source": None,
        "local": False,
        "attested": {},
    }
    assert dependencies_section(LOCKS, ()) == {
        "deps": {
            "x.lock": {"format": "uv", "packages": {"a@1": package}, "problems": []},
            "y.lock": {"format": None, "packages": {}, "problems": ["odd"]},
        }
    }
    assert dependencies_section({}, ()) == {}


def test_s11_statements_are_found_by_each_secure_digest_and_by_no_name() -> None:
    by_sha256 = verified("package.publication", Subject("other", Digest(f"sha256:{ONE}")))
    by_sha512 = verified("build.provenance", Subject("pkg:npm/a@1", None, {"sha512": LONG}))
    by_name = verified("package.publication", Subject("a", Digest(f"sha256:{'b' * 64}")))
    assert attested(by_sha256, by_sha512, by_name) == {
        f"sha256:{ONE}": [by_sha256.payload],
        f"sha512:{LONG}": [by_sha512.payload],
    }


def test_statements_of_other_claims_attest_no_package() -> None:
    about = Subject("a", Digest(f"sha256:{ONE}"))
    assert attested(verified("artifact.signature", about), verified("x.acme.seen", about)) == {}


def test_a_document_with_dependencies_fits_its_schema() -> None:
    facts = dataclasses.replace(facts_of(good_model()), dependencies=LOCKS)
    document = build_document(facts)
    assert schema.problem("input.json", document.value) is None
    assert b'"dependencies":{"deps":' in document.canonical
