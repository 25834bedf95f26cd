"""Documents of registries: what is kept and what is added. Lies are in the tests of the hostile registry."""

from __future__ import annotations

import json

import pytest

from gate.formats.oci import (
    INDEX,
    INDEXES,
    MANIFEST,
    MANIFESTS,
    OciError,
    describe,
    extended_index,
    image_type,
    parse_index,
    parse_manifest,
)

ENTRY = describe(b"new", MANIFEST).json


def test_an_index_is_begun_and_extended_once() -> None:
    first = extended_index(None, [ENTRY])
    assert first is not None
    assert json.loads(first) == {"schemaVersion": 2, "mediaType": INDEX, "manifests": [ENTRY]}
    assert extended_index(first, [ENTRY]) is None


def test_what_others_wrote_into_an_index_stays() -> None:
    other = {**describe(b"other", MANIFEST).json, "annotations": {"a": "b"}, "platform": {"os": "linux"}}
    index = {"schemaVersion": 2, "annotations": {"who": "else"}, "manifests": [other]}
    extended = extended_index(json.dumps(index).encode(), [ENTRY])
    assert extended is not None
    assert json.loads(extended) == {**index, "mediaType": INDEX, "manifests": [other, ENTRY]}
    assert len(parse_index(extended)) == 2


def test_an_index_that_cannot_be_written_as_it_was_is_refused() -> None:
    with pytest.raises(OciError, match="cannot be written again"):
        extended_index(b'{"schemaVersion":2,"manifests":[],"x":9007199254740993}', [ENTRY])


def test_the_type_of_a_manifest_is_that_of_its_configuration_where_it_says_none() -> None:
    document = {"schemaVersion": 2, "config": describe(b"{}", "application/x").json, "layers": []}
    found = parse_manifest(json.dumps(document).encode())
    assert (found.artifact_type, found.subject, found.layers) == ("application/x", None, ())


def test_annotations_are_texts_or_nothing() -> None:
    entries = [ENTRY, {**ENTRY, "annotations": None}, {**ENTRY, "annotations": {"a": "b"}}]
    found = parse_index(json.dumps({"schemaVersion": 2, "manifests": entries}).encode())
    assert [item.annotations for item in found] == [{}, {}, {"a": "b"}]
    assert len(set(found)) == 1, "what a list says beside a digest makes no other thing of it"


@pytest.mark.parametrize("kind", [*MANIFESTS, *INDEXES])
def test_an_image_is_of_the_type_that_its_content_has(kind: str) -> None:
    held: dict[str, object] = {"manifests": []} if kind in INDEXES else {"config": {}, "layers": []}
    assert image_type(json.dumps({"schemaVersion": 2, "mediaType": kind, **held}).encode()) == kind
    untold = MANIFEST if kind in MANIFESTS else INDEX
    assert image_type(json.dumps({"schemaVersion": 2, **held}).encode()) == untold


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"manifests": [], "layers": []}, "not clearly either"),
        ({"manifests": [], "config": {}}, "not clearly either"),
        ({}, "not clearly either"),
        ({"mediaType": INDEX, "layers": []}, "another type than it says"),
        ({"mediaType": MANIFEST, "manifests": []}, "another type than it says"),
        ({"mediaType": "text/html", "layers": []}, "not a document of the type"),
        ({"mediaType": None, "layers": []}, "not a document of the type"),
        ({"mediaType": [], "layers": []}, "not a document of the type"),
    ],
)
def test_what_could_be_read_as_either_type_is_neither(document: dict[str, object], message: str) -> None:
    with pytest.raises(OciError, match=message):
        image_type(json.dumps({"schemaVersion": 2, **document}).encode())
