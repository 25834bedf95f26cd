"""Kubeconfig files, as far as they say where an API server is and how a listing is asked of it.

What would make the gate start a program, trust anybody, go through a proxy or be somebody else is refused, and so is
what this reader does not know among the things that say who asks.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gate.formats.strict_yaml import YamlError
from gate.formats.workloads.manifest_yaml import load_documents
from gate.model.json import JsonObject, JsonValue

_SERVER: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/[A-Za-z0-9._~-]+)*)/?"
)
_PORTS: Final = {"http": 80, "https": 443}
_CLUSTER: Final = frozenset({"certificate-authority", "certificate-authority-data", "server", "tls-server-name"})
_HARMLESS: Final = frozenset({"disable-compression", "extensions"})
_USER: Final = frozenset(
    {
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "extensions",
        "token",
        "tokenFile",
    }
)
_TOKEN: Final = re.compile(r"[!-~]{1,16384}")


class KubeconfigError(ValueError):
    """Not a kubeconfig that the gate uses. The text never holds a secret."""


@dataclass(frozen=True, slots=True)
class Material:
    """Bytes that a kubeconfig holds itself, or the file that it names; a relative one lies beside it."""

    data: bytes | None = field(default=None, repr=False)
    path: str | None = None


@dataclass(frozen=True, slots=True)
class KubeServer:
    """Where the API server is, and who asks. `path` is what stands before every path there, without a last `/`."""

    scheme: str
    host: str
    port: int
    path: str = ""
    server_name: str | None = None
    authority: Material | None = None
    token: Material | None = None
    certificate: Material | None = None
    key: Material | None = None


def read_kubeconfig(data: bytes, context: str | None = None) -> KubeServer:
    """The server of a context, or of the current one; raises `KubeconfigError`."""
    try:
        documents = load_documents(data)
    except YamlError as error:
        raise KubeconfigError(f"{error.line}:{error.column}: {error}") from None
    document = documents[0] if len(documents) == 1 else None
    if not isinstance(document, Mapping) or document.get("apiVersion") != "v1" or document.get("kind") != "Config":
        raise KubeconfigError("it is not one Config of v1")
    wanted = context if context is not None else document.get("current-context")
    if not isinstance(wanted, str) or not wanted:
        raise KubeconfigError("it has no current context, so one has to be named")
    chosen = _named(document, "contexts", "context", wanted)
    cluster = _named(document, "clusters", "cluster", chosen.get("cluster"))
    who = chosen.get("user")
    user = _named(document, "users", "user", who) if who not in (None, "") else {}
    if cluster.get("insecure-skip-tls-verify") not in (None, False):
        raise KubeconfigError("insecure-skip-tls-verify: a server that nobody vouches for is not asked")
    _check(cluster, _CLUSTER | _HARMLESS | {"insecure-skip-tls-verify"}, "cluster")
    _check(user, _USER, "user")
    return _server(cluster, user)


def _server(cluster: JsonObject, user: JsonObject) -> KubeServer:
    server, name = cluster.get("server"), cluster.get("tls-server-name")
    found = _SERVER.fullmatch(server) if isinstance(server, str) else None
    if found is None or (name is not None and not isinstance(name, str)):
        raise KubeconfigError("its server is not an address such as https://10.0.0.1:6443")
    port = int(found["port"] or _PORTS[found["scheme"]])
    if not 0 < port < 1 << 16:
        raise KubeconfigError(f"there is no port {port}")
    certificate = _material(user, "client-certificate")
    key = _material(user, "client-key")
    if (certificate is None) != (key is None):
        raise KubeconfigError("a client certificate and its key come together")
    return KubeServer(
        scheme=found["scheme"],
        host=found["host"].strip("[]"),
        port=port,
        path=found["path"],
        server_name=name or None,
        authority=_material(cluster, "certificate-authority"),
        token=_token(user),
        certificate=certificate,
        key=key,
    )


def _named(document: JsonObject, plural: str, singular: str, name: JsonValue) -> JsonObject:
    """The one entry of a name."""
    entries = document.get(plural)
    same = [
        entry.get(singular)
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping) and entry.get("name") == name
    ]
    found = same[0] if len(same) == 1 else None
    if not isinstance(name, str) or not isinstance(found, Mapping):
        raise KubeconfigError(f"there is not one {singular} of the name {str(name)[:100]!r}")
    return found


def _check(value: JsonObject, known: frozenset[str], what: str) -> None:
    unknown = sorted(name for name in value if name not in known and value[name] is not None)
    if unknown:
        raise KubeconfigError(
            f"the {what} has {unknown[0][:80]!r}, which the gate does not follow: it starts no programs, goes through"
            " no proxy and is nobody else; a token (kubectl create token) or a client certificate works"
        )


def _material(value: JsonObject, name: str) -> Material | None:
    """The bytes under `<name>-data`, or else the file under the name."""
    data, path = value.get(f"{name}-data"), value.get(name)
    if data not in (None, ""):
        try:
            return Material(base64.b64decode(data if isinstance(data, str) else b"=", validate=True))
        except (binascii.Error, ValueError):
            raise KubeconfigError(f"{name}-data is not base64") from None
    if path in (None, ""):
        return None
    if not isinstance(path, str) or "\0" in path:
        raise KubeconfigError(f"{name} is not the path of a file")
    return Material(path=path)


def _token(user: JsonObject) -> Material | None:
    token, path = user.get("token"), user.get("tokenFile")
    if path not in (None, ""):
        if not isinstance(path, str) or "\0" in path:
            raise KubeconfigError("tokenFile is not the path of a file")
        return Material(path=path)
    return None if token in (None, "") else Material(checked_token(token).encode("ascii"))


def checked_token(token: JsonValue) -> str:
    """A token that can stand in a header; raises `KubeconfigError`."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise KubeconfigError("the token is not one word of printable characters")
    return token
