"""The webhook's Pod of a Deployment as a process on loopback: what a node would do for it, and no more.

The process gets the arguments that the Deployment says, and its volumes as a node lays them: what is in a config map
or a secret appears all at once, behind a link that is exchanged.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.kube import Kubernetes, Started, until

_DATA: Final = "..data"
_GENERATIONS: Final = itertools.count()
STOP_S: Final = 30.0


def project(files: Mapping[str, bytes], folder: Path, mode: int = 0o444) -> None:
    """Lays files into a folder all at once, as a node does."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f"..generation-{next(_GENERATIONS)}"
    for name, data in files.items():
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    link = folder / _DATA
    old = link.resolve() if link.is_symlink() else None
    (folder / f"{_DATA}-new").symlink_to(new.name)
    (folder / f"{_DATA}-new").replace(link)
    for top in {name.partition("/")[0] for name in files}:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(f"{_DATA}/{top}")
    if old is not None:
        shutil.rmtree(old)


@dataclass
class Pod:
    """The one container of a Deployment that serves. `address` is that of the Service in front of it."""

    plane: Kubernetes
    folder: Path
    namespace: str
    deployment: str
    address: str
    port: int = 443
    _started: Started | None = field(default=None, init=False)

    @property
    def _spec(self) -> dict[str, Any]:
        kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
        document = self.plane.call("GET", self.plane.path(kind, self.namespace, self.deployment)).document
        spec: dict[str, Any] = document["spec"]["template"]["spec"]
        return spec

    def refresh(self) -> None:
        """Lays the volumes as they are now."""
        for volume in self._spec["volumes"]:
            folder = self.folder / "volumes" / volume["name"]
            kind = next(name for name in volume if name != "name")
            if kind in {"configMap", "secret"}:
                source = volume[kind]
                mode = source.get("defaultMode", 0o644)
                project(self._files(kind, source), folder, mode)
            else:
                folder.mkdir(parents=True, exist_ok=True)

    def _files(self, kind: str, source: Mapping[str, Any]) -> dict[str, bytes]:
        name = source["name" if kind == "configMap" else "secretName"]
        document = {"apiVersion": "v1", "kind": "ConfigMap" if kind == "configMap" else "Secret"}
        answer = self.plane.call("GET", self.plane.path(document, self.namespace, name))
        assert answer.status == 200, f"{self.deployment} has a volume that is not there: {answer.message}"
        texts, encoded = answer.document.get("data") or {}, answer.document.get("binaryData") or {}
        if kind == "secret":
            texts, encoded = {}, texts
        found = {key: text.encode() for key, text in texts.items()}
        found |= {key: base64.b64decode(text) for key, text in encoded.items()}
        if "items" in source:
            return {item["path"]: found[item["key"]] for item in source["items"]}
        return found

    def start(self, *, probe: str = "/readyz") -> None:
        """Starts it and waits until it is ready, or alive if that is what is asked."""
        assert self._started is None
        spec = self._spec
        self.refresh()
        (container,) = spec["containers"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        for item in container.get("env", []):
            environment[item["name"]] = self._placed(item["value"], container["volumeMounts"])
        arguments = [self._argument(text, container["volumeMounts"]) for text in container["args"]]
        command = [sys.executable, "-m", "gate", *arguments]
        self._started = Started(command, self.folder / "webhook.log", environment)
        until(lambda: self.started.ended or self.asks(probe)[0] == 200, f"the webhook says yes to {probe}")
        assert not self._started.ended, self._started.said

    def _argument(self, text: str, mounts: Sequence[Mapping[str, Any]]) -> str:
        name, _, value = text.partition("=")
        if name == "--host":
            return f"--host={self.address}"
        if name == "--port":
            return f"--port={self.port}"
        return f"{name}={self._placed(value, mounts)}" if value else name

    def _placed(self, path: str, mounts: Sequence[Mapping[str, Any]]) -> str:
        """Where a path of the container is here."""
        for mount in mounts:
            top = mount["mountPath"]
            if path == top or path.startswith(f"{top}/"):
                return f"{self.folder}/volumes/{mount['name']}{path[len(top) :]}"
        return path

    @property
    def started(self) -> Started:
        assert self._started is not None
        return self._started

    def asks(self, path: str) -> tuple[int, str]:
        """What the port for probes says; 0 when nothing answers."""
        connection = http.client.HTTPConnection(self.address, 8080, timeout=10)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        return 0, ""

    def look(self) -> None:
        """Lays the volumes anew, and has the webhook look at its files now."""
        self.refresh()
        self.started.signal(signal.SIGHUP)

    def logged(self) -> list[dict[str, Any]]:
        """The lines that it wrote."""
        return [json.loads(line) for line in self.started.said.splitlines()]

    def kill(self) -> None:
        """As a node that loses its power."""
        self.started.process.kill()
        self.started.process.wait()
        self._started = None

    def stop(self) -> None:
        """Has it end soon: it does not wait for those that may still ask."""
        if self._started is not None:
            if not self._started.ended:
                self._started.signal(signal.SIGINT)
            self._started.wait(STOP_S)
            self._started = None


def may_listen(address: str, port: int) -> bool:
    """Ports below 1024 are not for everybody everywhere."""
    try:
        with socket.create_server((address, port)):
            return True
    except PermissionError:
        return False
