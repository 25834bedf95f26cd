"""What runs in a cluster, as its API server lists it: read, page by page, and never changed.

1. One server that somebody vouches for: its certificate is checked, redirects and proxies are not followed
2. What proves who asks goes to that server alone, and over plain HTTP to nobody
3. Bytes, pages and time are bounded, and a list that ends early is an error
"""

from __future__ import annotations

import os
import ssl
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gate.collect.files import opened_file, opened_root, read_at_most, unreadable
from gate.collect.registry.access import is_this_machine
from gate.errors import ConfigError, EvidenceError, LimitError, UnavailableError
from gate.formats.kubeconfig import KubeconfigError, KubeServer, Material, checked_token, read_kubeconfig
from gate.formats.workloads.listing import Listed, ListingError, Unlisted, read_page
from gate.model.admission import ObjectKind

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the token of its service account."""
_HOST: Final = "kubernetes.default.svc"
_FILE_BYTES: Final = 4 << 20
_PAGE_ITEMS: Final = 250
_PAGE_BYTES: Final = 256 << 20
_PAGES: Final = 100_000
_CONNECT_S: Final = 5.0
_READ_S: Final = 30.0
_PAGE_S: Final = 120.0
_PIECE: Final = 1 << 16
_NOT_ALLOWED: Final = "give who asks the right to list them: ClusterRole with the verbs get and list"


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """An API server, and how it is asked."""

    server: KubeServer
    authority: bytes | None = None
    token: str | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The server, for people."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return f"{self.server.scheme}://{host}:{self.server.port}{self.server.path}"


def read_named(path: Path, limit: int) -> bytes:
    """A regular file that a person named, also over links; raises `EvidenceError`."""
    real = Path(os.path.realpath(path))
    try:
        with opened_root(real.parent) as base, opened_file(base, [os.fsencode(real.name)]) as (descriptor, _):
            data = read_at_most(descriptor, limit)
    except FileNotFoundError:
        raise EvidenceError(f"{str(path)!r} does not exist") from None
    except OSError as error:
        raise unreadable(str(path), error) from error
    if data is None:
        raise LimitError(f"{str(path)!r} has more than the {limit} bytes that are read")
    return data


def kubeconfig_access(path: Path, context: str | None) -> ClusterAccess:
    """What a kubeconfig says; raises `ConfigError`, `EvidenceError` for a file that cannot be read."""
    try:
        server = read_kubeconfig(read_named(path, _FILE_BYTES), context)
        beside = path.parent
        token = _bytes(server.token, beside)
        access = ClusterAccess(
            server,
            _bytes(server.authority, beside),
            None if token is None else checked_token(token.decode("ascii", "replace").strip()),
            _bytes(server.certificate, beside),
            _bytes(server.key, beside),
        )
    except KubeconfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if server.scheme == "http" and (not is_this_machine(server.host) or access.token or access.key):
        raise ConfigError(f"{path}: plain HTTP is for a server on this machine, and without credentials")
    return access


def account_access(folder: Path = ACCOUNT) -> ClusterAccess:
    """The cluster whose pod this runs in, by its service account; raises `ConfigError`."""
    server = KubeServer("https", _HOST, 443)
    try:
        token = read_named(folder / "token", _FILE_BYTES).decode("ascii", "replace").strip()
        return ClusterAccess(server, read_named(folder / "ca.crt", _FILE_BYTES), checked_token(token))
    except EvidenceError as error:
        hint = "outside of a cluster, name a kubeconfig: --kubeconfig FILE"
        raise ConfigError(f"this runs in no pod with a service account: {error}", hint=hint) from None
    except KubeconfigError as error:
        raise ConfigError(f"{folder / 'token'}: {error}") from None


def _bytes(material: Material | None, beside: Path) -> bytes | None:
    if material is None or material.path is None:
        return None if material is None else material.data
    return read_named(beside / material.path, _FILE_BYTES)


class Cluster:
    """Lists objects. `close` it."""

    def __init__(self, access: ClusterAccess) -> None:
        """Connects to nobody yet; raises `ConfigError` without the extra `oci`, or for material that is none."""
        self._access = access
        self._pool = _pool(access)

    def close(self) -> None:
        """Ends the connections."""
        self._pool.close()

    def listed(self, kind: ObjectKind, resource: str, namespace: str | None) -> Iterator[Listed | Unlisted]:
        """All objects of a kind, in one namespace or in all; raises `EvidenceError`.

        A kind that the server does not have is told, and is no error.
        """
        root = f"/apis/{quote(kind.group, safe='')}" if kind.group else "/api"
        inside = "" if namespace is None else f"/namespaces/{quote(namespace, safe='')}"
        path = f"{self._access.server.path}{root}/{quote(kind.version, safe='')}{inside}/{quote(resource, safe='')}"
        count, after = 0, ""
        for _ in range(_PAGES):
            more = f"&continue={quote(after, safe='')}" if after else ""
            body = self._get(f"{path}?limit={_PAGE_ITEMS}{more}", f"{resource} of {kind}")
            if body is None:
                yield Unlisted(str(kind), "the cluster has no such kind, or no such namespace")
                return
            try:
                page, token = read_page(body, kind, count, _PAGE_BYTES)
            except ListingError as error:
                raise EvidenceError(f"{self._access.name} did not list {resource}: {error}") from None
            yield from page
            if token is None:
                return
            if token == after or not page:
                break
            count, after = count + len(page), token
        raise EvidenceError(f"{self._access.name} lists {resource} without an end")

    def _get(self, path: str, what: str) -> bytes | None:
        """The body of an answer; `None` for what is not there."""
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "gate"}
        if self._access.token is not None:
            headers["Authorization"] = f"Bearer {self._access.token}"
        ends_at = time.monotonic() + _PAGE_S
        data = bytearray()
        try:
            response = self._pool.urlopen(
                "GET",
                path,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=Timeout(connect=_CONNECT_S, read=_READ_S),
                preload_content=False,
                decode_content=False,
            )
            try:
                status = response.status
                while status == 200 and (piece := response.read1(_PIECE)):
                    data += piece
                    if len(data) > _PAGE_BYTES or time.monotonic() > ends_at:
                        raise LimitError(f"{self._access.name} answers too much, or too slowly, for one page")
                if status == 200 and response.length_remaining:
                    raise EvidenceError(f"the answer of {self._access.name} broke off")
            finally:
                response.close()
        except (HTTPError, OSError) as error:
            raise self._failure(error) from None
        if status == 404:
            return None
        if status != 200:
            raise self._refused(status, what)
        return bytes(data)

    def _refused(self, status: int, what: str) -> EvidenceError:
        if status in {401, 403}:
            return EvidenceError(f"{self._access.name} does not let these credentials list {what}", hint=_NOT_ALLOWED)
        if status == 410:
            return EvidenceError(f"{self._access.name} forgot where the list of {what} went on", hint="try again")
        return UnavailableError(f"{self._access.name} answers {status} when asked for {what}")

    def _failure(self, error: Exception) -> EvidenceError:
        """In our own words: what the library says may hold what the server sent."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return EvidenceError(
                    f"the certificate of {self._access.name} is not trusted: {cause.verify_message}",
                    hint="certificate-authority in the kubeconfig says who vouches for it",
                )
            cause = cause.__cause__ or cause.__context__ or (cause.args[0] if _holds(cause) else None)
        return UnavailableError(f"{self._access.name} cannot be reached, or its answer broke off")


def _holds(error: BaseException) -> bool:
    return bool(error.args) and isinstance(error.args[0], BaseException)


def _pool(access: ClusterAccess) -> HTTPConnectionPool:
    try:
        from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    except ImportError:
        raise ConfigError("clusters need the extra `oci`", hint="pip install 'gate[oci]'") from None
    server = access.server
    if server.scheme == "http":
        return HTTPConnectionPool(server.host, server.port, maxsize=1)
    context = _context(access)
    return HTTPSConnectionPool(
        server.host, server.port, maxsize=1, ssl_context=context, server_hostname=server.server_name
    )


def _context(access: ClusterAccess) -> ssl.SSLContext:
    try:
        pem = None if access.authority is None else access.authority.decode("ascii")
        context = ssl.create_default_context(cadata=pem)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if access.certificate is not None and access.key is not None:
            # The library reads them from files alone; nobody else can read these, and they are gone at once.
            with tempfile.NamedTemporaryFile() as file:
                file.write(access.certificate.rstrip() + b"\n" + access.key)
                file.flush()
                context.load_cert_chain(file.name, password=_no_password)
    except (ssl.SSLError, ValueError):
        raise ConfigError("an authority, a client certificate or its key is not PEM, or they do not fit") from None
    return context


def _no_password() -> str:
    raise ValueError("a key with a password")
