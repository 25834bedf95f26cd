"""CycloneDX attestations: the properties of the document, which agree with the conformance of the gate's controls."""

from __future__ import annotations

import json

from tests.support.readings import Reading


def read(text: str) -> Reading:
    document = json.loads(text)
    props = document["metadata"]["properties"]
    told = {item["name"].removeprefix("gate:"): item["value"] for item in props}

    def named(name: str) -> frozenset[str]:
        return frozenset(item["value"] for item in props if item["name"] == f"gate:{name}")

    refused, warned, waived = named("refused"), named("warned"), named("waived")
    identifiers = {
        item["bom-ref"]: item["identifier"]
        for standard in document["definitions"]["standards"]
        for item in standard["requirements"]
    }
    own = document["declarations"]["attestations"][0]["map"]
    low = {identifiers[item["requirement"]] for item in own if item["conformance"].get("score") == 0}
    assert low >= refused | warned | waived
    return Reading(
        verdict=told["verdict"],
        refused=refused,
        id=told["decision"],
        exit_code=int(told["exit_code"]),
        dry_run=told["dry_run"] == "true",
        waived=waived,
        warned=warned,
    )
