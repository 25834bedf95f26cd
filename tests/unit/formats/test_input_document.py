"""An input document is read back into the facts that a decision is made from."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from gate.formats import canonical_json
from gate.formats.input_document import InputDocumentError, InputFacts, read_input_document
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.evidence import Subject
from gate.model.reuse import Summary
from gate.model.settings import BuilderSettings
from gate.model.waiver import WaiverState
from gate.normalize.document import build_document
from tests.support.cases import Scene, document_of, facts_of, good_model, good_prompt, waiver
from tests.support.evidence import NOW_S, digest_of


def documents() -> list[Scene]:
    return [good_model(), good_prompt(), good_model().replace(waivers=(waiver(),))]


@pytest.mark.parametrize("scene", documents())
def test_what_was_built_is_read(scene: Scene) -> None:
    facts, document = facts_of(scene), document_of(scene)
    read = InputFacts(document)
    assert (read.now_s, read.profile, read.skipped) == (scene.now_s, facts.profile, document.value["skipped"])
    assert read.context == {"target": "deployment", "environment": "production"}
    assert read.waivers == facts.waivers
    assert read.evidence.rejected == facts.evidence.rejected
    assert [item.payload for item in read.evidence.verified] == [item.payload for item in facts.evidence.verified]
    for found, original in zip(read.evidence.verified, facts.evidence.verified, strict=True):
        named, covered = ({item.name: item.digest for item in one.statement.resources} for one in (found, original))
        assert named == covered
        assert found.statement.facts == original.statement.facts
        assert (found.signers, found.artifacts, found.ancestors) == (
            original.signers,
            original.artifacts,
            original.ancestors,
        )
    for name, artifact in facts.artifacts.items():
        assert {path: file.digest for path, file in read.artifacts[name].files.items()} == {
            path: file.digest for path, file in artifact.files.items()
        }
        assert (read.artifacts[name].digest, read.artifacts[name].bytes) == (artifact.digest, artifact.bytes)
    assert read.change == dataclasses.replace(facts.change, folders={})


def test_summaries_are_read_with_what_is_here() -> None:
    summary = Summary(digest_of("s"), "verifier", "summarizer", ("sbom.signed",), ("too old",), frozenset({"sbom"}))
    facts = dataclasses.replace(facts_of(good_model()), reuse=(summary,))
    assert InputFacts(build_document(facts)).reuse == (summary,)


def test_without_the_section_no_summary_stands_for_anything() -> None:
    value = {key: item for key, item in document_of(good_model()).value.items() if key != "reuse"}
    canonical = canonical_json.dumps(value)
    assert InputFacts(InputDocument(value, canonical, sha256_digest(canonical))).reuse == ()


def older(scene: Scene, section: str, *fields: str) -> InputFacts:
    """The facts of a document as older versions wrote it: without some fields, which its schema allows."""
    value: Any = json.loads(document_of(scene).canonical)
    for item in value[section].values():
        for name in fields:
            del item[name]
    return InputFacts(read_input_document(json.dumps(value).encode()))


@pytest.mark.parametrize("state", [WaiverState.ACTIVE, WaiverState.PENDING, WaiverState.INVALID])
def test_waivers_of_older_documents_are_never_in_force(state: WaiverState) -> None:
    given = {
        WaiverState.ACTIVE: waiver(),
        WaiverState.PENDING: waiver(created_s=NOW_S + 1),
        WaiverState.INVALID: waiver(problem="x"),
    }[state]
    assert given.state(NOW_S) is state
    fields = ("created_s", "problem", "reason", "ticket", "owner", "approver")
    found = older(good_model().replace(waivers=(given,)), "waivers", *fields)
    assert found.waivers[given.id].state(NOW_S) is WaiverState.INVALID


def test_statements_of_older_documents_cover_their_subjects() -> None:
    found = older(good_prompt(), "attestations", "resources").evidence.verified
    assert [item.statement.resources for item in found] == [item.statement.subjects for item in found]


def test_summaries_of_older_documents_stand_for_nothing() -> None:
    summary = Summary(digest_of("s"), "verifier", "summarizer", ("sbom.signed",), (), frozenset({"sbom"}))
    value: Any = json.loads(build_document(dataclasses.replace(facts_of(good_model()), reuse=(summary,))).canonical)
    del value["reuse"]["summarizer"][summary.statement]["here"]
    found = InputFacts(read_input_document(json.dumps(value).encode())).reuse[0]
    assert (found.controls, found.problems) == ((), ("what is here is not told",))


def test_two_names_of_one_digest_are_both_kept() -> None:
    """The section of subjects goes by digest, so it can hold one of them only."""
    facts = facts_of(good_model())
    first = facts.evidence.verified[0]
    twins = (Subject("a", digest_of("same")), Subject("b", digest_of("same")))
    item = dataclasses.replace(first, statement=dataclasses.replace(first.statement, subjects=twins, resources=twins))
    facts = dataclasses.replace(facts, evidence=dataclasses.replace(facts.evidence, verified=(item,)))
    assert InputFacts(build_document(facts)).evidence.verified[0].statement.resources == twins


def test_bytes_are_read_and_checked() -> None:
    document = document_of(good_model())
    assert read_input_document(document.canonical) == document
    assert read_input_document(json.dumps(document.value, indent=2).encode()).digest == document.digest


def broken(**changes: Any) -> bytes:
    return json.dumps({**document_of(good_model()).value, **changes}).encode()


LARGE = broken(parameters={"a.b": {"limit": 1 << 60}})


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", broken(schema="x"), broken(more=1), broken(artifacts=[]), LARGE])
def test_what_is_no_input_document_is_refused(data: bytes) -> None:
    with pytest.raises(InputDocumentError):
        read_input_document(data)


def test_a_document_that_fits_its_schema_and_holds_no_facts_is_refused() -> None:
    attestations = document_of(good_model()).value["attestations"]
    assert isinstance(attestations, dict)
    with pytest.raises(InputDocumentError, match="no digest"):
        read_input_document(broken(attestations={"x": next(iter(attestations.values()))}))


def test_older_documents_do_not_tell_the_type_of_a_statement() -> None:
    document = document_of(good_model())
    attestations = document.value["attestations"]
    assert isinstance(attestations, dict)
    older = {key: {k: v for k, v in item.items() if k != "statement_type"} for key, item in attestations.items()}
    read = read_input_document(broken(attestations=older))
    assert InputFacts(read).evidence == InputFacts(document).evidence


def test_a_key_that_is_no_digest_is_an_error() -> None:
    """The schema says so too; the reader does not rest on it."""
    value = {**document_of(good_model()).value, "rejected": {"x": {}}}
    with pytest.raises(ValueError, match="no digest"):
        _ = InputFacts(InputDocument(value, b"", digest_of("x"))).evidence


def test_builders_are_read_and_older_documents_have_none() -> None:
    value: Any = document_of(good_model()).value
    builder: Any = {"id": "https://builder.example/", "signers": ["builder"], "level": 3}
    document = InputDocument({**value, "builders": {"hosted": builder}}, b"", digest_of(""))
    assert InputFacts(document).builders == (BuilderSettings("https://builder.example/", ("builder",), 3),)
    older = {name: item for name, item in value.items() if name != "builders"}
    assert InputFacts(InputDocument(older, b"", digest_of(""))).builders == ()
