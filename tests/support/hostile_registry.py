"""A registry on loopback that is good until a test makes it lie, and remembers who sent it which credentials."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from gate.formats.bundle import MEDIA_TYPE
from gate.formats.oci import EMPTY, INDEX, MANIFEST
from gate.model.digest import Digest, sha256_digest

REPOSITORY = "team/app"
BUNDLE = b'{"a":"bundle, as far as a registry knows"}'

Behaviour = Callable[["Handler"], bool]
"""Answers a request and says so, or leaves it to the registry."""


def described(data: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": sha256_digest(data), "size": len(data)}


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        with contextlib.suppress(OSError):
            super().handle_one_request()

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def handle_expect_100(self) -> bool:
        return True

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815  # the names that the standard library asks for

    @property
    def registry(self) -> HostileRegistry:
        return self.server.registry

    @property
    def kind(self) -> str:
        """What is asked for: `referrers`, `manifests`, `blobs`, or something else."""
        parts = self.path.split("/")
        return parts[-2] if self.path.startswith("/v2/") and len(parts) > 3 else "other"

    @property
    def name(self) -> str:
        """The digest or tag that is asked for."""
        return urlsplit(self.path).path.rpartition("/")[2]

    def say(self, status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> bool:
        """Answers well-formed HTTP."""
        self.send_response(status)
        lines = {"Content-Type": kind, "Content-Length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in lines.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True

    def raw(self, data: bytes) -> bool:
        """Writes bytes as they are, and closes."""
        self.close_connection = True
        self.wfile.write(data)
        return True

    def _serve(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        registry = self.registry
        registry.requests.append((self.command, self.path))
        registry.seen.append(self.headers.get("Authorization"))
        if not registry.behave(self):
            registry.answer(self)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64
    registry: HostileRegistry

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error here."""


class HostileRegistry:
    """An image with one bundle; `behave` may lie about any of it. Use it as a context manager.

    `seen` are the `Authorization` headers of all requests, `requests` their methods and paths.
    """

    def __init__(self, behave: Behaviour = lambda _: False, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.registry = self
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "http" if tls is None else "https"
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.requests: list[tuple[str, str]] = []
        self.seen: list[str | None] = []
        self.ended = threading.Event()
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.listed: dict[str, list[dict[str, Any]]] = {}
        self.has_api = True
        image = encode({"schemaVersion": 2, "mediaType": MANIFEST, "config": described(b"{}", EMPTY), "layers": []})
        self.image = self.store(image)
        self.manifests["v1"] = image, MANIFEST
        self.bundle = self.attach(BUNDLE)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def reference(self) -> str:
        return f"{self.host}/{REPOSITORY}@{self.image}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def store(self, data: bytes, kind: str = MANIFEST) -> Digest:
        digest = sha256_digest(data)
        self.manifests[digest] = data, kind
        subject = json.loads(data).get("subject") if data.startswith(b"{") else None
        if isinstance(subject, dict):
            entry = {**described(data, kind), "artifactType": MEDIA_TYPE}
            self.listed.setdefault(str(subject.get("digest")), []).append(entry)
        return digest

    def attach(self, data: bytes, **changes: Any) -> Digest:
        """Stores something that refers to the image."""
        self.blobs[sha256_digest(data)] = data
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": MEDIA_TYPE,
            "config": described(b"{}", EMPTY),
            "layers": [described(data, MEDIA_TYPE)],
            "subject": described(self.manifests[self.image][0], MANIFEST),
        }
        return self.store(encode({**document, **changes}))

    def replace(self, **changes: Any) -> None:
        """Instead of the bundle's manifest there is one with other members."""
        self.listed.clear()
        self.attach(BUNDLE, **changes)

    def index(self, subject: str) -> bytes:
        return encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.listed.get(subject, [])})

    # --- the good registry --------------------------------------------------------------------------------------------

    def answer(self, asked: Handler) -> bool:
        if asked.command in {"POST", "PUT"}:
            return self._write(asked)
        if asked.kind == "referrers" and self.has_api:
            return asked.say(200, self.index(asked.name), INDEX)
        if asked.kind == "manifests" and asked.name in self.manifests:
            return asked.say(200, *self.manifests[asked.name])
        if asked.kind == "blobs" and asked.name in self.blobs:
            return asked.say(200, self.blobs[asked.name], "application/octet-stream")
        return asked.say(404)

    def _write(self, asked: Handler) -> bool:
        if asked.command == "POST":
            return asked.say(202, Location=f"/upload/{len(self.requests)}?state=1")
        if asked.kind == "manifests":
            kind = str(asked.headers["Content-Type"])
            self.manifests[asked.name] = asked.body, kind
            self.store(asked.body, kind)
        else:
            (digest,) = parse_qs(urlsplit(asked.path).query)["digest"]
            self.blobs[digest] = asked.body
        return asked.say(201)


def docker_config(auths: Mapping[str, str], **more: object) -> bytes:
    """Docker's configuration with a name and password for some registries."""
    import base64

    entries = {host: {"auth": base64.b64encode(pair.encode()).decode()} for host, pair in auths.items()}
    return encode({"auths": entries, **more})
