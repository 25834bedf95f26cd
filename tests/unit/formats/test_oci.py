"""Documents of registries: what is kept and what is added. Lies are in the tests of the hostile registry."""

from __future__ import annotations

import json

import pytest

from gate.formats.oci import INDEX, MANIFEST, OciError, describe, extended_index, parse_index, parse_manifest

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
