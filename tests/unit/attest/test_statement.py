"""Statements: what is made, what is refused, and that nothing is made that verification would refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from gate.attest.envelope import signed_bundle
from gate.attest.keygen import generate_key
from gate.attest.statement import (
    Draft,
    Named,
    build_statement,
    check_statement,
    is_statement,
    makeable_claims,
    named_files,
    payload_digest,
)
from gate.errors import AttestError
from gate.formats.canonical_json import dumps
from gate.formats.dsse import PAYLOAD_TYPE
from gate.formats.intoto import parse_statement
from gate.formats.predicates import read_statement
from gate.model.artifact import ArtifactFile
from gate.model.digest import Digest, sha256_digest
from tests.unit.formats.predicates.field import NAMES, example, read

ONE, TWO = sha256_digest(b"1"), sha256_digest(b"2")
FILES = (Named("app/b.txt", TWO), Named("app/a.txt", ONE))
SLSA = {
    "buildDefinition": {"buildType": "https://example.com/t/v1", "externalParameters": {}},
    "runDetails": {"builder": {"id": "https://example.com/b"}},
}
TRAINING = {
    "buildDefinition": {
        "buildType": "urn:promotion-gate:buildtype:training:v1",
        "externalParameters": {"source": "git+x", "baseModel": None, "datasets": [], "recipe": "r", "seed": None},
        "resolvedDependencies": [{"uri": "git+x", "digest": {"gitCommit": "a" * 40}}],
    },
    "runDetails": {"builder": {"id": "https://example.com/b"}},
}
OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "timestamp": "2026-11-20T10:00:00Z",
    "statements": [{"vulnerability": {"name": "CVE-2026-0001"}, "status": "affected"}],
}
SLSA_02 = {"builder": {"id": "https://example.com/b"}, "buildType": "https://example.com/t/v1"}


def build(predicate: object, claim: str = "prompt", **more: object) -> dict[str, object]:
    data = predicate if isinstance(predicate, bytes) else json.dumps(predicate).encode()
    made: dict[str, object] = json.loads(build_statement(Draft(claim, data, FILES, **more)))  # type: ignore[arg-type]
    return made


def refused(predicate: object, claim: str = "prompt", **more: object) -> AttestError:
    with pytest.raises(AttestError) as caught:
        build(predicate, claim, **more)
    return caught.value


def test_a_statement_is_canonical_with_sorted_subjects() -> None:
    made = build_statement(Draft("prompt", b'{"z": 1, "a": 2}', (*FILES, FILES[0])))
    assert made == dumps(json.loads(made))
    assert json.loads(made) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "app/a.txt", "digest": {"sha256": ONE[7:]}},
            {"name": "app/b.txt", "digest": {"sha256": TWO[7:]}},
        ],
        "predicateType": "urn:promotion-gate:predicate:prompt:v1",
        "predicate": {"z": 1, "a": 2},
    }


def test_every_claim_that_can_be_made_is_read_as_itself() -> None:
    predicates: Mapping[str, object] = {
        "build.provenance": SLSA,
        "test.result": {"result": "PASSED", "configuration": [{"name": "c"}]},
        "approval": {"decision": "approved"},
        "review": {"decision": "rejected"},
        **{read(example(name)).claim: example(name)["predicate"] for name in NAMES if "vuln" not in name},
        "vex": OPENVEX,
    }
    of_carriers = {"sbom", "package.publication"}
    assert not {"artifact.signature", "source.summary", "eval.result"} & set(makeable_claims())
    assert {"prompt", "build.provenance", "test.result", "scan.report"} <= set(makeable_claims())
    for claim in set(makeable_claims()) - of_carriers:
        predicate = json.dumps(predicates.get(claim, {})).encode()
        payload = build_statement(Draft(claim, predicate, FILES))
        assert read_statement(parse_statement(payload, limit=len(payload))).claim == claim


def test_the_type_is_that_of_the_claim_unless_another_of_it_is_named() -> None:
    assert build(SLSA, "build.provenance")["predicateType"] == "https://slsa.dev/provenance/v1"
    old = "https://slsa.dev/provenance/v0.2"
    assert build(SLSA_02, "build.provenance", predicate_type=old)["predicateType"] == old
    assert "no predicate type of prompt" in str(refused({}, predicate_type=old))


def test_a_training_in_the_form_of_slsa_is_written_as_one() -> None:
    slsa = "https://slsa.dev/provenance/v1"
    assert build(TRAINING, "training.provenance", predicate_type=slsa)["predicateType"] == slsa
    assert "makes the claim training.provenance" in str(refused(TRAINING, "build.provenance"))
    assert "makes the claim build.provenance" in str(refused(SLSA, "training.provenance", predicate_type=slsa))
    assert build({}, "training.provenance")["predicateType"] == "urn:promotion-gate:predicate:training-provenance:v1"


def test_a_signature_is_not_a_statement_to_write() -> None:
    assert "gate sign" in refused({}, "artifact.signature").hint


def test_a_claim_without_a_reader_is_not_made() -> None:
    for claim in ("source.summary", "eval.result"):
        assert f"no statement for the claim {claim}" in str(refused({}, claim))
    error = refused({}, "nothing")
    assert "prompt" in error.hint


@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        (b'{"a": 1, "a": 2}', "duplicate key"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "too large"),
        (b"[]", "not a JSON object"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "nesting"),
        (b'{"a": 9007199254740993}', "canonical"),
        (b'{"created_at": "yesterday"}', "RFC 3339"),
        (b'{"created_at": null}', "created_at"),
        (b'{"depends_on": "x"}', "depends_on"),
        (b'{"depends_on": ["sha256:12"]}', "depends_on"),
    ],
)
def test_a_bad_predicate_is_refused(predicate: bytes, problem: str) -> None:
    assert problem in str(refused(predicate))


def test_a_predicate_of_another_type_is_refused() -> None:
    assert "would refuse" in str(refused(SLSA_02, "build.provenance"))
    assert "tests failed" in str(
        refused({"result": "PASSED", "configuration": [{"name": "c"}], "failedTests": ["a"]}, "test.result")
    )


def test_no_subject_is_refused() -> None:
    with pytest.raises(AttestError, match="no subject"):
        build_statement(Draft("prompt", b"{}", ()))


def test_dependencies_are_added_once_and_sorted() -> None:
    three = sha256_digest(b"3")
    low, high = sorted((ONE, TWO))
    made = build({"depends_on": [three, high]}, dependencies=(high, low, low))
    assert made["predicate"] == {"depends_on": [three, high, low]}


def test_dependencies_need_a_predicate_that_has_them() -> None:
    assert "has no depends_on" in str(refused(SLSA, "build.provenance", dependencies=(ONE,)))
    assert "is not a list" in str(refused({"depends_on": {}}, dependencies=(ONE,)))


def test_the_time_is_the_predicates_or_the_given_one_and_never_the_clock() -> None:
    stated = {"created_at": "2026-01-02T03:04:05+01:00"}
    assert build({})["predicate"] == {}
    assert build({}, fallback_s=0)["predicate"] == {"created_at": "1970-01-01T00:00:00Z"}
    assert build({}, created_s=86400, fallback_s=0)["predicate"] == {"created_at": "1970-01-02T00:00:00Z"}
    assert build(stated, fallback_s=0)["predicate"] == stated
    assert build(stated, created_s=1767319445)["predicate"] == stated
    assert "--created-at says" in str(refused(stated, created_s=0))
    assert "--created-at says" in str(refused({"created_at": 7}, created_s=0))


def test_predicates_with_times_of_their_own_get_none() -> None:
    assert build(SLSA, "build.provenance", fallback_s=0)["predicate"] == SLSA
    assert "has no created_at" in str(refused(SLSA, "build.provenance", created_s=0))


def test_statements_are_recognised_by_their_content() -> None:
    assert is_statement(build_statement(Draft("prompt", b"{}", FILES)), 1 << 20)
    assert is_statement(b'{"_type": "https:\\/\\/in-toto.io\\/Statement\\/v0.1"}', 1 << 20)
    for data in (b"", b"GGUF", b"{}", b'{"_type": 7}', b'{"model_type": "llama"}', b"see in-toto.io/Statement"):
        assert not is_statement(data, 1 << 20)


def test_a_malformed_statement_is_not_signed_as_a_model_file() -> None:
    statement = build_statement(Draft("prompt", b"{}", FILES))
    for data in (statement[:-1], b' {"_type": 1, ' + statement[1:], statement + b" " * 2000):
        with pytest.raises(AttestError, match="looks like an in-toto statement"):
            is_statement(data, 1000)


def test_what_is_signed_already_is_not_signed_again() -> None:
    for data in (b'{"dsseEnvelope": {}}', b'{"payload": "", "signatures": []}'):
        with pytest.raises(AttestError, match="signed already"):
            is_statement(data, 1000)


def test_a_statement_that_verification_refuses_is_refused() -> None:
    for change in ({"_type": "https://in-toto.io/Statement/v0.2"}, {"predicateType": "urn:promotion-gate:x"}):
        with pytest.raises(AttestError, match="would refuse"):
            check_statement(dumps({**build({}), **change}))  # type: ignore[dict-item]
    with pytest.raises(AttestError, match="canonical"):
        check_statement(json.dumps({**build({}), "predicate": {"a": 1 << 60 | 1}}).encode())


def test_a_statement_of_somebody_elses_type_is_signed_and_is_its_own_claim() -> None:
    found = check_statement(dumps({**build({}), "predicateType": "https://example.com/x"}))  # type: ignore[dict-item]
    assert (found.claim, found.facts) == ("https://example.com/x", {})


def test_the_payload_digest_is_the_same_for_statement_and_bundle(tmp_path) -> None:  # type: ignore[no-untyped-def]
    payload = build_statement(Draft("prompt", b"{}", FILES))
    signer = generate_key("p256", tmp_path / "k", tmp_path / "p", None)
    bundle = signed_bundle(payload, signer)
    assert payload_digest(payload) == payload_digest(bundle) == sha256_digest(payload)
    assert payload_digest(json.dumps(json.loads(bundle)["dsseEnvelope"]).encode()) == sha256_digest(payload)


@pytest.mark.parametrize(
    "data",
    [
        b"junk",
        b"{}",
        b'{"mediaType": "x"}',
        json.dumps({"payload": "e30=", "payloadType": PAYLOAD_TYPE, "signatures": []}).encode(),
    ],
)
def test_only_statements_can_be_depended_on(data: bytes) -> None:
    with pytest.raises(AttestError):
        payload_digest(data)


def file(digest: Digest | None = ONE, form: str = "unknown") -> ArtifactFile:
    return ArtifactFile(digest, 1, form)


def test_files_are_named_in_code_point_order() -> None:
    found = named_files("m", {"b": file(), "B": file(TWO), "ä/x": file()}, "models/m/")
    assert [item.name for item in found] == ["models/m/B", "models/m/b", "models/m/ä/x"]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "no files"),
        ({"a": file(None, "symlink")}, "symbolic link"),
        ({"a": file(None, "special")}, "device, socket or pipe"),
        ({"a\\xff": file()}, "not plain UTF-8"),
        ({"a\\\\b": file()}, "not plain UTF-8"),
        ({"a\nb": file()}, "not plain UTF-8"),
        ({"../a": file()}, "not plain UTF-8"),
    ],
)
def test_s12_files_that_cannot_be_signed_are_refused(files: Mapping[str, ArtifactFile], problem: str) -> None:
    with pytest.raises(AttestError, match=problem):
        named_files("m", files)
