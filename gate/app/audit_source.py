"""Where the objects of an audit come from: a listing that somebody made, or the API server itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.collect.cluster import Cluster, ClusterAccess, account_access, kubeconfig_access, read_named
from gate.errors import ConfigError, EvidenceError, LimitError
from gate.formats.workloads.listing import MAX_BYTES, Listed, ListingError, Unlisted, read_listing
from gate.formats.workloads.reviewed import judged_kinds, resource_of
from gate.model.admission import ObjectKind
from gate.model.admission_settings import AdmissionSettings

POD: Final = ObjectKind("", "v1", "Pod")
STANDARD_INPUT: Final = "-"
_BUILT_IN: Final = frozenset({"", "apps", "batch"})
_NAMESPACE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class FileListing:
    """A file, or what comes in on standard input."""

    given: str
    standard_input: Iterable[bytes]

    @property
    def name(self) -> str:
        """For people."""
        return "standard input" if self.given == STANDARD_INPUT else self.given

    def __call__(self, _: AdmissionSettings) -> Iterator[Listed | Unlisted]:
        """The objects in it; raises `EvidenceError` for what is no listing."""
        data = self._all() if self.given == STANDARD_INPUT else read_named(Path(self.given), MAX_BYTES)
        try:
            return read_listing(data)
        except ListingError as error:
            hint = "kubectl get pods -A -o json writes one"
            raise EvidenceError(f"{self.name} is no listing: {error}", hint=hint) from None

    def _all(self) -> bytes:
        data = bytearray()
        for piece in self.standard_input:
            data += piece
            if len(data) > MAX_BYTES:
                raise LimitError(f"{self.name} has more than the {MAX_BYTES} bytes that are read")
        return bytes(data)


@dataclass(frozen=True, slots=True)
class ClusterListing:
    """An API server: its pods, or all that is judged besides them."""

    access: ClusterAccess
    templates: bool
    namespaces: frozenset[str]

    @property
    def name(self) -> str:
        """For people."""
        return self.access.name

    def __call__(self, admission: AdmissionSettings) -> Iterator[Listed | Unlisted]:
        """The objects that it lists; raises `EvidenceError` when it does not."""
        cluster = Cluster(self.access)
        try:
            for kind, resource in _wanted(admission, templates=self.templates).items():
                for namespace in sorted(self.namespaces) if self.namespaces else (None,):
                    yield from cluster.listed(kind, resource, namespace)
        finally:
            cluster.close()


def _wanted(admission: AdmissionSettings, *, templates: bool) -> Mapping[ObjectKind, str]:
    """Pods are all that runs; the others are what pods are made from, and may be wrong before there is one."""
    found = {POD: resource_of(POD)}
    if templates:
        found |= {kind: resource_of(kind) for kind in judged_kinds() if kind.group in _BUILT_IN}
        found |= {item.kind: item.resource for item in admission.places}
    return found


def cluster_listing(
    kubeconfig: str | None, context: str | None, *, templates: bool, namespaces: Collection[str]
) -> ClusterListing:
    """The cluster of a kubeconfig, or the one that this runs in; raises `ConfigError`."""
    for name in namespaces:
        if not _NAMESPACE.fullmatch(name):
            raise ConfigError(f"--namespace: {name[:100]!r} is no name of a namespace")
    access = account_access() if kubeconfig is None else kubeconfig_access(Path(kubeconfig), context)
    return ClusterListing(access, templates, frozenset(namespaces))
