"""OSCAL assessment results: the properties of the document, which have to agree with its findings."""

from __future__ import annotations

import json
from typing import Any

from tests.support.readings import Reading


def read(text: str) -> Reading:
    document = json.loads(text)["assessment-results"]
    (result,) = document["results"]
    found = reading(document["metadata"]["props"])
    states = {item["target"]["target-id"]: item["target"]["status"]["state"] for item in result.get("findings", ())}
    named = found.refused | (found.warned or set()) | (found.waived or set())
    assert all(states[name] == "not-satisfied" for name in named)
    observed = {item["title"].partition("`")[2].partition("`")[0]: item["props"] for item in result["observations"]}
    statuses = {name for name, props in observed.items() if {"fail", "error"} & {_status(props)}}
    assert statuses == found.refused | (found.warned or frozenset())
    return found


def _status(props: list[dict[str, Any]]) -> str:
    return next((item["value"] for item in props if item["name"] == "status"), "")


def reading(props: list[dict[str, Any]]) -> Reading:
    """What the properties of a document say."""
    told = {item["name"]: item["value"] for item in props}

    def named(name: str) -> frozenset[str]:
        return frozenset(item["value"] for item in props if item["name"] == name)

    return Reading(
        verdict=told["verdict"],
        refused=named("refused"),
        id=told["decision"],
        exit_code=int(told["exit-code"]),
        dry_run=told["dry-run"] == "true",
        waived=named("waived"),
        warned=named("warned"),
    )
