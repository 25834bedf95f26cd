"""The virtual Sigstore behind HTTP on loopback, for the unmodified library to sign against.

It answers as Fulcio (v2), Rekor (v1 and v2), a timestamp authority and the token endpoint of a CI system do.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509

from tests.support.virtual_sigstore import BEGAN, ISSUER, Person, VirtualSigstore, dsse_entry, pem

TOKEN_KEY = "a key of nobody, for tokens that nobody verifies"


@dataclass
class Served:
    """A running instance. `person` is whom its tokens are about; `asked` are the paths that were asked for."""

    sigstore: VirtualSigstore
    url: str
    person: Person = field(default_factory=Person)
    asked: list[str] = field(default_factory=list)
    fails: dict[str, int] = field(default_factory=dict)
    """The status with which a path is answered instead."""
    damage: Any = None
    """Changes a log entry before it is given out."""

    def trust_config(self, rekor: int = 1, *, stamped: bool = True) -> dict[str, Any]:
        """The client trust configuration that a team hands out."""
        valid = {"start": BEGAN.strftime("%Y-%m-%dT%H:%M:%SZ")}

        def service(path: str, version: int = 1) -> list[dict[str, Any]]:
            url = self.url + path
            return [{"url": url, "majorApiVersion": version, "validFor": valid, "operator": "virtual.test"}]

        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.sigstore.trusted_root(),
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": service(""),
                "oidcUrls": service("/oidc"),
                "rekorTlogUrls": service("", rekor),
                "tsaUrls": service("/ts") if stamped else [],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaConfig": {"selector": "ANY"},
            },
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a CI job finds in its environment."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the job",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token",
        }

    def token(self) -> str:
        import jwt

        now = int(time.time())
        claims = {"iss": self.person.issuer, "sub": self.person.subject, "aud": "sigstore"}
        return jwt.encode({**claims, "iat": now, "exp": now + 600}, TOKEN_KEY, algorithm="HS256")

    def answer(self, method: str, path: str, body: bytes) -> tuple[str, bytes]:
        """The content type and body of an answer."""
        found: dict[str, Any] = json.loads(body) if path.startswith("/api/") else {}
        if path == "/token":
            return "application/json", json.dumps({"value": self.token()}).encode()
        if path == "/api/v2/signingCert":
            return "application/json", json.dumps(self._certificates(found)).encode()
        if path == "/api/v1/log/entries":
            return "application/json", json.dumps(self._entry(found)).encode()
        if path == "/api/v2/log/entries":
            return "application/json", json.dumps(self._entry2(found["hashedRekordRequestV002"])).encode()
        if path == "/ts":
            return "application/timestamp-reply", self._timestamp(body)
        raise KeyError(method, path)

    def _certificates(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = x509.load_pem_x509_csr(base64.b64decode(request["certificateSigningRequest"]))
        issued = self.sigstore.issue(wanted.public_key(), self.person, self.sigstore.now())  # type: ignore[arg-type]
        chain = [pem(item).decode() for item in (issued, self.sigstore.authority, self.sigstore.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _entry(self, request: dict[str, Any]) -> dict[str, Any]:
        proposed = request["spec"]["proposedContent"]
        envelope = json.loads(proposed["envelope"])
        signatures = [item["sig"] for item in envelope["signatures"]]
        certificate = base64.b64decode(proposed["verifiers"][0])
        payload = base64.b64decode(envelope["payload"])
        body = dsse_entry(proposed["envelope"].encode(), payload, signatures, certificate)
        entry = self._damaged(self.sigstore.rekor(body, "dsse", self.sigstore.now()))
        proof = entry["inclusionProof"]
        return {
            hashlib.sha256(body).hexdigest(): {
                "body": entry["canonicalizedBody"],
                "integratedTime": int(entry["integratedTime"]),
                "logID": self.sigstore.rekor_id.hex(),
                "logIndex": int(entry["logIndex"]),
                "verification": {
                    "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
                    "inclusionProof": {
                        "checkpoint": proof["checkpoint"]["envelope"],
                        "hashes": [base64.b64decode(item).hex() for item in proof["hashes"]],
                        "logIndex": int(proof["logIndex"]),
                        "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                        "treeSize": int(proof["treeSize"]),
                    },
                },
            }
        }

    def _entry2(self, request: dict[str, Any]) -> dict[str, Any]:
        raw = request["signature"]["verifier"]["x509Certificate"]["rawBytes"]
        certificate = x509.load_der_x509_certificate(base64.b64decode(raw))
        signature = base64.b64decode(request["signature"]["content"])
        return self._damaged(self.sigstore.rekor2(base64.b64decode(request["digest"]), signature, certificate))

    def _damaged(self, entry: dict[str, Any]) -> dict[str, Any]:
        return entry if self.damage is None else dict(self.damage(entry))

    def _timestamp(self, body: bytes) -> bytes:
        from asn1crypto import tsp

        query = tsp.TimeStampReq.load(body)
        digest = query["message_imprint"]["hashed_message"].native
        return self.sigstore.tsa.timestamp(digest, self.sigstore.now(), query["nonce"].native)


@contextlib.contextmanager
def served(person: Person | None = None) -> Iterator[Served]:
    """A new instance on a port of its own, gone at the end."""
    instance = Served(VirtualSigstore(), "")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:  # says nothing
            return

        def respond(self) -> None:
            path = self.path.partition("?")[0]
            instance.asked.append(path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, data = instance.fails.get(path, 0), "application/json", b"{}"
            if not status:
                kind, data = instance.answer(self.command, path, body)
                status = 201 if self.command == "POST" and path != "/ts" else 200
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = respond  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    instance.url = f"http://127.0.0.1:{server.server_port}"
    instance.person = person or Person(issuer=ISSUER)
    try:
        yield instance
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
