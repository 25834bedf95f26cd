"""Real registries on loopback, each with a port of its own, that end for sure; and a client of them that is not ours.

Debian's `docker-registry` 2.8.2 has no referrers API. `tools/ociparts` serves two others that have one.
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gate.formats.oci import EMPTY, INDEX, MANIFEST
from gate.model.digest import Digest, sha256_digest

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
ATTEMPTS = 5
REPOSITORY = "team/app"
CONFIG = b'{"architecture":"amd64","os":"linux"}'
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


@functools.cache
def ociparts() -> str:
    """The path of the registries' program, built once."""
    command = [sys.executable, str(ROOT / "tools/build.py"), "ociparts"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def docker_registry() -> str:
    """The path of Debian's registry, which `.ci/run` installs."""
    found = shutil.which("docker-registry")
    assert found is not None, "docker-registry is not installed: apt-get install docker-registry"
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


class Registry:
    """A registry's process, ready when this returns. Use it as a context manager.

    `kind` is `debian`, or `cue` or `ggcr` with options of `tools/ociparts`.
    """

    def __init__(self, folder: Path, kind: str, *options: str) -> None:
        self._folder, self.kind, self.options = folder, kind, options
        # Between the choice of a port and its use somebody else may take it; then the registry ends by itself.
        for _ in range(ATTEMPTS):
            self.port = free_port()
            self._process = self._start()
            if self._wait():
                return
            self.close()
        raise AssertionError(f"{kind} does not start")

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def has_api(self) -> bool:
        """Whether it answers what refers to an image."""
        return self.kind != "debian" and "no-referrers" not in self.options

    @property
    def repository(self) -> str:
        return f"{self.host}/{REPOSITORY}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kills the process and waits for its end."""
        self._process.kill()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        if self.kind == "debian":
            config = self._folder / f"registry-{self.port}.yml"
            config.write_text(
                json.dumps(
                    {
                        "version": 0.1,
                        "log": {"level": "error"},
                        "storage": {"filesystem": {"rootdirectory": str(self._folder / f"stored-{self.port}")}},
                        "http": {"addr": self.host},
                    }
                )
            )
            command = [docker_registry(), "serve", str(config)]
        else:
            command = [ociparts(), f"serve-{self.kind}", self.host, *self.options]
        with Path(os.devnull).open("ab") as log:
            environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder)}
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def _wait(self) -> bool:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if self.call("GET", "/v2/")[0] == 200:
                    return self._process.poll() is None
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        return False

    # --- a client as plain as it can be -------------------------------------------------------------------------------

    def call(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def put_blob(self, data: bytes, repository: str = REPOSITORY) -> dict[str, Any]:
        """Stores a blob; its descriptor without a media type."""
        status, headers, _ = self.call("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202
        where = headers["location"].partition(f":{self.port}")[2] or headers["location"]
        where += f"{'&' if '?' in where else '?'}digest={sha256_digest(data).replace(':', '%3A')}"
        status, _, text = self.call("PUT", where, data, Content_Type="application/octet-stream")
        assert status == 201, text
        return {"digest": sha256_digest(data), "size": len(data)}

    def put_manifest(
        self, document: object, reference: str = "", repository: str = REPOSITORY, kind: str = MANIFEST
    ) -> Digest:
        data = json.dumps(document, separators=(",", ":")).encode()
        digest = sha256_digest(data)
        path = f"/v2/{repository}/manifests/{reference or digest}"
        status, _, text = self.call("PUT", path, data, Content_Type=kind)
        assert status == 201, text
        return digest

    def put_image(self, tag: str = "v1", layer: bytes = b"layer") -> Digest:
        """Stores an image of one layer; its digest."""
        config = {"mediaType": CONFIG_TYPE, **self.put_blob(CONFIG)}
        layers = [{"mediaType": LAYER_TYPE, **self.put_blob(layer)}]
        return self.put_manifest(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}, reference=tag
        )

    def attach(self, subject: Digest, data: bytes, kind: str, *, size: int = 1, **changes: Any) -> Digest:
        """Stores something that refers to an image; where there is no referrers API, a tag lists it."""
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": kind,
            "config": {"mediaType": EMPTY, **self.put_blob(b"{}")},
            "layers": [{"mediaType": kind, **self.put_blob(data)}],
            "subject": {"mediaType": MANIFEST, "digest": subject, "size": size},
            **changes,
        }
        digest = self.put_manifest(document)
        if not self.has_api:
            size = len(json.dumps(document, separators=(",", ":")))
            entry = {"mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": kind}
            entries = [*self.listed(subject), entry]
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
            self.put_manifest(index, reference=subject.replace(":", "-"), kind=INDEX)
        return digest

    def listed(self, subject: Digest) -> list[dict[str, Any]]:
        """What the tag lists that stands for the referrers API."""
        path = f"/v2/{REPOSITORY}/manifests/{subject.replace(':', '-')}"
        status, _, data = self.call("GET", path, Accept=INDEX)
        return list(json.loads(data)["manifests"]) if status == 200 else []

    def oras(self, *arguments: str) -> list[Any]:
        """What the client of another making says, line by line."""
        done = subprocess.run([ociparts(), *arguments], capture_output=True, text=True, check=True, timeout=60)
        return [json.loads(line) if line.startswith("{") else line for line in done.stdout.splitlines()]
