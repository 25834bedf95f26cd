"""`dependencies`: what is locked, and the verified statements that are about the very files."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gate.formats import schema
from gate.model.dependencies import Dependency, Lock
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Statement, Subject, Verified
from gate.model.json import JsonObject
from gate.normalize.document import build_document
from gate.normalize.sections.dependencies import dependencies_section
from tests.support.cases import facts_of, good_model

ONE, LONG = "a1" * 32, "c3" * 64
DEPENDENCY = Dependency("a", "1", (f"sha256:{ONE}", f"sha512:{LONG}"))
NPM, PYPI = {"index": "npm"}, {"index": "pypi"}
LOCKS = {"deps": {"x.lock": Lock("uv", {"a@1": DEPENDENCY}), "y.lock": Lock(None, {}, ("odd",))}}


def verified(claim: str, *subjects: Subject, facts: JsonObject = PYPI) -> Verified:
    statement = Statement(claim, "t", subjects, subjects, False, (), None, facts, {})
    payload = sha256_digest(repr((claim, subjects, facts)).encode())
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
    by_sha256 = verified("package.publication", Subject("a-1.tar.gz", Digest(f"sha256:{ONE}")))
    by_sha512 = verified("build.provenance", Subject("pkg:pypi/a@1", None, {"sha512": LONG}))
    by_name = verified("package.publication", Subject("a", Digest(f"sha256:{'b' * 64}")))
    assert attested(by_sha256, by_sha512, by_name) == {
        f"sha256:{ONE}": [by_sha256.payload],
        f"sha512:{LONG}": [by_sha512.payload],
    }


HERE = Digest(f"sha256:{ONE}")


@pytest.mark.parametrize(
    ("claim", "names", "facts"),
    [
        ("package.publication", ["evil-1.0-py3-none-any.whl"], PYPI),
        ("package.publication", ["a-2-py3-none-any.whl"], PYPI),
        ("package.publication", ["a"], PYPI),
        ("package.publication", ["pkg:npm/a@1"], NPM),
        ("package.publication", ["a-1.tgz"], NPM),
        ("package.publication", ["a-1.tar.gz"], {}),
        ("package.publication", ["a-1.tar.gz", "evil-1.tar.gz"], PYPI),
        ("package.publication", ["a-1.tar.gz", "other"], PYPI),
        ("build.provenance", ["evil-1.tar.gz"], {}),
        ("build.provenance", ["pkg:pypi/evil@1"], {}),
        ("build.provenance", ["pkg:pypi/a@1", "pkg:pypi/evil@1"], {}),
    ],
    ids=str,
)
def test_s11_what_is_said_of_another_package_attests_none(claim: str, names: list[str], facts: JsonObject) -> None:
    assert attested(verified(claim, *(Subject(name, HERE) for name in names), facts=facts)) == {}


@pytest.mark.parametrize("name", ["a-1.tar.gz", "pkg:pypi/A@1.0", "out/image", ""])
def test_provenance_may_call_the_bytes_what_it_likes_but_no_other_package(name: str) -> None:
    item = verified("build.provenance", Subject(name, HERE), Subject("evil-1.tar.gz", Digest(f"sha256:{'b' * 64}")))
    assert attested(item) == {f"sha256:{ONE}": [item.payload]}


def test_packages_of_npm_are_named_exactly() -> None:
    item = Dependency("@acme/tool", "1.0.0", (f"sha512:{LONG}",))
    about = [Subject(f"pkg:npm/{name}", None, {"sha512": LONG}) for name in ("%40acme/tool@1.0.0", "evil@9.9.9")]
    good, bad = (verified("package.publication", one, facts=NPM) for one in about)
    for word, expected in (("npm", {f"sha512:{LONG}": [good.payload]}), ("uv", {}), (None, {})):
        locks = {"deps": {"x.lock": Lock(word, {"@acme/tool@1.0.0": item})}}
        found: Any = dependencies_section(locks, [good, bad])
        assert found["deps"]["x.lock"]["packages"]["@acme/tool@1.0.0"]["attested"] == expected


def test_statements_of_other_claims_attest_no_package() -> None:
    about = Subject("a", Digest(f"sha256:{ONE}"))
    assert attested(verified("artifact.signature", about), verified("x.acme.seen", about)) == {}


def test_a_document_with_dependencies_fits_its_schema() -> None:
    facts = dataclasses.replace(facts_of(good_model()), dependencies=LOCKS)
    document = build_document(facts)
    assert schema.problem("input.json", document.value) is None
    assert b'"dependencies":{"deps":' in document.canonical
