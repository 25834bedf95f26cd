"""The server's certificate, and that of the authority of its clients: used anew when their files are others.

A pair is used when it is whole: read, valid now, and the key is that of the certificate. Until then the one before is
used, and it is said why. A connection begins with what is used then, and keeps it.
"""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never

from cryptography import x509

from gate.errors import ConfigError

_LARGEST: Final = 1 << 20
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of TLS 1.3 are all good."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a look at the files."""

    changed: bool
    problem: str | None


class _ProblemError(Exception):
    """The files cannot be used."""


class Certificates:
    """The files, and the context that was made of them last."""

    def __init__(
        self, certificate: Path, key: Path, client_ca: Path | None, now: Callable[[], float] = time.time
    ) -> None:
        """Reads them; raises `ConfigError`."""
        self._files = (certificate, key, *([] if client_ca is None else [client_ca]))
        self._now = now
        try:
            self._digest, contents = self._read()
            self.context, self.ends_at_s = self._made(self._digest, contents)
        except _ProblemError as problem:
            raise ConfigError(str(problem)) from None

    def look(self) -> Looked:
        """Uses what the files hold now, if it is another and can be used."""
        try:
            digest, contents = self._read()
            if digest == self._digest:
                return Looked(changed=False, problem=None)
            self.context, self.ends_at_s = self._made(digest, contents)
        except _ProblemError as problem:
            return Looked(changed=False, problem=str(problem))
        self._digest = digest
        return Looked(changed=True, problem=None)

    def is_valid(self) -> bool:
        """Whether the certificate that is used has not ended."""
        return self._now() < self.ends_at_s

    def _read(self) -> tuple[bytes, list[bytes]]:
        contents = []
        for path in self._files:
            try:
                with path.open("rb") as file:
                    data = file.read(_LARGEST + 1)
            except OSError as error:
                raise _ProblemError(f"{path} cannot be read: {error.strerror}") from None
            begun, ended = data.count(b"-----BEGIN "), data.count(b"-----END ")
            if not begun or begun != ended or len(data) > _LARGEST:
                raise _ProblemError(f"{path} is no whole PEM file")
            contents.append(data)
        return hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in contents)).digest(), contents

    def _made(self, digest: bytes, contents: list[bytes]) -> tuple[ssl.SSLContext, float]:
        try:
            leaf = x509.load_pem_x509_certificates(contents[0])[0]
        except ValueError as error:
            raise _ProblemError(f"{self._files[0]} holds no certificate: {error}") from None
        begins_at, ends_at = (moment.timestamp() for moment in (leaf.not_valid_before_utc, leaf.not_valid_after_utc))
        if not begins_at <= self._now() < ends_at:
            raise _ProblemError(
                f"{self._files[0]} is not valid now, but from {leaf.not_valid_before_utc} to {leaf.not_valid_after_utc}"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        # An API server offers HTTP/2 where it can; it is not spoken here. A session that goes on is not verified again.
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
        context.num_tickets = 0
        try:
            context.load_cert_chain(self._files[0], self._files[1], password=_no_password)
            if len(self._files) == 3:
                context.load_verify_locations(cadata=contents[2].decode("ascii"))
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ValueError) as error:
            raise _ProblemError(f"{', '.join(map(str, self._files))} cannot be used: {_reason(error)}") from None
        if self._read()[0] != digest:
            raise _ProblemError(f"{', '.join(map(str, self._files))} changed while they were read")
        return context, ends_at


def _no_password() -> Never:
    raise ValueError("the key is encrypted, and nobody is there to be asked for its password")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return str(error)
