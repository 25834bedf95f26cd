"""Webhooks for the API server of the tests: one that answers as it is told, and how an API server is told of one."""

from __future__ import annotations

import base64
import functools
import itertools
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, Final

from cryptography import x509

from tests.support.certificates import Authority, Pair
from tests.support.chart import one, rendered
from tests.support.kube import Kubernetes, until

GROUP: Final = "admissionregistration.k8s.io/v1"
KIND: Final = "ValidatingWebhookConfiguration"
HOOK: Final = "pods.webhook.gate.internal"
_NUMBERS: Final = itertools.count()


@dataclass(frozen=True)
class Asked:
    """What the API server sent."""

    path: str
    headers: dict[str, str]
    review: dict[str, Any]
    client: str | None
    """The name in the certificate that it showed."""


def fresh(word: str) -> str:
    """A name that no other object of this run has."""
    return f"{word}-{next(_NUMBERS)}"


def allowing(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": request["uid"], "allowed": True},
    }


def shown_name(connection: socket) -> str | None:
    """The name in the certificate that a client showed."""
    assert isinstance(connection, ssl.SSLSocket)
    data = connection.getpeercert(binary_form=True)
    return None if data is None else x509.load_der_x509_certificate(data).subject.rfc4514_string()


@dataclass
class Liar:
    """A webhook that lets everything in, in a way that `change` spoils. Each connection is used once."""

    pair: Pair
    authority: Authority
    seen: list[Asked] = field(default_factory=list)
    port: int = 0
    delay_s: float = 0.0
    status: int = 200
    body: bytes | None = None
    change: dict[str, Any] = field(default_factory=dict)
    """What the response has instead."""
    more: dict[str, Any] = field(default_factory=dict)
    """What the review has instead."""
    dropped: str | None = None
    """Leaves this out of the response."""

    def answer(self, request: Mapping[str, Any]) -> bytes:
        if self.body is not None:
            return self.body
        value = allowing(request)
        value["response"] |= self.change
        value |= self.more
        if self.dropped is not None:
            del value["response"][self.dropped]
        return json.dumps(value).encode()

    @contextmanager
    def serving(self) -> Iterator[Liar]:
        liar, ended = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:  # says nothing
                return

            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                liar.seen.append(Asked(self.path, dict(self.headers), review, shown_name(self.connection)))
                ended.wait(liar.delay_s)
                data = liar.answer(review["request"])
                self.send_response(liar.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(data)

        class Server(ThreadingHTTPServer):
            def get_request(self) -> tuple[socket, Any]:
                plain, address = super().get_request()
                return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, *_: object) -> None:  # an API server hangs up on slow answers
                return

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pair.certificate, self.pair.key)
        context.load_verify_locations(self.authority.path)
        context.verify_mode = ssl.CERT_OPTIONAL
        server = Server(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            server.shutdown()
            thread.join()
            server.server_close()


def at_url(port: int, authority: bytes) -> dict[str, Any]:
    """How the API server reaches a webhook on loopback."""
    return {"url": f"https://127.0.0.1:{port}/validate", "caBundle": base64.b64encode(authority).decode()}


def only_in(namespace: str) -> dict[str, Any]:
    """What selects one namespace: tests do not get in each other's way."""
    known = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
    return {"matchExpressions": [known]}


@contextmanager
def registered(plane: Kubernetes, document: Mapping[str, Any]) -> Iterator[None]:
    """A webhook configuration that is gone afterwards. When it takes effect is for the caller to find out."""
    made = plane.made(document)
    try:
        yield
    finally:
        plane.call("DELETE", plane.path(document, name=made["metadata"]["name"]))


def pod(image: str, name: str = "", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name or fresh("pod")},
        "spec": {"containers": [{"name": "main", "image": image}], **spec},
    }


@functools.cache
def _of_the_chart() -> str:
    return json.dumps(one(rendered(), KIND))


def configuration(client: Mapping[str, Any], namespace: str, **more: Any) -> dict[str, Any]:
    """The registration that the chart makes, for a webhook elsewhere and one namespace alone."""
    document: dict[str, Any] = json.loads(_of_the_chart())
    document["metadata"]["name"] = fresh("gate")
    for webhook in document["webhooks"]:
        webhook |= {"clientConfig": dict(client), "namespaceSelector": only_in(namespace), **more}
    return document


def in_force(plane: Kubernetes, liar: Liar, namespace: str) -> None:
    """Waits until the API server asks the webhook."""
    before = len(liar.seen)

    def asks() -> bool:
        answer = plane.create(pod("registry.test/app:1"), namespace, "?dryRun=All")
        return len(liar.seen) > before or answer.status != 201

    until(asks, "the webhook is asked")
