"""Real signed statements of public projects say, in one shape, from which source they were built."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.formats.intoto import parse_statement
from gate.formats.predicates import read_statement
from gate.model.evidence import Statement

PACKAGES = Path(__file__).parents[3] / "vectors" / "packages"
V1, V01 = "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"
BUILDS = {
    "github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl": (
        V1,
        "https://github.com/actions/attest-demo",
        "refs/heads/main",
        {"gitCommit": "a6c23b9806c593664f68637c8f9d45dfcf98b2db"},
    ),
    "npm-sigstore-1.3.0-provenance.json": (
        V01,
        "https://github.com/sigstore/sigstore-js",
        "refs/heads/main",
        {"sha1": "dae8bd8eb433a4147b4655c00fe73e0f22bc0fb1"},
    ),
}


def payloads(value: Any) -> Iterator[bytes]:
    """What the envelopes in a document hold."""
    if isinstance(value, dict) and isinstance(value.get("payload"), str):
        yield base64.b64decode(value["payload"])
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from payloads(item)


def statements(name: str) -> list[Statement]:
    lines = (PACKAGES / name).read_text().splitlines() if name.endswith("l") else [(PACKAGES / name).read_text()]
    found = [payload for line in lines for payload in payloads(json.loads(line))]
    return [read_statement(parse_statement(payload, limit=1 << 20)) for payload in found]


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_provenance_of_real_packages_names_its_source(name: str) -> None:
    frame, uri, ref, digests = BUILDS[name]
    (found,) = statements(name)
    assert (found.claim, found.statement_type) == ("build.provenance", frame)
    assert found.facts["source"] == {"uri": uri, "ref": ref, "digests": digests}
    parameters = found.facts["parameters"]
    assert isinstance(parameters, dict)
    assert parameters
    assert all(isinstance(leaf, str | int | None) for leaf in parameters.values())
