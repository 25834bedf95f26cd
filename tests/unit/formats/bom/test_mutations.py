"""Real documents with members taken away, copied elsewhere or replaced: read in one shape, or refused, never worse."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.jsf import JsfError, parse_signed
from gate.formats.predicates import read_statement
from gate.formats.predicates.sbom import CYCLONEDX, SPDX, read_enveloped

VECTORS = Path(__file__).parents[3] / "vectors" / "bom"
DOCUMENTS = [
    "cyclonedx/model-card-with-dataset",
    "cyclonedx/valid-bom-1.4",
    "cyclonedx/valid-compositions-1.7",
    "cyclonedx/valid-signatures-1.7",
    "spdx/SPDXJSONExample-v2.3.spdx",
    "spdx/ai-example05.spdx3",
    "spdx/no_elements_missing",
]
VALUES: list[Any] = [
    None, 0, -1, 2.5, True, "", "x", "urn:x:y", "_:x", "NONE", [], [1], {}, [{}], [[]], {"type": "Hash"},
]  # fmt: skip
ROUNDS = 150


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from places(item)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_mutated_document_is_read_or_refused(name: str) -> None:
    chance = random.Random(name)
    text = (VECTORS / f"{name}.json").read_text()
    kind = CYCLONEDX if name.startswith("cyclonedx") else SPDX
    refused = 0
    for _ in range(ROUNDS):
        document = json.loads(text)
        found = list(places(document))
        container, key = chance.choice(found)
        source, other = chance.choice(found)
        choices = [*chance.sample(VALUES, 3), json.loads(json.dumps(source[other]))]
        if chance.random() < 0.3:
            del container[key]
        else:
            container[key] = chance.choice(choices)
        try:
            json.dumps(read_statement(RawStatement((), kind, document)).facts, allow_nan=False)
        except StatementError:
            refused += 1
        with contextlib.suppress(StatementError):
            read_enveloped(document)
        if "signature" in document:
            with contextlib.suppress(JsfError):
                parse_signed(document)
    assert 0 < refused < ROUNDS
