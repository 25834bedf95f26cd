"""Waivers: the fields of an entry of `waivers.yaml`, and what is waived by its digest or by its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found
from gate.attest.predicates.values import digest_of, optional_text
from gate.formats.predicates.waiver import CLAIM
from gate.formats.strict_yaml import Node
from gate.formats.waivers import FIELDS, WaiverError, make_waiver


def _collect(fields: Mapping[str, Node], files: Files) -> Collected:
    text = {name: fields[name].text() for name in _REQUIRED} | {"finding": optional_text(fields, "finding")}
    waived = digest_of(fields["artifact"], files)
    members = {**text, "artifact": waived}
    try:
        make_waiver({name: value for name, value in members.items() if value is not None})
    except WaiverError as error:
        raise fields[error.field].error(str(error)) from None
    return Collected(roles={"waived": [Found(waived, waived)]}, members=members)


_REQUIRED: Final = tuple(name for name in FIELDS if name != "finding")
COLLECTOR = Collector(claim=CLAIM, keys=FIELDS, required=_REQUIRED, collect=_collect)
