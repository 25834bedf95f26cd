"""A Kubernetes API server and its store on loopback, as `tools/kube` pins and builds them, and a client of it.

There are no controllers: what is created stays as it is, and a Deployment makes no Pods. That is what tests of
admission want. The addresses of Services are loopback ones too, so that a program of a test can stand for the Pods
behind a Service.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.certificates import Authority
from tests.support.registries import free_port
from tools import build

START_S: Final = 120.0
STOP_S: Final = 3.0
ATTEMPTS: Final = 3
ADMIN: Final = "administrator-of-tests"
PERSON: Final = "person-of-tests"
JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"


@functools.cache
def programs() -> Path:
    """The folder of `kube-apiserver` and `helm`, built once."""
    return build.program("kube")


def etcd() -> str:
    """The path of the store, which `.ci/run` installs."""
    found = shutil.which("etcd")
    assert found is not None, "etcd is not installed: apt-get install etcd-server"
    return found


@dataclass(frozen=True)
class Answer:
    """What the API server said."""

    status: int
    document: dict[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        return str(self.document.get("message", ""))

    def __bool__(self) -> bool:
        raise TypeError("look at `status`")


class Started:
    """A program that ends with this process, at the latest. Its output is in `log`."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        # The kernel ends it if this process is killed.
        setpriv = shutil.which("setpriv")
        bound = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv is not None else []
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*bound, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment if environment is not None else {"PATH": os.environ["PATH"], "HOME": str(log.parent)},
                cwd=log.parent,
            )

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, patience_s: float = STOP_S) -> int:
        """Asks it to end, and kills it if it does not; its exit code."""
        if not self.ended:
            self.process.terminate()
        return self.wait(patience_s)

    def wait(self, patience_s: float) -> int:
        """Waits for its end, and kills it if that does not come; its exit code."""
        try:
            return self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@dataclass
class Kubernetes:
    """The running API server. Use it as a context manager."""

    folder: Path
    authority: Authority = field(init=False)
    port: int = 0
    _running: list[Started] = field(default_factory=list)
    _resources: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(self.folder / "pki")
        # One of the 65,000 networks of 256 loopback addresses.
        self.network = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(256)}"
        self._tls = ssl.create_default_context(cafile=str(self.authority.path))
        self._write_configuration()

    def __enter__(self) -> Self:
        # Between the choice of a port and its use somebody else may take it; then a program ends by itself.
        for attempts_left in reversed(range(ATTEMPTS)):
            with contextlib.ExitStack() as stack:
                stack.callback(self.close)
                try:
                    self._start()
                except ChildProcessError:
                    if not attempts_left:
                        raise
                else:
                    stack.pop_all()
                    break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the API server, then its store."""
        while self._running:
            self._running.pop().stop()

    # --- starting -----------------------------------------------------------------------------------------------------

    def _write(self, name: str, document: object) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(document), "utf-8")
        return path

    def _write_configuration(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "accounts.key").write_bytes(private)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.folder / "accounts.pub").write_bytes(public)
        tokens = f'"{ADMIN}",admin,1,system:masters\n"{PERSON}",person,2,people\n'
        (self.folder / "tokens.csv").write_text(tokens)
        client = self.authority.client("api-server")
        user = {"client-certificate": str(client.certificate), "client-key": str(client.key)}
        shown = {"apiVersion": "v1", "kind": "Config", "users": [{"name": "*", "user": user}]}
        group = "apiserver.config.k8s.io/v1"
        webhooks = {
            "apiVersion": group,
            "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": str(self._write("webhooks.kubeconfig", shown)),
        }
        plugin = {"name": "ValidatingAdmissionWebhook", "configuration": webhooks}
        self._write("admission.json", {"apiVersion": group, "kind": "AdmissionConfiguration", "plugins": [plugin]})
        rules = [{"level": "Metadata"}]
        self._write("audit.json", {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules})

    def _start(self) -> None:
        here, (store, peer, self.port) = "127.0.0.1", (free_port() for _ in range(3))
        url = f"http://{here}:{store}"
        command = [etcd(), f"--data-dir={self.folder}/store-{store}", "--unsafe-no-fsync"]
        command += [f"--listen-client-urls={url}", f"--advertise-client-urls={url}"]
        command += [f"--listen-peer-urls=http://{here}:{peer}", "--log-level=warn"]
        self._run("etcd", command)
        self._wait(lambda: self._is_ready(f"{url}/health"))
        pair = self.authority.server("kube-apiserver")
        command = [str(programs() / "kube-apiserver"), f"--etcd-servers={url}", f"--secure-port={self.port}"]
        command += [f"--bind-address={here}", f"--advertise-address={here}", "--endpoint-reconciler-type=none"]
        command += [f"--tls-cert-file={pair.certificate}", f"--tls-private-key-file={pair.key}"]
        command += [f"--client-ca-file={self.authority.path}", f"--token-auth-file={self.folder}/tokens.csv"]
        command += ["--authorization-mode=RBAC", "--service-account-issuer=https://kubernetes.default.svc"]
        command += [f"--service-account-key-file={self.folder}/accounts.pub"]
        command += [f"--service-account-signing-key-file={self.folder}/accounts.key"]
        command += [f"--service-cluster-ip-range={self.network}.0/24", "--disable-admission-plugins=ServiceAccount"]
        command += [f"--admission-control-config-file={self.folder}/admission.json", "--profiling=false"]
        command += ["--allow-privileged=true"]
        command += [f"--audit-policy-file={self.folder}/audit.json", f"--audit-log-path={self.folder}/audit.log"]
        self._run("kube-apiserver", [*command, "--v=1"])
        self._wait(lambda: self._is_ready(f"https://{here}:{self.port}/readyz"))

    def _run(self, name: str, command: Sequence[str]) -> None:
        self._running.append(Started(command, self.folder / f"{name}.log"))

    def _is_ready(self, url: str) -> bool:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {ADMIN}"})
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5, context=self._tls) as answer:
            return bool(answer.status == 200)
        return False

    def _wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + START_S
        while not condition():
            for started in self._running:
                if started.ended:
                    raise ChildProcessError(f"{started.log.name}: {started.said[-2000:]}")
            if time.monotonic() > end:
                raise TimeoutError(f"{self._running[-1].log.name}: {self._running[-1].said[-2000:]}")
            time.sleep(0.05)

    # --- the client ---------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None, *, kind: str = JSON, token: str = ADMIN) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._tls, timeout=60)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {token}", "Content-Type": kind, "Accept": JSON}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
            is_json = (answer.getheader("Content-Type") or "").startswith(JSON)
            document = json.loads(data) if is_json else {"message": data.decode()}
            return Answer(answer.status, document, tuple(answer.headers.get_all("Warning") or ()))

    def path(self, document: Mapping[str, Any], namespace: str | None = None, name: str = "") -> str:
        """Where objects of this kind are made, or with a name the object itself."""
        version, kind = document["apiVersion"], document["kind"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        found = self._resource(base, kind)
        space = namespace or document.get("metadata", {}).get("namespace") or "default"
        below = f"/namespaces/{space}" if found["namespaced"] else ""
        return f"{base}{below}/{found['name']}" + (f"/{name}" if name else "")

    def _resource(self, base: str, kind: str) -> dict[str, Any]:
        if f"{base} {kind}" not in self._resources:
            for item in self.call("GET", base).document.get("resources", []):
                if "/" not in item["name"]:
                    self._resources[f"{base} {item['kind']}"] = item
        found = self._resources.get(f"{base} {kind}")
        assert found is not None, f"there is no {kind} in {base}"
        return found

    def create(self, document: Mapping[str, Any], namespace: str | None = None, query: str = "") -> Answer:
        return self.call("POST", self.path(document, namespace) + query, document)

    def strict(self, document: Mapping[str, Any], namespace: str | None = None) -> Answer:
        """Whether it would be created, with every field known; nothing is stored."""
        return self.create(document, namespace, "?dryRun=All&fieldValidation=Strict")

    def made(self, document: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Creates what has to be possible; the object as it is stored."""
        answer = self.create(document, namespace)
        assert answer.status == 201, answer
        return answer.document

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """Makes a namespace; its name."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.made({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        return name

    def token(self, account: str, namespace: str) -> str:
        """What a Pod with this service account shows to the API server."""
        kind = {"apiVersion": "v1", "kind": "ServiceAccount"}
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        answer = self.call("POST", self.path(kind, namespace, account) + "/token", asked)
        assert answer.status == 201, answer
        return str(answer.document["status"]["token"])

    def audited(self) -> Iterable[dict[str, Any]]:
        """The events in the audit log, without those that are still being written."""
        for line in (self.folder / "audit.log").read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                event: dict[str, Any] = json.loads(line)
                yield event

    # --- Helm ---------------------------------------------------------------------------------------------------------

    def kubeconfig(self, token: str = ADMIN) -> Path:
        """The file that clients are pointed to."""
        cluster = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.authority.path)}
        return self._write(
            f"{token[-8:]}.kubeconfig",
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "tests",
                "clusters": [{"name": "tests", "cluster": cluster}],
                "users": [{"name": "user", "user": {"token": token}}],
                "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "user"}}],
            },
        )

    def helm(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs Helm against this server."""
        return helm(self.folder, *arguments, KUBECONFIG=str(self.kubeconfig()))


def helm(folder: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Helm with nothing of this machine's settings."""
    home = {"PATH": os.environ["PATH"], "HOME": str(folder / "helm"), "KUBECONFIG": os.devnull}
    command = [str(programs() / "helm"), *map(str, arguments)]
    return subprocess.run(
        command, env={**home, **environment}, capture_output=True, text=True, check=False, timeout=120, cwd=folder
    )


def until(condition: Callable[[], bool], what: str, patience_s: float = 30.0) -> None:
    """Waits for it; the API server sees changes of webhooks and kinds a little later than it stores them."""
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, f"not in {patience_s} s: {what}"
        time.sleep(0.05)
