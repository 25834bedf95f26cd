"""References to container images, by the grammar of the OCI distribution specification."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gate.model.digest import Digest, digest_from_hex, parse_digest
from gate.model.path import is_plain_relative

_CHARACTERS: Final = 1024
_NAME_CHARACTERS: Final = 255
_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = rf"{_COMPONENT}(?:/{_COMPONENT})*"
# Digits and separators never match in two ways, so this takes linear time; the length is limited besides.
_REFERENCE: Final = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_PATH})"
    rf"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
    r"(?:@(?P<algorithm>sha256|sha384|sha512):(?P<hex>[0-9a-f]{64,128}))?"
)
_HEX_DIGITS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_DOCKER_HUB: Final = "docker.io"
_LAYOUT: Final = "oci-layout:"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: the registry as `host` or `host:port` in lower case, and the name of the repository there."""

    registry: str
    name: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image. With a digest the tag says nothing: the digest is what is meant."""

    repository: Repository
    tag: str | None
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class LayoutReference:
    """An image in an OCI layout: a folder below the root, and the digest of the manifest or index in it."""

    path: str
    digest: Digest


def parse_layout(reference: str) -> LayoutReference | None:
    """The parts of `oci-layout:<path>@sha256:<hex>`, `None` for an image in a registry; raises `ValueError`."""
    if not reference.startswith(_LAYOUT):
        return None
    path, at, text = reference.removeprefix(_LAYOUT).rpartition("@")
    digest = parse_digest(text)
    if not at or digest is None or len(reference) > _CHARACTERS:
        raise ValueError(f"{reference[:200]!r} has no digest: a layout is named as oci-layout:path@sha256:<64 digits>")
    if not is_plain_relative(path):
        raise ValueError(f"{reference[:200]!r}: the path of a layout is relative to the root and has no '..'")
    return LayoutReference(path, digest)


def image_digest(reference: str) -> Digest | None:
    """The SHA-256 that a reference pins, `None` for a tag, for neither tag nor digest, or another algorithm.

    Raises `ValueError` for what is no image reference.
    """
    layout = parse_layout(reference)
    if layout is not None:
        return layout.digest
    found = _match(reference)
    return digest_from_hex(found["hex"]) if found["algorithm"] == "sha256" else None


def parse_image(reference: str) -> ImageReference:
    """The parts of a reference; raises `ValueError` for what is none, and for a digest other than SHA-256.

    What stands before the first `/` is a registry if it holds a `.` or `:` or is `localhost`; without one the image
    is Docker Hub's, as `docker` has it. What begins as a layout is no image in a registry.
    """
    if reference.startswith(_LAYOUT):
        raise ValueError(f"{reference[:200]!r} is a layout on disk, not an image in a registry")
    found = _match(reference)
    if found["algorithm"] not in {None, "sha256"}:
        raise ValueError(f"{reference!r}: only sha256 digests are supported")
    return ImageReference(_repository(found["name"]), found["tag"], image_digest(reference))


def parse_repository(text: str) -> Repository:
    """A repository such as `registry.example:5000/team/app`; raises `ValueError`, also for a tag or digest."""
    found = _match(text)
    if found["tag"] is not None or found["algorithm"] is not None:
        raise ValueError(f"{text!r}: a repository has neither tag nor digest")
    return _repository(found["name"])


def _repository(name: str) -> Repository:
    first, slash, rest = name.partition("/")
    if not slash or not (re.search(r"[.:A-Z]", first) or first == "localhost"):
        return Repository(_DOCKER_HUB, name if slash else f"library/{name}")
    registry = first.lower()
    port = re.search(r":([0-9]+)$", registry)
    if port is not None and not 1 <= int(port[1]) <= 65535:
        raise ValueError(f"{name[:200]!r}: there is no port {port[1]}")
    if registry in {"index.docker.io", "registry-1.docker.io", _DOCKER_HUB}:
        return Repository(_DOCKER_HUB, rest if "/" in rest else f"library/{rest}")
    return Repository(registry, rest)


def _match(reference: str) -> re.Match[str]:
    found = _REFERENCE.fullmatch(reference) if len(reference) <= _CHARACTERS else None
    if found is None or len(found["name"]) > _NAME_CHARACTERS:
        raise ValueError(f"{reference[:200]!r} is not an image reference such as registry/name@sha256:<64 digits>")
    algorithm, digits = found["algorithm"], found["hex"]
    if algorithm is not None and len(digits) != _HEX_DIGITS[algorithm]:
        raise ValueError(f"{reference!r}: a {algorithm} digest has {_HEX_DIGITS[algorithm]} hexadecimal digits")
    return found
