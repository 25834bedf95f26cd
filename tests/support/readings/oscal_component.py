"""An OSCAL component definition: the properties of the document, which agree with the statuses of its controls."""

from __future__ import annotations

import json

from tests.support.readings import Reading
from tests.support.readings.oscal_results import reading


def read(text: str) -> Reading:
    document = json.loads(text)["component-definition"]
    found = reading(document["metadata"]["props"])
    (component,) = document["components"]
    own = component["control-implementations"][0]["implemented-requirements"]
    bad = {
        item["control-id"]
        for item in own
        if {"fail", "error"} & {prop["value"] for prop in item["props"] if prop["name"] == "status"}
    }
    assert bad == found.refused | (found.warned or frozenset())
    return found
