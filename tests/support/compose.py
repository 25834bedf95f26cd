"""The OPA server of `docker-compose.yml`, started from the pinned program with the very arguments that stand there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gate.app.policy_bundle import BuildRequest, build_bundle
from tests.support.liar import Authority
from tests.support.opa_server import ROOT, OpaServer, listening

COMPOSE = ROOT / "docker-compose.yml"
TOKEN = "0123456789abcdef" * 4
PLACES = {
    "policy-key": "policy.pub",
    "opa-certificate": "opa.crt",
    "opa-key": "opa.key",
    "opa-ca": "ca.crt",
    "opa-token": "opa.token",
}


def services() -> Mapping[str, Any]:
    """The services of the compose file, as they are written."""
    value: Mapping[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return value


@dataclass(frozen=True)
class Deployment:
    """What the compose file mounts, made as the how-to says: a signed bundle, TLS and a token."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Deployment:
        authority = Authority(folder)
        authority.issue("opa", "opa", "localhost", "127.0.0.1")
        key = ec.generate_private_key(ec.SECP256R1())
        private = folder / "policy.key"
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        private.chmod(0o600)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "policy.pub").write_bytes(public)
        token = folder / "opa.token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        build_bundle(BuildRequest(ROOT, folder / "policy.tar.gz", str(private), 1, ("rego",)), lambda _: "")
        return cls(folder)

    @property
    def ca(self) -> Path:
        """The file of the authority that vouches for the server."""
        return self.folder / "ca.crt"

    @property
    def token_file(self) -> Path:
        return self.folder / "opa.token"

    def arguments(self) -> list[str]:
        """Those after `run --server`, with this folder's files; the address is given by whoever starts it."""
        run, server, *rest = services()["opa"]["command"]
        assert (run, server) == ("run", "--server")
        return [self.placed(text) for text in rest if not text.startswith("--addr=")]

    def placed(self, text: str) -> str:
        """A text of the compose file with this folder's paths."""
        for secret, name in PLACES.items():
            text = text.replace(f"/run/secrets/{secret}", str(self.folder / name))
        return text.replace("/policy/", f"{self.folder}/")

    def start(self, *more: str, without: str = "", token: str | None = TOKEN) -> OpaServer:
        """The server, ready; `without` leaves out the arguments that begin so."""
        arguments = [text for text in self.arguments() if not (without and text.startswith(without))]
        variables = {} if token is None else {"GATE_OPA_TOKEN": token}
        return OpaServer(*arguments, *more, ready=listening, environment={"PATH": os.environ["PATH"], **variables})
