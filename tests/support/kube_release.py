"""The chart, installed into the API server of the tests, with a webhook behind its Service and real registries."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gate.model.digest import Digest
from tests.support import chart
from tests.support.chart import CHART
from tests.support.kube import Answer, Kubernetes, until
from tests.support.kube_pods import Pod, may_listen
from tests.support.kube_webhooks import HOOK, fresh, pod
from tests.support.layouts import BUNDLE, CONFIG, MANIFEST, SIGNATURE, SIMPLE_SIGNING, b64, simple_signing
from tests.support.registries import Registry, free_port
from tools.scenario_evidence import bundle, key, provenance

RELEASE: Final = "site-gate-webhook"
GROUP: Final = "tests.example"
_NUMBERS: Final = itertools.count()
PROFILE: Final = """\
name: cluster
description: What runs is signed and built by us.
controls:
  artifact.pinned: {mode: enforce}
  artifact.signed: {mode: enforce}
  build.provenance: {mode: enforce}
  container.provenance: {mode: enforce}
  container.signed: {mode: enforce}
  deploy.image_pinned: {mode: enforce}
  deploy.restricted: {mode: warn}
  evidence.accepted: {mode: enforce}
"""
SIGNERS: Final = {
    "builder": ["build.*"],
    "release": ["artifact.signature"],
    "approver": ["admission.break_glass"],
}


def now(**later: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


def about(digest: str) -> list[dict[str, Any]]:
    return [{"name": "app", "digest": {"sha256": digest.partition(":")[2]}}]


@dataclass
class Images:
    """A registry, and images with evidence attached in it."""

    registry: Registry

    def image(self) -> Digest:
        """One that nobody has vouched for."""
        return self.registry.put_image(f"v{next(_NUMBERS)}", f"layer {next(_NUMBERS)}".encode())

    def sign(self, image: Digest, signer: str = "release", signed: str = "") -> None:
        """As cosign does, under a tag; `signed` is what the signature is about, if not the image."""
        payload = simple_signing(signed or image)
        layer = {"mediaType": SIMPLE_SIGNING, **self.registry.put_blob(payload)}
        layer["annotations"] = {SIGNATURE: b64(key(signer).sign(payload))}
        config = {"mediaType": CONFIG, **self.registry.put_blob(b"{}")}
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        self.registry.put_manifest(document, reference=image.replace(":", "-") + ".sig")

    def vouch(self, image: Digest, signer: str = "builder", subject: str = "") -> None:
        """Attaches provenance, about another image if `subject` is one."""
        payload = provenance(about(subject or image), finished=now(hours=-1))
        self.registry.attach(image, bundle(payload, key(signer)), BUNDLE)

    def named(self, image: str) -> str:
        return f"{self.registry.repository}@{image}"

    def good(self) -> str:
        """The reference of an image with all evidence that is asked for."""
        image = self.image()
        self.sign(image)
        self.vouch(image)
        return self.named(image)


@dataclass
class Site:
    """The installed chart. Use it as a context manager: what it leaves is an API server without webhooks."""

    plane: Kubernetes
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the section `admission`, beside the registries."""
    namespace: str = field(default_factory=lambda: fresh("gate-site"))

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            self.with_api = Images(stack.enter_context(Registry(self.folder, "cue")))
            self.without_api = Images(stack.enter_context(Registry(self.folder, "debian")))
            self.silent = f"127.0.0.1:{free_port()}"
            self.plane.namespace(self.namespace)
            authority = {"data": {"ca.crt": self.plane.authority.pem.decode()}, "metadata": {"name": "api-server"}}
            self.plane.made({"apiVersion": "v1", "kind": "ConfigMap", **authority}, self.namespace)
            self.log.parent.mkdir()
            self._deploy("install")
            stack.callback(self._uninstall)
            stack.enter_context(self.served())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stack.close()

    def served(self) -> ExitStack:
        """Starts the webhook, and waits until the API server asks it; ends it in the end."""
        with ExitStack() as stack:
            stack.callback(self.pod.stop)
            self.pod.start()
            self.await_answers()
            return stack.pop_all()

    @cached_property
    def pod(self) -> Pod:
        address = self.plane.call("GET", self._service).document["spec"]["clusterIP"]
        return Pod(self.plane, self.folder, self.namespace, RELEASE, address, self._port)

    @property
    def _service(self) -> str:
        return self.plane.path({"apiVersion": "v1", "kind": "Service"}, self.namespace, RELEASE)

    @cached_property
    def _port(self) -> int:
        """443, or where that is not for everybody, another."""
        return 443 if may_listen("127.0.0.1", 443) else 8443

    @cached_property
    def _chart(self) -> Path:
        """The chart itself, or where it has to be, a copy with another port of its Service."""
        if self._port == 443:
            return CHART
        copy = self.folder / "chart" / CHART.name
        shutil.copytree(CHART, copy)
        for name in ("service", "webhook"):
            path = copy / "templates" / f"{name}.yaml"
            text = path.read_text("utf-8")
            assert text.count("port: 443") == 1
            path.write_text(text.replace("port: 443", f"port: {self._port}"), "utf-8")
        return copy

    def _deploy(self, verb: str) -> None:
        path = self.folder / "values.json"
        path.write_text(json.dumps(self.values()))
        done = self.plane.helm(verb, RELEASE, self._chart, "--namespace", self.namespace, "--values", path)
        assert done.returncode == 0, done.stderr

    def _uninstall(self) -> None:
        """Leaves an API server that asks no webhook."""
        done = self.plane.helm("uninstall", RELEASE, "--namespace", self.namespace)
        assert done.returncode == 0, done.stderr
        until(lambda: self.plane.create(pod("any"), query="?dryRun=All").status == 201, "nothing is asked any more")

    def await_answers(self) -> None:
        """A tag is refused as soon as the webhook is asked and answers."""
        nobody = pod(f"{self.with_api.registry.repository}:none")
        until(lambda: self.plane.create(nobody, query="?dryRun=All").status == 403, "the webhook is asked")

    @property
    def log(self) -> Path:
        """Where decisions are recorded."""
        return self.folder / "log" / "decisions.db"

    # --- the configuration --------------------------------------------------------------------------------------------

    def gate_yaml(self) -> dict[str, Any]:
        access = {"insecure": True}
        hosts = (self.with_api.registry.host, self.without_api.registry.host, self.silent)
        return {
            "version": 1,
            "target": "deployment",
            "environment": "production",
            "profile": "profile.yaml",
            "trust": {
                "signers": {name: {"key": f"keys/{name}.pub", "claims": claims} for name, claims in SIGNERS.items()}
            },
            "record": {"sqlite": str(self.log)},
            "admission": {
                "registries": dict.fromkeys(hosts, access),
                "listing": "0s",
                "places": [
                    {
                        "api_version": f"{GROUP}/v1",
                        "kind": "Agent",
                        "resource": "agents",
                        "pods": ["spec.template"],
                        "images": ["spec.tools?.*.image"],
                    }
                ],
                **self.settings,
            },
        }

    def values(self) -> dict[str, Any]:
        files = {
            "gate.yaml": json.dumps(self.gate_yaml()),
            "profile.yaml": PROFILE,
            **{f"keys/{name}.pub": key(name).pem.decode() for name in SIGNERS},
        }
        custom = [
            {"group": GROUP, "versions": ["*"], "resources": ["agents", "strangers"]},
            {"group": "serving.kserve.io", "versions": ["*"], "resources": ["inferenceservices"]},
        ]
        return chart.merged(
            chart.GOOD,
            {"configuration": {"files": None}},
            {
                "configuration": {"files": files},
                "record": {"kind": "none"},
                "clientAuthority": {"existingConfigMap": "api-server"},
                "webhook": {"custom": custom},
                "audit": {"enabled": True, "kinds": "all"},
            },
        )

    def upgrade(self, **settings: Any) -> None:
        """Changes the section `admission`, as an administrator does, and waits until the webhook uses it."""
        before = self._reloads()
        self.settings = settings
        self._deploy("upgrade")
        self.pod.look()
        until(lambda: self._reloads() > before, "the webhook uses what changed")

    def _reloads(self) -> int:
        events = self.pod.logged()
        return sum(item["event"] == "reloaded" and item["what"] == "configuration" for item in events)

    # --- asking -------------------------------------------------------------------------------------------------------

    def audited(self, document: Mapping[str, Any], namespace: str, verb: str = "create") -> dict[str, str]:
        """What the webhook put into the API server's audit log, at the last such request about an object."""
        found: list[dict[str, str]] = []

        def is_there() -> bool:
            found.extend(
                webhook_of(event.get("annotations", {}))
                for event in self.plane.audited()
                if (event["stage"], event["verb"]) == ("ResponseComplete", verb)
                and event.get("objectRef", {}).get("namespace") == namespace
                and event["objectRef"].get("name") == document["metadata"]["name"]
            )
            return bool(found)

        until(is_there, "the audit log tells of it")
        return found[-1]


def webhook_of(annotations: Mapping[str, str]) -> dict[str, str]:
    """What the webhook put into an event of the audit log."""
    begin = f"{HOOK}/"
    return {name.removeprefix(begin): text for name, text in annotations.items() if name.startswith(begin)}


def refused(answer: Answer, *words: str) -> Answer:
    """It is refused by the gate, and the person is told why."""
    assert answer.status in {403, 503}, answer
    assert "denied the request: refused by gate" in answer.message, answer.message
    assert answer.message.isprintable()
    for word in words:
        assert word in answer.message, answer.message
    return answer


@dataclass(frozen=True)
class Team:
    """A namespace of somebody who deploys."""

    plane: Kubernetes
    namespace: str

    def create(self, document: Mapping[str, Any], query: str = "") -> Answer:
        return self.plane.create(document, self.namespace, query)

    def path(self, document: Mapping[str, Any], below: str = "") -> str:
        return self.plane.path(document, self.namespace, document["metadata"]["name"]) + below

    def patch(self, document: Mapping[str, Any], body: object, kind: str, below: str = "") -> Answer:
        return self.plane.call("PATCH", self.path(document, below), body, kind=kind)

    def stored(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        answer = self.plane.call("GET", self.path(document))
        return answer.document if answer.status == 200 else None

    def admitted(self, document: Mapping[str, Any], query: str = "") -> Answer:
        answer = self.create(document, query)
        assert answer.status == 201, answer.message
        return answer

    def refused(self, document: Mapping[str, Any], *words: str, query: str = "") -> Answer:
        answer = refused(self.create(document, query), *words)
        assert self.stored(document) is None
        return answer


def changed(document: Mapping[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """A changed copy."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    change(copy)
    return copy
