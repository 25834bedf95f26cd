"""Lists of attestations as indexes and hosts give them out: each entry is one piece, and none is lost."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gate.collect.directory import read_evidence
from gate.errors import LimitError
from gate.formats import canonical_json
from gate.formats.bundle import MEDIA_TYPE, BundleError, parse_container
from gate.formats.carriers.lines import pieces
from gate.formats.intoto import EMPTY_PREDICATE, parse_statement
from gate.formats.predicates import read_statement
from gate.model.settings import Limits

VECTORS = Path(__file__).resolve().parents[3] / "vectors/packages"
PUBLISH = "rfc8785-0.1.2-py3-none-any.whl.publish.attestation"
PROVENANCE = "pypi_attestations-0.0.19.tar.gz.provenance"
LINES = "sigstore-js-2.1.0_with_2_bundles.jsonl"


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def value(name: str) -> Any:
    return json.loads(vector(name))


def encode(item: object) -> bytes:
    return json.dumps(item).encode()


def origins(data: bytes) -> list[str]:
    return [item.origin for item in pieces(data, "x")]


def payload(data: bytes) -> bytes:
    return parse_container(data, limit=1 << 20).envelope.payload


def is_refused(data: bytes) -> bool:
    try:
        parse_container(data, limit=1 << 20)
    except BundleError:
        return True
    return False


def npm() -> dict[str, Any]:
    """What npm's registry answers: the publish attestation and the provenance."""
    found = [value(f"npm-sigstore-1.3.0-{kind}.json") for kind in ("publish", "provenance")]
    types = [json.loads(base64.b64decode(item["dsseEnvelope"]["payload"]))["predicateType"] for item in found]
    return {"attestations": [{"predicateType": kind, "bundle": item} for kind, item in zip(types, found, strict=True)]}


def github() -> dict[str, Any]:
    """What GitHub's REST API answers for the two bundles."""
    found = [json.loads(line) for line in vector(LINES).splitlines()]
    return {"attestations": [{"bundle": item, "repository_id": 1, "bundle_url": "https://x.test"} for item in found]}


# --- real files ---


def test_every_attestation_of_real_files_is_a_container() -> None:
    found, skipped = read_evidence(VECTORS.parent, "packages", Limits())
    about = {item.origin: json.loads(payload(item.data))["predicateType"] for item in found}
    publish, provenance = EMPTY_PREDICATE, "https://slsa.dev/provenance/v1"
    inner = "#attestation_bundles[0].attestations[0]"
    assert about == {
        f"packages/circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl.provenance{inner}": publish,
        f"packages/gcb_attestation_test-0.0.0.tar.gz.provenance{inner}": publish,
        "packages/github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl#1": provenance,
        "packages/npm-sigstore-1.3.0-provenance.json": "https://slsa.dev/provenance/v0.2",
        "packages/npm-sigstore-1.3.0-publish.json": ("https://github.com/npm/attestation/tree/main/specs/publish/v0.1"),
        f"packages/{PROVENANCE}{inner}": publish,
        "packages/pypi_attestations-0.0.19.tar.gz.slsa.attestation": provenance,
        f"packages/{PUBLISH}": publish,
        f"packages/{LINES}#1": provenance,
        f"packages/{LINES}#2": provenance,
    }
    assert {path.rpartition(".")[2] for path in skipped} == {"md", "whl", "gz", "tgz"}


def test_s05_the_signed_bytes_are_those_of_the_attestation() -> None:
    (item,) = pieces(vector(PUBLISH), "x")
    signed = value(PUBLISH)["envelope"]
    envelope = parse_container(item.data, limit=1 << 20).envelope
    assert envelope.payload == base64.b64decode(signed["statement"])
    assert envelope.signatures == (base64.b64decode(signed["signature"]),)
    subject = json.loads(envelope.payload)["subject"][0]
    assert subject["digest"]["sha256"] == hashlib.sha256(vector("rfc8785-0.1.2-py3-none-any.whl")).hexdigest()


@pytest.mark.parametrize(
    ("name", "claim", "index"),
    [(PUBLISH, "package.publication", "pypi"), ("npm-sigstore-1.3.0-publish.json", "package.publication", "npm")],
)
def test_a_publication_is_read(name: str, claim: str, index: str) -> None:
    (item,) = pieces(vector(name), "x")
    statement = read_statement(parse_statement(payload(item.data), limit=1 << 20))
    assert (statement.claim, statement.facts["index"]) == (claim, index)
    assert statement.facts["publisher"] is None


@pytest.mark.parametrize("answer", [npm, github])
def test_a_list_gives_each_of_its_bundles(answer: Callable[[], dict[str, Any]]) -> None:
    found = list(pieces(encode(answer()), "x"))
    assert [item.origin for item in found] == ["x#attestations[0]", "x#attestations[1]"]
    for item, entry in zip(found, answer()["attestations"], strict=True):
        assert item.data == canonical_json.dumps(entry["bundle"])
        assert payload(item.data) == base64.b64decode(entry["bundle"]["dsseEnvelope"]["payload"])


def test_the_same_attestation_from_two_carriers_is_the_same() -> None:
    (first,) = pieces(vector(PROVENANCE), "x")
    (second,) = pieces(encode(value(PROVENANCE)["attestation_bundles"][0]["attestations"][0]), "y")
    assert first.data == second.data


def test_a_bundle_keeps_its_bytes() -> None:
    data = vector("npm-sigstore-1.3.0-publish.json")
    assert [item.data for item in pieces(data, "x")] == [data]
    marked = data.rstrip()[:-1] + b',"attestations":[]}'
    assert [item.data for item in pieces(marked, "x")] == [marked]


def test_timestamps_are_carried_over() -> None:
    changed = value(PUBLISH)
    changed["verification_material"]["timestamps"] = ["AAAA", "BBBB"]
    (item,) = pieces(encode(changed), "x")
    found = json.loads(item.data)
    assert found["mediaType"] == MEDIA_TYPE
    stamps = found["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    assert stamps == [{"signedTimestamp": "AAAA"}, {"signedTimestamp": "BBBB"}]


def test_who_the_index_says_published_is_nowhere() -> None:
    (item,) = pieces(vector(PROVENANCE), "x")
    assert b"publisher" not in item.data
    changed = value(PROVENANCE)
    changed["attestation_bundles"][0]["publisher"] = {"kind": "GitHub", "repository": "evil/evil"}
    assert [found.data for found in pieces(encode(changed), "x")] == [item.data]


# --- what is malformed is refused, and nothing is forgotten ---


def without(item: Any, *path: Any) -> Any:
    changed = copy.deepcopy(item)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def with_(item: Any, new: object, *path: Any) -> Any:
    changed = copy.deepcopy(item)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = new
    return changed


ATTESTATION = value(PUBLISH)
MALFORMED = {
    "no version": without(ATTESTATION, "version"),
    "version 2": with_(ATTESTATION, 2, "version"),
    "version 1.0": with_(ATTESTATION, 1.0, "version"),
    "version true": with_(ATTESTATION, True, "version"),
    "another member": with_(ATTESTATION, 1, "more"),
    "no material": with_(ATTESTATION, None, "verification_material"),
    "no certificate": without(ATTESTATION, "verification_material", "certificate"),
    "certificate of another kind": with_(ATTESTATION, 7, "verification_material", "certificate"),
    "odd material": with_(ATTESTATION, 7, "verification_material", "publicKey"),
    "entries of another kind": with_(ATTESTATION, "x", "verification_material", "transparency_entries"),
    "timestamps of another kind": with_(ATTESTATION, "x", "verification_material", "timestamps"),
    "no envelope": without(ATTESTATION, "envelope"),
    "an envelope of another kind": with_(ATTESTATION, [], "envelope"),
    "no signature": without(ATTESTATION, "envelope", "signature"),
    "another payload type": with_(ATTESTATION, "x", "envelope", "payloadType"),
    "a statement that is no base64": with_(ATTESTATION, "*", "envelope", "statement"),
    "a bundle too": {**ATTESTATION, **value("npm-sigstore-1.3.0-publish.json")},
    "too large a number": with_(ATTESTATION, 2**60, "verification_material", "certificate"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_attestation_is_one_refused_piece(name: str) -> None:
    data = encode(MALFORMED[name])
    found = list(pieces(data, "x"))
    assert [item.origin for item in found] == ["x"]
    assert is_refused(found[0].data)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_attestation_hides_no_other(name: str) -> None:
    listed = {"version": 1, "attestation_bundles": [{"attestations": [MALFORMED[name], ATTESTATION]}]}
    found = list(pieces(encode(listed), "x"))
    places = [f"x#attestation_bundles[0].attestations[{number}]" for number in range(2)]
    assert [item.origin for item in found] == places
    assert [is_refused(item.data) for item in found] == [True, False]


@pytest.mark.parametrize("entry", [None, 1, "x", [], {}, {"bundle": None}, {"bundle": []}, {"bundle": {}}], ids=repr)
def test_an_entry_that_is_no_bundle_is_one_refused_piece(entry: object) -> None:
    found = list(pieces(encode({"attestations": [entry, *npm()["attestations"]]}), "x"))
    assert [item.origin for item in found] == [f"x#attestations[{number}]" for number in range(3)]
    assert [is_refused(item.data) for item in found] == [True, False, False]


@pytest.mark.parametrize(
    "whole",
    [
        {"attestations": []},
        {"attestations": {}},
        {"attestations": None},
        {"version": 1, "attestation_bundles": []},
        {"version": 1, "attestation_bundles": {}},
        {"version": 2, "attestation_bundles": [{"attestations": [ATTESTATION]}]},
        {"attestation_bundles": [{"attestations": [ATTESTATION]}]},
        [{"attestations": []}],
        {"note": "attestations"},
    ],
    ids=lambda item: json.dumps(item)[:40],
)
def test_a_list_that_is_none_is_one_refused_piece(whole: object) -> None:
    data = encode(whole)
    assert [(item.origin, item.data) for item in pieces(data, "x")] == [("x", data)]
    assert is_refused(data)


@pytest.mark.parametrize("group", [None, 1, [], {}, {"attestations": []}, {"attestations": 1}], ids=repr)
def test_a_group_without_attestations_is_one_refused_piece(group: object) -> None:
    listed = {"version": 1, "attestation_bundles": [group, {"attestations": [ATTESTATION]}]}
    found = list(pieces(encode(listed), "x"))
    assert [is_refused(item.data) for item in found] == [True, False]
    assert found[0].origin == "x#attestation_bundles[0]"


@pytest.mark.parametrize("data", [b'{"attestations": [', b'{"attestations": [], "attestations": []}', b"\xff", b""])
def test_what_is_no_strict_json_stays_what_it_is(data: bytes) -> None:
    assert [(item.origin, item.data) for item in pieces(data, "x")] == [("x", data)]


def test_s17_lists_count_against_the_limit(tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e/many.json").write_bytes(encode({"attestations": [None] * 11}))
    with pytest.raises(LimitError, match="more than 10 pieces"):
        read_evidence(tmp_path, "e", Limits(evidence_count=10))


def test_a_line_may_hold_a_list(tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    lines = [encode(npm()), b"", vector(LINES).splitlines()[0], b"  "]
    (tmp_path / "e/all.intoto.jsonl").write_bytes(b"\n".join(lines))
    found, _ = read_evidence(tmp_path, "e", Limits())
    name = "e/all.intoto.jsonl"
    assert [item.origin for item in found] == [f"{name}#1#attestations[0]", f"{name}#1#attestations[1]", f"{name}#3"]
