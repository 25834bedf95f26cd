"""A real OPA server that is killed, stopped, speechless or of another revision, while a webhook has it evaluate.

Between the two stands a proxy, or nothing. A refusal that fits says that the policy could not be evaluated.
"""

from __future__ import annotations

import dataclasses
import json
import signal
from pathlib import Path

import pytest

from gate.app.policy_bundle import BuildRequest, build_bundle
from tests.faults.proxy import Answer, Proxy, hole, lies, through
from tests.faults.site import Run, Told, configured, folder, subjects, under_load
from tests.support.certificates import Authority, Pair
from tests.support.compose import TOKEN, Deployment
from tests.support.opa_server import ROOT, OpaServer, listening
from tests.support.registries import Registry
from tests.support.webhook_site import Site

FAULT_S = 3.0
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "GATE_OPA_TOKEN": TOKEN}
UNEVALUATED = frozenset({"policy"})


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment.make(tmp_path_factory.mktemp("deployment"))


class Sidecar(OpaServer):
    """One that may be started again on its port."""

    def start_again(self) -> None:
        self.process = self._start()
        assert self._wait(lambda _: True)


def arguments(deployment: Deployment) -> list[str]:
    """Those of the compose file, over plain HTTP on loopback."""
    return [text for text in deployment.arguments() if not text.startswith("--tls-")]


def evaluated_at(site: Site, deployment: Deployment, port: int) -> None:
    configured(site)
    document = json.loads((site.root / "gate.yaml").read_text())
    engine = {"name": "opa", "url": f"http://127.0.0.1:{port}", "token_file": str(deployment.token_file)}
    site.write("gate.yaml", document | {"engine": {**engine, "timeout_s": 2}})


def started(deployment: Deployment) -> Sidecar:
    from tests.support.opa_server import listening

    return Sidecar(
        *arguments(deployment), ready=listening, environment={"PATH": "/usr/bin:/bin", "GATE_OPA_TOKEN": TOKEN}
    )


def test_opa_is_killed_and_stopped(
    registry: Registry, deployment: Deployment, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    site = Site(folder(tmp_path / "site"), registry)
    with started(deployment) as opa:
        evaluated_at(site, deployment, opa.port)
        with under_load(site, authority, pair, subjects(site, "opa")) as run:
            with run.fault("killed", UNEVALUATED):
                opa.process.kill()
                opa.process.wait()
                run.load.wait(FAULT_S)
                opa.start_again()
            with run.fault("stopped", UNEVALUATED):
                opa.process.send_signal(signal.SIGSTOP)
                run.load.wait(FAULT_S + 1)
                opa.process.send_signal(signal.SIGCONT)
        figures = run.figures()
    assert all(causes.get("policy") for causes in figures["faults"].values()), figures
    told(figures)


def answered(body: bytes) -> Answer:
    return Answer("", 200, (("Content-Type", "application/json"),), body)


def all_pass(answer: Answer) -> Answer:
    """Says of every control that it passes, and that some other policy said so."""
    text = answer.body.replace(b'"fail"', b'"pass"')
    document = json.loads(text)
    for bundle in document.get("provenance", {}).get("bundles", {}).values():
        bundle["revision"] = "sha256:" + "0" * 64
    return dataclasses.replace(answer, body=json.dumps(document).encode())


def without_provenance(answer: Answer) -> Answer:
    return answered(json.dumps({"result": json.loads(answer.body)["result"]}).encode())


def test_opa_answers_nothing_and_nonsense(
    registry: Registry, deployment: Deployment, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    faults = {
        "no content": lies(lambda _: answered(b"")),
        "empty result": lies(lambda _: answered(b'{"result":{}}')),
        "without provenance": lies(
            lambda one: answered(json.dumps({"result": json.loads(one.body)["result"]}).encode())
        ),
        "other revision, all passes": lies(all_pass),
        "hole": hole,
    }
    site = Site(folder(tmp_path / "site"), registry)
    with started(deployment) as opa, Proxy(opa.port) as proxy:
        evaluated_at(site, deployment, proxy.port)
        with under_load(site, authority, pair, subjects(site, "nonsense")) as run:
            for name, behaviour in faults.items():
                happens(run, proxy, name, behaviour)
        figures = run.figures()
    assert all(causes.get("policy") for causes in figures["faults"].values()), figures
    told(figures)


def happens(run: Run, proxy: Proxy, name: str, behaviour: object) -> None:
    with run.fault(name, UNEVALUATED):
        proxy.does(behaviour)  # type: ignore[arg-type]
        run.load.wait(1.5)
        proxy.does(through)


def test_opa_has_another_revision(
    registry: Registry, deployment: Deployment, tmp_path: Path, authority: Authority, pair: Pair, told: Told
) -> None:
    """Another real server with a policy in which one control more always passes is asked for a while."""
    other = tmp_path / "other"
    library = folder(other / "rego")
    for path in (ROOT / "rego").rglob("*"):
        if path.is_file():
            folder((library / path.relative_to(ROOT / "rego")).parent)
            (library / path.relative_to(ROOT / "rego")).write_bytes(path.read_bytes())
    changed = next(iter(sorted(library.rglob("*.rego"))))
    changed.write_bytes(changed.read_bytes() + b"\n# Another revision.\n")
    bundle = tmp_path / "policy.tar.gz"
    build_bundle(BuildRequest(other, bundle, str(deployment.folder / "policy.key"), 2, ("rego",)), lambda _: "")
    words = [text.replace(str(deployment.folder / "policy.tar.gz"), str(bundle)) for text in arguments(deployment)]
    site = Site(folder(tmp_path / "site"), registry)
    with (
        started(deployment) as opa,
        OpaServer(*words, ready=listening, environment=ENVIRONMENT) as newer,
        Proxy(opa.port) as proxy,
    ):
        evaluated_at(site, deployment, proxy.port)
        asked = subjects(site, "revision")
        with under_load(site, authority, pair, asked) as run, run.fault("another revision", UNEVALUATED):
            proxy.behind = newer.port
            run.load.wait(FAULT_S)
            proxy.behind = opa.port
        figures = run.figures()
    assert figures["faults"]["another revision"]["policy"] > 0
    told(figures)
