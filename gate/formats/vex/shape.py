"""What readers of VEX documents share: the judgements they make, and typed access to what they read.

A judgement that cannot be tied to a product or a vulnerability applies to nothing. One that would take a vulnerability
away needs a reason from its format's list; without one its `justification` is empty, and rules give it no weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from gate.formats.intoto import StatementError
from gate.formats.members import time
from gate.model.digest import Digest, digest_from_hex
from gate.model.json import JsonObject, JsonValue

AFFECTED: Final = "affected"
FIXED: Final = "fixed"
INVESTIGATED: Final = "under_investigation"
NOT_AFFECTED: Final = "not_affected"
STATUSES: Final = (FIXED, NOT_AFFECTED, INVESTIGATED, AFFECTED)
"""The statuses in rising order of weight: of two that are said at one time, the later here counts."""
JUSTIFICATIONS: Final = frozenset(
    {
        "component_not_present",
        "inline_mitigations_already_exist",
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "vulnerable_code_not_in_execute_path",
        "vulnerable_code_not_present",
    }
)
"""The reasons that OpenVEX and CSAF know for a product that is not affected."""
MAX_JUDGEMENTS: Final = 50_000
_IMAGE_TYPES: Final = ("pkg:oci/", "pkg:docker/")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Product:
    """What a judgement is about.

    `digests` and `purls` identify it. `components` are package URLs of those parts of it that are meant, `None` where
    the whole is: parts that nobody can identify are an empty tuple, and mean nothing.
    """

    digests: tuple[Digest, ...] = ()
    purls: tuple[str, ...] = ()
    components: tuple[str, ...] | None = None

    def within(self, whole: Product) -> Product:
        """This product as a part of another."""
        return Product(whole.digests, whole.purls, self.purls)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One status of a vulnerability, which has all of these names, in some products, said at a time."""

    names: tuple[str, ...]
    status: str
    justification: str | None
    at_s: int
    products: tuple[Product, ...]

    @property
    def facts(self) -> JsonObject:
        """The judgement in the facts of its statement."""
        return {
            "names": list(self.names),
            "status": self.status,
            "justification": self.justification,
            "at_s": self.at_s,
            "products": [
                {
                    "digests": list(product.digests),
                    "purls": list(product.purls),
                    "components": None if product.components is None else list(product.components),
                }
                for product in self.products
            ],
        }


def facts(form: str, version: str, author: str | None, judgements: Iterable[Judgement]) -> JsonObject:
    """The facts of a document; raises `StatementError` for one that judges nothing, or too much."""
    found = [judgement.facts for judgement in judgements]
    if not found:
        raise StatementError("vex_empty", "the document judges no vulnerability")
    if len(found) > MAX_JUDGEMENTS:
        raise StatementError("vex_size", f"{len(found)} judgements, at most {MAX_JUDGEMENTS} are read")
    return {"format": form, "version": version, "author": author, "judgements": list(found)}


def product_of(purls: Iterable[str | None], hashes: Iterable[str | None]) -> Product:
    """A product by its package URLs and the hexadecimal digits of its SHA-256; what is neither is left out.

    The package URL of an image has its digest as version, and then is that digest.
    """
    named = tuple(dict.fromkeys(purl for purl in purls if purl is not None and purl.lower().startswith("pkg:")))
    images = (_DIGEST.fullmatch(version_of(purl)) for purl in named if purl.lower().startswith(_IMAGE_TYPES))
    digits = (*(found.lower() for found in hashes if found), *(found.group(1) for found in images if found))
    digests = (digest_from_hex(found) for found in digits)
    return Product(tuple(dict.fromkeys(found for found in digests if found is not None)), named)


def version_of(purl: str) -> str:
    """The version in a package URL, empty without one."""
    plain = purl.partition("#")[0].partition("?")[0]
    head, at, version = plain.rpartition("@")
    return unquote(version) if at and "/" in head and "/" not in version else ""


def list_of(value: JsonValue, place: str) -> Sequence[JsonObject]:
    """A list of objects, or nothing; raises `StatementError` for anything else."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise StatementError("predicate", f"{place} is not a list of objects")
    return [item for item in value if isinstance(item, dict)]


def texts_of(value: JsonValue, place: str) -> Sequence[str]:
    """A list of texts, or nothing; raises `StatementError` for anything else."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise StatementError("predicate", f"{place} is not a list of texts")
    return [item for item in value if isinstance(item, str)]


def names_of(names: Iterable[str | None], place: str) -> tuple[str, ...]:
    """The names of a vulnerability; raises `StatementError` for one without."""
    found = tuple(dict.fromkeys(name for name in names if name))
    if not found:
        raise StatementError("predicate", f"{place} has no name")
    return found


def time_at(document: JsonObject, *keys: str) -> int:
    """A time that has to be there, in seconds; raises `StatementError`."""
    found = time(document, *keys)
    if found is None or found < 0:
        raise StatementError("time", f"{'.'.join(keys)} is missing, or before 1970")
    return found
