"""Break glass: the images by digest or reference, the namespace, and from when to when they are let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.attest.collector import Collected, Collector, Files, Found
from gate.attest.predicates.values import items, optional_text
from gate.errors import AttestError
from gate.formats.image_reference import image_digest
from gate.formats.predicates.break_glass import CLAIM, FIELDS, BreakGlassError, span_of
from gate.formats.strict_yaml import Node
from gate.model.digest import Digest, parse_digest


def _collect(fields: Mapping[str, Node], _files: Files) -> Collected:
    images = sorted({_image(node) for node in items(fields, "images")})
    if not images:
        raise AttestError("no image is let in", hint="name each in images, by its digest")
    text = {name: fields[name].text() for name in _TEXTS} | {"approver": optional_text(fields, "approver")}
    try:
        span_of(text["created"], text["expires"])
    except BreakGlassError as error:
        raise fields[error.field].error(str(error)) from None
    return Collected(roles={"images": [Found(digest, digest) for digest in images]}, members=dict(text))


def _image(node: Node) -> Digest:
    text = node.text()
    try:
        digest = parse_digest(text) or image_digest(text)
    except ValueError as error:
        raise node.error(str(error)) from None
    if digest is None:
        raise node.error("an image is named by its digest: a tag may be another one tomorrow")
    return digest


_TEXTS: Final = tuple(name for name in FIELDS if name != "approver")
COLLECTOR = Collector(claim=CLAIM, keys=("images", *FIELDS), required=("images", *_TEXTS), collect=_collect)
