"""Servers on loopback that answer as OPA never would, and certificates for those that do."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Behaviour = Callable[[socket.socket], None]


class Liar:
    """A server that reads each request whole and then does as it likes. `requests` are those it got."""

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behaviour, self._tls = behaviour, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.requests: list[bytes] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(20)
                try:
                    self._talk(connection)
                except OSError:
                    continue

    def _talk(self, connection: socket.socket) -> None:
        if self._tls is None:
            self.requests.append(_request(connection))
            self._behaviour(connection)
            return
        with self._tls.wrap_socket(connection, server_side=True) as secure:
            self.requests.append(_request(secure))
            self._behaviour(secure)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < wanted:
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    block = connection.recv(1 << 16)
    if not block:
        raise ConnectionResetError
    return block


def says(
    body: object, *, status: str = "200 OK", kind: str = "application/json", headers: dict[str, str] | None = None
) -> Behaviour:
    """Answers with some status and content; what is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return lambda connection: connection.sendall(head.encode() + content)


def drips(start: bytes, piece: bytes, pause_s: float = 0.05) -> Behaviour:
    """Sends something, and then a bit more for ever."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            time.sleep(pause_s)
            connection.sendall(piece)

    return behave


class Authority:
    """A certificate authority with files for servers that it vouches for."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test {name}")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._certificate(self._name, self._key.public_key(), [(constraints, True)])
        self.pem = certificate.public_bytes(Encoding.PEM)
        self.path = folder / f"{name}.crt"
        self.path.write_bytes(self.pem)

    def issue(self, name: str, *hosts: str, days: int = 1) -> tuple[Path, Path]:
        """Files of a certificate and its key, for some names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[Any] = [
            x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts
        ]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        extensions = [(x509.SubjectAlternativeName(names), False)]
        certificate = self._certificate(subject, key.public_key(), extensions, days)
        paths = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, extensions: list[tuple[Any, bool]], days: int = 1
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=2))
            .not_valid_after(now + dt.timedelta(days=days))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server needs to show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
