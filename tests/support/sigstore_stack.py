"""A real Sigstore on loopback: Fulcio, Rekor v2 and a timestamp authority, as `tools/sigparts` pins and builds them.

Written here are only the token issuer and the certificate log that Fulcio asks.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import struct
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jwt
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.virtual_sigstore import PublicKey, b64, der, spki

POISON: Final = "1.3.6.1.4.1.11129.2.4.3"
REKOR: Final = "rekor.test"
REPOSITORY: Final = "https://github.com/acme/model"
REF: Final = "acme/model/.github/workflows/release.yml@refs/tags/v1"
# Fulcio writes the host of a GitHub workflow itself.
SUBJECT: Final = f"https://github.com/{REF}"
MAIL: Final = "dev@example.test"
_PATIENCE_S: Final = 60


@dataclass
class Stack:
    """The running services. `workflow` says whether tokens are those of a workflow, or of a person."""

    folder: Path
    services: dict[str, str] = field(default_factory=dict)
    issuer: str = ""
    workflow: bool = True
    oidc_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    ct_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    rekor_key: ed25519.Ed25519PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    began: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=5))

    @property
    def issuer_of_tokens(self) -> str:
        return f"{self.issuer}/actions" if self.workflow else self.issuer

    @property
    def environment(self) -> dict[str, str]:
        """What a CI job finds in its environment."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the job",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.issuer}/token",
        }

    def token(self) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {"sub": "1", "email": MAIL, "email_verified": True}
        if self.workflow:
            claims = {
                "sub": "repo:acme/model:ref:refs/tags/v1",
                **dict.fromkeys(("job_workflow_ref", "workflow_ref"), REF),
                **dict.fromkeys(("sha", "job_workflow_sha", "workflow_sha"), "1" * 40),
                "event_name": "push",
                "repository": "acme/model",
                "workflow": "release",
                "ref": "refs/tags/v1",
                "runner_environment": "github-hosted",
                "repository_visibility": "public",
                "repository_id": "1",
                "repository_owner": "acme",
                "repository_owner_id": "2",
                "run_id": "3",
                "run_attempt": "1",
            }
        claims |= {"iss": self.issuer_of_tokens, "aud": "sigstore", "iat": now, "nbf": now, "exp": now + 300}
        return jwt.encode(claims, self.oidc_key, algorithm="ES256", headers={"kid": "k"})

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """What the token issuer and the certificate log say."""
        if path == "/token":
            return {"value": self.token()}
        if path.endswith("/.well-known/openid-configuration"):
            base = self.issuer + ("/actions" if path.startswith("/actions/") else "")
            endpoints = dict.fromkeys(("issuer", "authorization_endpoint", "token_endpoint"), base)
            kinds = {"response_types_supported": ["id_token"], "subject_types_supported": ["public"]}
            signing = {"id_token_signing_alg_values_supported": ["ES256"]}
            return {**endpoints, "jwks_uri": f"{self.issuer}/keys", **kinds, **signing}
        if path == "/keys":
            key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.oidc_key.public_key()))
            return {"keys": [{**key, "kid": "k", "alg": "ES256", "use": "sig"}]}
        return self._promise([base64.b64decode(item) for item in json.loads(body)["chain"]])

    def _promise(self, chain: Sequence[bytes]) -> dict[str, Any]:
        """RFC 6962: a promise over the precertificate without its poison, and the hash of its issuer's key."""
        body = asn1_x509.Certificate.load(chain[0])["tbs_certificate"]
        kept = [item for item in body["extensions"] if item["extn_id"].dotted != POISON]
        body["extensions"] = asn1_x509.Extensions(kept)
        raw, at_ms = body.dump(force=True), int(time.time() * 1000)
        issuer = hashlib.sha256(spki(public_key(x509.load_der_x509_certificate(chain[1])))).digest()
        signed = struct.pack("!BBQH", 0, 0, at_ms, 1) + issuer + len(raw).to_bytes(3) + raw + b"\0\0"
        signature = self.ct_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return {
            "sct_version": 0,
            "id": b64(hashlib.sha256(spki(self.ct_key.public_key())).digest()),
            "timestamp": at_ms,
            "extensions": "",
            "signature": b64(b"\4\3" + struct.pack("!H", len(signature)) + signature),
        }

    def trusted_root(self) -> dict[str, Any]:
        valid = {"start": self.began.strftime("%Y-%m-%dT%H:%M:%SZ")}
        bundle = json.loads(fetch(f"{self.services['fulcio']}/api/v2/trustBundle"))
        roots = "".join(text for chain in bundle["chains"] for text in chain["certificates"])
        stamps = fetch(f"{self.services['tsa']}/api/v1/timestamp/certchain")

        def log(url: str, key: PublicKey, details: str, key_id: bytes) -> dict[str, Any]:
            public = {"rawBytes": b64(spki(key)), "keyDetails": details, "validFor": valid}
            return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": {"keyId": b64(key_id)}}

        def authority(name: str, pems: bytes) -> dict[str, Any]:
            certificates = [{"rawBytes": b64(der(item))} for item in x509.load_pem_x509_certificates(pems)]
            subject = {"organization": "test", "commonName": name}
            url = self.services[name]
            return {"subject": subject, "uri": url, "certChain": {"certificates": certificates}, "validFor": valid}

        ct, rekor = self.ct_key.public_key(), self.rekor_key.public_key()
        rekor_id = hashlib.sha256(f"{REKOR}\n\x01".encode() + rekor.public_bytes_raw()).digest()
        ct_id = hashlib.sha256(spki(ct)).digest()
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(f"https://{REKOR}", rekor, "PKIX_ED25519", rekor_id)],
            "certificateAuthorities": [authority("fulcio", roots.encode())],
            "ctlogs": [log(f"{self.issuer}/log", ct, "PKIX_ECDSA_P256_SHA_256", ct_id)],
            "timestampAuthorities": [authority("tsa", stamps)],
        }

    def signing_config(self) -> dict[str, Any]:
        valid = {"start": self.began.strftime("%Y-%m-%dT%H:%M:%SZ")}

        def service(url: str, version: int = 1) -> list[dict[str, Any]]:
            return [{"url": url, "majorApiVersion": version, "validFor": valid, "operator": "test"}]

        return {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": service(self.services["fulcio"]),
            "oidcUrls": service(self.issuer),
            "rekorTlogUrls": service(self.services["rekor"], 2),
            "tsaUrls": service(f"{self.services['tsa']}/api/v1/timestamp"),
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaConfig": {"selector": "ANY"},
        }

    def trust_config(self) -> dict[str, Any]:
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.trusted_root(),
            "signingConfig": self.signing_config(),
        }


def public_key(certificate: x509.Certificate) -> PublicKey:
    found = certificate.public_key()
    assert isinstance(found, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey)
    return found


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        return bytes(response.read())


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def helper(stack: Stack) -> Iterator[str]:
    """The token issuer and the certificate log."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:  # says nothing
            return

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            data = json.dumps(stack.answer(self.path.partition("?")[0], body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = respond  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def running(programs: Path, folder: Path) -> Iterator[Stack]:
    """The services in a folder of their own; they have ended when this ends."""
    stack, ports = Stack(folder), {name: free_port() for name in ("fulcio", "rekor", "tsa", "a", "b", "c", "d")}
    pem = stack.rekor_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "rekor.pem").write_bytes(pem)
    with helper(stack) as issuer, contextlib.ExitStack() as ended:
        stack.issuer = issuer
        issuers = {
            url: {"IssuerURL": url, "ClientID": "sigstore", "Type": kind}
            for url, kind in ((issuer, "email"), (f"{issuer}/actions", "github-workflow"))
        }
        (folder / "fulcio.json").write_text(json.dumps({"OIDCIssuers": issuers}), "utf-8")
        for name, (program, *options) in commands(folder, issuer, ports).items():
            ended.enter_context(started([str(programs / program), *options], folder / f"{name}.log"))
            stack.services[name] = f"http://127.0.0.1:{ports[name]}"
        for name, path in (("fulcio", "/healthz"), ("rekor", "/healthz"), ("tsa", "/ping")):
            wait_for(stack.services[name] + path, folder / f"{name}.log")
        yield stack


def commands(folder: Path, issuer: str, ports: Mapping[str, int]) -> dict[str, list[str]]:
    here = "127.0.0.1"
    fulcio = ["--ca=ephemeralca", f"--ct-log-url={issuer}/log", f"--config-path={folder}/fulcio.json"]
    fulcio += [f"--host={here}", f"--port={ports['fulcio']}", f"--grpc-host={here}", f"--grpc-port={ports['a']}"]
    fulcio += [f"--metrics-port={ports['b']}", f"--legacy-unix-domain-socket={folder}/fulcio.sock"]
    rekor = [f"--hostname={REKOR}", f"--storage-dir={folder}/rekor", f"--signer-filepath={folder}/rekor.pem"]
    rekor += [f"--http-port={ports['rekor']}", f"--grpc-port={ports['c']}", f"--http-metrics-port={ports['d']}"]
    rekor += ["--checkpoint-interval=200ms", "--batch-max-age=20ms", "--log-level=warn"]
    tsa = [f"--host={here}", f"--port={ports['tsa']}", "--timestamp-signer=memory", "--disable-ntp-monitoring"]
    return {
        "fulcio": ["fulcio", "serve", *fulcio],
        "rekor": ["posix", "serve", *rekor],
        "tsa": ["timestamp-server", "serve", *tsa],
    }


@contextlib.contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(url: str, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            fetch(url)
            return
        time.sleep(0.05)
    raise TimeoutError(f"{url}: {log.read_text(errors='replace')[-2000:]}")
