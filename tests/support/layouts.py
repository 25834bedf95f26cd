"""OCI layouts on disk, good until a test spoils one, and what cosign attaches, made without the gate's code."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.hostile_registry import described, encode
from tools.scenario_evidence import Key

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
STATEMENT = "application/vnd.in-toto+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
NAME = "org.opencontainers.image.ref.name"


class LayoutFolder:
    """A layout with one image of two layers. `index` is what its `index.json` lists; `write` writes that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.config = self.put(b'{"architecture":"amd64","os":"linux"}', CONFIG)
        self.layers = [self.put(data, LAYER) for data in (b"first layer", b"second layer")]
        self.image = self.put_manifest(config=self.config, layers=self.layers)
        self.index: list[dict[str, Any]] = [self.image]
        self.write()

    @property
    def digest(self) -> str:
        return str(self.image["digest"])

    def blob(self, item: Mapping[str, Any]) -> Path:
        return self.blobs / str(item["digest"]).partition(":")[2]

    def put(self, data: bytes, kind: str, **more: Any) -> dict[str, Any]:
        """Stores a blob; its descriptor."""
        item = {**described(data, kind), **more}
        self.blob(item).write_bytes(data)
        return item

    def put_manifest(self, **members: Any) -> dict[str, Any]:
        document = {"schemaVersion": 2, "mediaType": MANIFEST, **members}
        return self.put(encode(document), MANIFEST)

    def put_index(self, *items: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(items), **members}
        return self.put(encode(document), INDEX)

    def write(self, **members: Any) -> None:
        """Writes `index.json`."""
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.index, **members}
        (self.folder / "index.json").write_text(json.dumps(document))

    def list(self, item: Mapping[str, Any], **annotations: str) -> dict[str, Any]:
        """Lists something in `index.json`; underscores in the names of annotations stand for dots."""
        named = {name.replace("__", "/").replace("_", "."): text for name, text in annotations.items()}
        self.index.append({**item, "annotations": named} if named else dict(item))
        self.write()
        return dict(item)

    def name(self, item: Mapping[str, Any], suffix: str) -> dict[str, Any]:
        """Lists something under the tag that cosign gives it."""
        self.index.append({**item, "annotations": {NAME: self.digest.replace(":", "-") + suffix}})
        self.write()
        return dict(item)

    def attached(self, *layers: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Stores a manifest that holds attachments."""
        config = self.put(b"{}", CONFIG)
        return self.put_manifest(config=config, layers=list(layers), **members)

    def referrer(self, data: bytes, kind: str = BUNDLE, **members: Any) -> dict[str, Any]:
        """Stores a manifest that refers to the image."""
        return self.put_manifest(
            **{
                "artifactType": kind,
                "config": self.put(b"{}", EMPTY),
                "layers": [self.put(data, kind)],
                "subject": self.image,
                **members,
            }
        )

    def signature(self, key: Key, digest: str = "", **more: str) -> dict[str, Any]:
        """Stores a simple-signing layer that a key signed, by default about the image."""
        payload = simple_signing(digest or self.digest)
        return self.put(payload, SIMPLE_SIGNING, annotations={SIGNATURE: b64(key.sign(payload)), **more})


def simple_signing(digest: str, **more: Any) -> bytes:
    """What cosign signs for an image."""
    critical = {
        "identity": {"docker-reference": "registry.example/team/app"},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return encode({"critical": critical, "optional": None, **more})


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
