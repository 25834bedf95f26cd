"""Keepers of private keys on this machine: AWS KMS, the transit engine of Vault and Azure Key Vault.

They answer what the real clients ask, make real signatures, and refuse as the real services do: keys that are disabled,
absent, not for signing or not allowed, other versions, sealed and throttled servers.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Answer = tuple[int, dict[str, Any], dict[str, str]]
TOKEN = "t-0123456789"
_SHA = {32: hashes.SHA256, 48: hashes.SHA384}


def spki(key: Private, form: Encoding = Encoding.DER) -> bytes:
    return key.public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)


def sign_digest(key: Private, digest: bytes, *, pss: bool = True) -> bytes:
    hashed = _SHA[len(digest)]()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(digest, ec.ECDSA(utils.Prehashed(hashed)))
    assert isinstance(key, rsa.RSAPrivateKey)
    pad = padding.PSS(mgf=padding.MGF1(hashed), salt_length=len(digest)) if pss else padding.PKCS1v15()
    return key.sign(digest, pad, utils.Prehashed(hashed))


class Keeper:
    """A service on a loopback port. `failures` are told first, one a request; `asked` is what was asked."""

    def __init__(self) -> None:
        self.failures: list[Answer] = []
        self.asked: list[str] = []
        self.url = ""

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        raise NotImplementedError


K = TypeVar("K", bound=Keeper)


@contextmanager
def serving(keeper: K) -> Iterator[K]:
    """The service, up and answering; gone afterwards."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            keeper.asked.append(f"{self.command} {self.path} {headers.get('x-amz-target', '')}".strip())
            if keeper.failures:
                status, value, more = keeper.failures.pop(0)
            else:
                status, value, more = keeper.answer(self.command, self.path, headers, json.loads(body or b"{}"))
            data = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"Content-Type": "application/json", **more, "Content-Length": str(len(data))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_LIST = handle_any  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    keeper.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield keeper
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def aws_error(code: str, status: int = 400) -> Answer:
    return status, {"__type": code, "message": f"about {code}"}, {"Content-Type": "application/x-amz-json-1.1"}


@dataclass
class AwsKey:
    """A key of AWS KMS. `problem` is the exception that every use of it gets."""

    private: Private | None
    problem: str | None = None


class AwsKms(Keeper):
    """GetPublicKey and Sign (RAW and DIGEST), as `TrentService` answers them."""

    def __init__(self, keys: Mapping[str, AwsKey]) -> None:
        super().__init__()
        self.keys = keys

    @staticmethod
    def algorithms(key: Private) -> list[str]:
        if isinstance(key, rsa.RSAPrivateKey):
            return [f"RSASSA_{kind}_SHA_{size}" for kind in ("PKCS1_V1_5", "PSS") for size in (256, 384, 512)]
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return [{"secp384r1": "ECDSA_SHA_384", "secp521r1": "ECDSA_SHA_512"}.get(key.curve.name, "ECDSA_SHA_256")]

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        assert (method, path) == ("POST", "/")
        operation = headers.get("x-amz-target", "").removeprefix("TrentService.")
        key = self.keys.get(body.get("KeyId", ""))
        if key is None:
            return aws_error("NotFoundException")
        if key.problem is not None and not key.problem.startswith(("Sign:", "encrypt")):
            return aws_error(key.problem)
        public: dict[str, Any] = {"KeyId": body["KeyId"], "KeyUsage": "SIGN_VERIFY"}
        if operation == "GetPublicKey":
            assert key.private is not None
            public["PublicKey"] = base64.b64encode(spki(key.private)).decode()
            if key.problem == "encrypt":
                return (
                    200,
                    {**public, "KeyUsage": "ENCRYPT_DECRYPT", "EncryptionAlgorithms": ["RSAES_OAEP_SHA_256"]},
                    {},
                )
            return 200, {**public, "SigningAlgorithms": self.algorithms(key.private)}, {}
        assert operation == "Sign"
        if key.problem is not None:
            return aws_error(key.problem.removeprefix("Sign:"))
        assert key.private is not None
        algorithm = body["SigningAlgorithm"]
        if algorithm not in self.algorithms(key.private):
            return aws_error("InvalidKeyUsageException")
        digest = base64.b64decode(body["Message"])
        if body["MessageType"] != "DIGEST" or len(digest) * 8 != int(algorithm[-3:]):
            return aws_error("ValidationException")
        made = sign_digest(key.private, digest, pss="PSS" in algorithm)
        return 200, {**public, "Signature": base64.b64encode(made).decode(), "SigningAlgorithm": algorithm}, {}


@dataclass
class VaultKey:
    """A key of the transit engine: its type and its versions, the first being version 1. No version: for encryption."""

    kind: str
    versions: list[Private] = field(default_factory=list)


class Vault(Keeper):
    """Reading a key and signing with it, in the transit engine at any mount that `mounts` names."""

    def __init__(self, keys: Mapping[str, VaultKey], mounts: tuple[str, ...] = ("transit",)) -> None:
        super().__init__()
        self.keys, self.mounts, self.sealed = keys, mounts, False
        self.namespaces: list[str | None] = []

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        self.namespaces.append(headers.get("x-vault-namespace"))
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}, {}
        if headers.get("x-vault-token") != TOKEN:
            return 403, {"errors": ["permission denied"]}, {}
        mount, _, rest = path.removeprefix("/v1/").partition("/keys/" if "/keys/" in path else "/sign/")
        key = self.keys.get(rest)
        if mount not in self.mounts or key is None:
            return 404, {"errors": []}, {}
        if "/keys/" in path:
            assert method == "GET"
            return 200, {"data": self.described(rest, key)}, {}
        version = body.get("key_version", len(key.versions))
        private = key.versions[version - 1]
        data = base64.b64decode(body["input"])
        if isinstance(private, ed25519.Ed25519PrivateKey):
            assert body["prehashed"] is False
            made = private.sign(data)
        else:
            expected = {"hash_algorithm": f"sha2-{len(data) * 8}", "prehashed": True, "marshaling_algorithm": "asn1"}
            assert {name: body[name] for name in expected} == expected
            assert (body["signature_algorithm"], body["salt_length"]) == ("pss", "hash")
            made = sign_digest(private, data)
        return 200, {"data": {"signature": f"vault:v{version}:{base64.b64encode(made).decode()}"}}, {}

    @staticmethod
    def described(name: str, key: VaultKey) -> dict[str, Any]:
        keys: dict[str, Any] = {"1": 1795000000}
        if key.versions:
            keys = {str(number): {"public_key": Vault.public(it)} for number, it in enumerate(key.versions, 1)}
        return {"name": name, "type": key.kind, "keys": keys, "latest_version": max(len(key.versions), 1)}

    @staticmethod
    def public(key: Private) -> str:
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return base64.b64encode(key.public_key().public_bytes_raw()).decode()
        return spki(key, Encoding.PEM).decode()


def _web(number: int, size: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(size, "big")).rstrip(b"=").decode()


class AzureVault(Keeper):
    """Reading a version of a key and signing with it; keys are lists of versions, named `v1` and up."""

    HOST = "team.vault.azure.net"

    def __init__(self, keys: Mapping[str, list[Private]]) -> None:
        super().__init__()
        self.keys = keys

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        assert parse_qs(urlsplit(path).query)["api-version"]
        if headers.get("authorization") != f"Bearer {TOKEN}":
            challenge = 'Bearer authorization="https://login.example.com/tenant", resource="https://vault.azure.net"'
            return 401, {"error": {"code": "Unauthorized"}}, {"WWW-Authenticate": challenge}
        _, _, name, version, *operation = [*urlsplit(path).path.split("/"), "", ""][: 5 if method == "POST" else 4]
        versions = self.keys.get(name, [])
        number = int(version[1:]) if version else len(versions)
        if not 1 <= number <= len(versions):
            return 404, {"error": {"code": "KeyNotFound", "message": "not found"}}, {}
        key, kid = versions[number - 1], f"https://{self.HOST}/keys/{name}/v{number}"
        if method == "GET":
            attributes = {"enabled": True, "created": 1795000000, "updated": 1795000000}
            return 200, {"key": {"kid": kid, **self.web_key(key)}, "attributes": attributes}, {}
        assert operation == ["sign"]
        text = body["value"]
        digest = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        made = sign_digest(key, digest)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            assert body["alg"] == {"secp256r1": "ES256", "secp384r1": "ES384"}[key.curve.name]
            r, s = utils.decode_dss_signature(made)
            made = r.to_bytes(len(digest), "big") + s.to_bytes(len(digest), "big")
        else:
            assert body["alg"] == "PS256"
        return 200, {"kid": kid, "value": base64.urlsafe_b64encode(made).rstrip(b"=").decode()}, {}

    @staticmethod
    def web_key(key: Private) -> dict[str, Any]:
        operations = ["sign", "verify"]
        if isinstance(key, rsa.RSAPrivateKey):
            public = key.public_key().public_numbers()
            return {"kty": "RSA", "key_ops": operations, "n": _web(public.n, key.key_size // 8), "e": _web(public.e, 3)}
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        point = key.public_key().public_numbers()
        curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[key.curve.name]
        size = (key.key_size + 7) // 8
        return {"kty": "EC", "crv": curve, "key_ops": operations, "x": _web(point.x, size), "y": _web(point.y, size)}
