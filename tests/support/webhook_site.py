"""A folder that `gate webhook serve` is started in: configuration, keys, a log, and a registry with signed evidence."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.formats.rfc3339 import format_time
from gate.model.digest import Digest
from tests.support.admission import body, pod
from tests.support.certificates import Authority, Pair
from tests.support.registries import Registry
from tests.support.webhook import Process
from tools.scenario_evidence import BUNDLE, bundle, key, provenance, statement

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
CONTROLS = ("artifact.pinned", "evidence.accepted", "container.signed", "container.provenance", "deploy.image_pinned")
SIGNERS = {"release": '["artifact.signature"]', "builder": '["build.*"]', "breaker": '["admission.break_glass"]'}


def about(digest: Digest) -> list[dict[str, Any]]:
    return [{"name": "app", "digest": {"sha256": digest.removeprefix("sha256:")}}]


def signature(digest: Digest, signer: str = "release") -> bytes:
    """A signature of an image."""
    return bundle(statement(SIGNATURE, about(digest), {}), key(signer))


def built(digest: Digest, signer: str = "builder") -> bytes:
    """Provenance of an image, of an hour ago."""
    finished = format_time(int(time.time()) - 3600)
    return bundle(provenance(about(digest), finished=finished), key(signer))


@dataclass
class Site:
    """The folder, and the registry that it trusts."""

    root: Path
    registry: Registry
    admission: str = ""
    policy: str = ""

    def configure(
        self, *, controls: tuple[str, ...] = CONTROLS, admission: Mapping[str, Any] | None = None, record: bool = True
    ) -> None:
        """Writes `gate.yaml` and what it names."""
        (self.root / "keys").mkdir(exist_ok=True)
        for name in SIGNERS:
            (self.root / "keys" / f"{name}.pub").write_bytes(key(name).pem)
        modes = {name: {"mode": "enforce"} for name in controls}
        self.write("profile.yaml", {"name": "own", "description": "Of a test.", "controls": modes})
        document: dict[str, Any] = {
            "version": 1,
            "target": "deployment",
            "environment": "production",
            "profile": "profile.yaml",
            "trust": {
                "signers": {
                    name: {"key": f"keys/{name}.pub", "claims": json.loads(claims)} for name, claims in SIGNERS.items()
                }
            },
            "admission": {
                "registries": {self.registry.host: {"insecure": True, "private": True}},
                **(admission or {}),
            },
        }
        if record:
            document["record"] = {"sqlite": ".gate/record/decisions.db"}
        self.write("gate.yaml", document)

    def write(self, name: str, value: object) -> None:
        """A file, in one step, as configuration is laid out in clusters."""
        new = self.root / f".{name}.new"
        new.write_text(json.dumps(value), "utf-8")
        new.replace(self.root / name)

    def image(self, layer: str, *evidence: str) -> str:
        """An image of one layer, with what is attached to it: `signature`, `provenance`, and `stranger`'s of either."""
        digest = self.registry.put_image(layer.replace(" ", "-"), layer.encode())
        made = {
            "signature": lambda: signature(digest),
            "provenance": lambda: built(digest),
            "stranger": lambda: signature(digest, "stranger"),
        }
        for name in evidence:
            self.registry.attach(digest, made[name](), BUNDLE)
        return f"{self.registry.repository}@{digest}"

    def good(self, layer: str = "good") -> str:
        """An image with everything that is asked for."""
        return self.image(layer, "signature", "provenance")

    def review(self, *images: str, uid: str = "u-1", **spec: Any) -> bytes:
        """A review of a pod of these images."""
        return body(pod(*images, **spec), uid)

    def serve(self, pair: Pair, *options: str, **environment: str) -> Process:
        """The program, as it is run in a cluster."""
        command = [sys.executable, "-m", "gate", "webhook", "serve", "--host", "127.0.0.1", "--port", "0"]
        command += ["--health-port", "0", "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)]
        command += ["--root", str(self.root), "--watch-s", "0.2", "--linger-s", "0", *options]
        return Process(command, self.root, environment)


__all__ = ["CONTROLS", "Authority", "Site", "built", "signature"]
