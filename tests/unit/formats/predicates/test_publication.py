"""Publications on PyPI and npm: an empty predicate for the one, the package that was published for the other."""

from __future__ import annotations

from typing import Any

import pytest

from gate.formats.intoto import StatementError, parse_statement
from gate.formats.predicates import claims_of, read_statement
from tests.support.evidence import encode

INDEX = "pypi"
PYPI = f"https://docs.{INDEX}.org/attestations/publish/v1"
NPM = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
PREDICATE = {"name": "@acme/tool", "version": "1.2.3", "registry": "https://registry.test"}


def read(kind: str, predicate: object = ..., *names: str) -> Any:
    subjects = [{"name": name, "digest": {"sha512": "a" * 128}} for name in names or ("pkg:npm/%40acme/tool@1.2.3",)]
    frame: dict[str, object] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": kind,
    }
    frame |= {} if predicate is ... else {"predicate": predicate}
    return read_statement(parse_statement(encode(frame), limit=1 << 20))


@pytest.mark.parametrize("predicate", [..., None, {}], ids=["absent", "null", "empty"])
def test_a_publication_on_pypi_says_nothing_in_its_predicate(predicate: object) -> None:
    found = read(PYPI, predicate)
    assert found.claim == "package.publication"
    assert found.facts == {"index": "pypi", "publisher": None, "package": None}


@pytest.mark.parametrize("predicate", [{"x": 1}, [], "", 0, False], ids=repr)
def test_s10_anything_else_in_it_is_refused(predicate: object) -> None:
    with pytest.raises(StatementError) as error:
        read(PYPI, predicate)
    assert error.value.code == "predicate"


def test_s10_null_is_no_predicate_of_any_other_type() -> None:
    for kind in (NPM, "https://slsa.dev/provenance/v1", "https://in-toto.io/attestation/test-result/v0.1"):
        with pytest.raises(StatementError) as error:
            read(kind, None)
        assert error.value.code == "predicate"


def test_a_publication_on_npm_names_its_package() -> None:
    found = read(NPM, PREDICATE)
    assert found.claim == "package.publication"
    assert found.facts == {"index": "npm", "publisher": None, "package": "@acme/tool@1.2.3"}
    assert read(NPM, PREDICATE, "pkg:npm/@acme/tool@1.2.3").subjects[0].other_digests == {"sha512": "a" * 128}


@pytest.mark.parametrize(
    "names",
    [
        ("pkg:npm/other@1.2.3",),
        ("pkg:npm/%40acme/tool@1.2.4",),
        ("@acme/tool@1.2.3",),
        ("pkg:npm/%40acme/tool@1.2.3", ""),
    ],
    ids=str,
)
def test_s13_subjects_that_are_another_package_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(StatementError, match=r"the predicate is about '@acme/tool@1\.2\.3'"):
        read(NPM, PREDICATE, *names)


@pytest.mark.parametrize("field", ["name", "version", "registry"])
@pytest.mark.parametrize("new", [None, "", 1])
def test_a_malformed_publication_is_refused(field: str, new: object) -> None:
    with pytest.raises(StatementError) as error:
        read(NPM, PREDICATE | {field: new})
    assert error.value.code == "predicate"
    with pytest.raises(StatementError):
        read(NPM, {key: item for key, item in PREDICATE.items() if key != field})


def test_the_claim_is_known_by_its_types() -> None:
    assert claims_of(PYPI) == claims_of(NPM) == ("package.publication",)
