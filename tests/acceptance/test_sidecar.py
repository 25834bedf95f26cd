"""A real OPA server with the arguments of the compose file: the same decisions, and exit 4 when anything is wrong."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.app.engines import open_engine
from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate.bundle import make_bundle, packaged_bundle
from gate.evaluate.opa import OpaEngine
from gate.evaluate.regorus import RegorusEngine
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.settings import EngineSettings
from tests.acceptance.world import NOW, Done, World, inside
from tests.support.compose import TOKEN, Deployment, services
from tests.support.liar import Authority, Liar, says
from tests.support.opa_server import OpaServer, opa_program
from tools.scenario_draft import config

LIMIT_S = 2
MARGIN_S = 8.0
POLICY = packaged_bundle()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment.make(tmp_path_factory.mktemp("deployment"))


@pytest.fixture(scope="module")
def server(deployment: Deployment) -> Iterator[OpaServer]:
    """One that no test harms."""
    with deployment.start() as started:
        yield started


def settings(deployment: Deployment, port: int, **changes: object) -> EngineSettings:
    values = {
        "name": "opa",
        "url": f"https://127.0.0.1:{port}",
        "ca": deployment.ca.read_bytes(),
        "token_file": str(deployment.token_file),
        "timeout_s": LIMIT_S,
        **changes,
    }
    return EngineSettings(**values)  # type: ignore[arg-type]


def options(deployment: Deployment, port: int) -> list[str]:
    return [
        *("--engine", "opa", "--opa-url", f"https://localhost:{port}"),
        *("--opa-ca", str(deployment.ca), "--opa-token-file", str(deployment.token_file)),
    ]


def document_of(world: World) -> InputDocument:
    done = inside("input", "--base", "main", "--now", NOW, "--root", str(world.root))
    assert done.code == 0, done.text
    data = done.out.strip().encode()
    return InputDocument({}, data, sha256_digest(data))


def doctor(world: World, *arguments: str) -> Done:
    return inside("doctor", "--now", NOW, "--root", str(world.root), *arguments)


def test_s27_reports_over_tls_with_a_token_are_byte_equal(
    deployment: Deployment, server: OpaServer, world: World
) -> None:
    document = document_of(world)
    engine = open_engine(settings(deployment, server.port, timeout_s=30), POLICY)
    report = engine.report(document)
    assert report == RegorusEngine(POLICY).report(document)
    assert b'"status":"pass"' in report
    assert (engine.name, engine.version) == ("opa", "1.22.0")


def test_check_decides_the_same_and_names_the_engine(deployment: Deployment, server: OpaServer, world: World) -> None:
    decisions = []
    for more in ([], options(deployment, server.port), ["--isolation", "process"]):
        done = world.check(*more)
        assert done.code == 0, done.text
        decisions.append(done.decision)
    one, other, isolated = decisions
    assert one["controls"] == other["controls"] == isolated["controls"]
    assert TOKEN not in str(other)
    engines = [(d["engine"]["name"], d["engine"]["version"]) for d in decisions]
    assert engines[1] == ("opa", "1.22.0")
    assert engines[0] == engines[2]


def test_gate_yaml_may_name_the_server(deployment: Deployment, server: OpaServer, world: World) -> None:
    text = (
        f"engine:\n  name: opa\n  url: https://127.0.0.1:{server.port}\n  ca: keys/opa-ca.crt\n"
        f"  token_file: {deployment.token_file}\n  timeout_s: 30\n"
    )
    world.on_main({"gate.yaml": config() + text.encode(), "keys/opa-ca.crt": deployment.ca.read_bytes()})
    done = world.check()
    assert done.code == 0, done.text
    assert done.decision["engine"]["name"] == "opa"
    assert world.check("--engine", "regorus").decision["engine"]["name"] == "regorus"


# -- what the server lets in -------------------------------------------------------------------------------------------


def status(deployment: Deployment, port: int, method: str, path: str, token: str | None = TOKEN) -> int:
    context = ssl.create_default_context(cafile=str(deployment.ca))
    connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        connection.request(method, path, b'{"input":{}}' if method != "GET" else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


PATH = "/v1/data/gate/main/report"
QUESTION = f"{PATH}?provenance=true&strict-builtin-errors=true"


def test_the_question_and_the_health_check_are_let_in(deployment: Deployment, server: OpaServer) -> None:
    assert status(deployment, server.port, "POST", QUESTION) == 200
    assert status(deployment, server.port, "GET", "/health", None) == 200


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [
        ("POST", QUESTION, None),
        ("POST", QUESTION, "x" * 64),
        ("POST", QUESTION, TOKEN[:-1]),
        ("POST", QUESTION, ""),
        ("POST", PATH, TOKEN),
        ("POST", f"{PATH}?provenance=true&strict-builtin-errors=false", TOKEN),
        ("POST", f"{QUESTION}&explain=full", TOKEN),
        ("POST", f"{QUESTION}&strict-builtin-errors=false", TOKEN),
        ("GET", QUESTION, TOKEN),
        ("POST", "/v1/data", TOKEN),
        ("POST", "/v1/data/gate/main", TOKEN),
        ("POST", "/v1/data/system/authz", TOKEN),
        ("POST", "/v0/data/gate/main/report", TOKEN),
        ("POST", "/v1/query", TOKEN),
        ("POST", "/v1/compile", TOKEN),
        ("GET", "/v1/policies", TOKEN),
        ("PUT", "/v1/policies/x", TOKEN),
        ("DELETE", "/v1/policies/x", TOKEN),
        ("PUT", "/v1/data/gate", TOKEN),
        ("PATCH", "/v1/data/gate", TOKEN),
        ("GET", "/v1/config", TOKEN),
        ("GET", "/metrics", TOKEN),
        ("POST", "/health", TOKEN),
        ("GET", "/", TOKEN),
    ],
)
def test_everything_else_is_kept_out(
    deployment: Deployment, server: OpaServer, method: str, path: str, token: str | None
) -> None:
    assert status(deployment, server.port, method, path, token) == 401


@pytest.mark.parametrize("token", [None, "", "short"])
def test_a_server_without_a_good_token_lets_nobody_in(deployment: Deployment, token: str | None) -> None:
    with deployment.start(token=token) as started:
        for guess in (None, "", "short"):
            assert status(deployment, started.port, "POST", QUESTION, guess) == 401


def test_the_health_check_of_the_compose_file_tells_well_from_ill(deployment: Deployment, server: OpaServer) -> None:
    kind, _, *arguments = services()["opa"]["healthcheck"]["test"]
    assert kind == "CMD"

    def asks(port: int) -> int:
        placed = [deployment.placed(text).replace("127.0.0.1:8181", f"127.0.0.1:{port}") for text in arguments]
        return subprocess.run([opa_program(), *placed], capture_output=True, check=False, timeout=60).returncode

    assert asks(server.port) == 0
    with deployment.start("--verification-key-id=gate") as other:
        other.process.kill()
        other.process.wait()
        assert asks(other.port) != 0
    with Liar(says(b"")) as liar:
        assert asks(liar.port) != 0


# -- faults of a real server -------------------------------------------------------------------------------------------


def fails(engine: OpaEngine, message: str) -> PolicyError:
    data = b'{"profile":{"controls":{}}}'
    begin = time.monotonic()
    with pytest.raises(PolicyError, match=message) as caught:
        engine.report(InputDocument({}, data, sha256_digest(data)))
    assert time.monotonic() - begin < LIMIT_S + MARGIN_S
    assert caught.value.exit_code == 4
    assert TOKEN not in str(caught.value)
    return caught.value


def test_a_killed_server_is_exit_4(deployment: Deployment, world: World) -> None:
    with deployment.start() as started:
        started.process.kill()
        started.process.wait()
        done = world.check(*options(deployment, started.port))
    assert (done.code, done.out) == (4, "")
    assert "no server listens at https://localhost:" in done.err


def test_a_stopped_server_is_exit_4_at_the_time_limit(deployment: Deployment) -> None:
    with deployment.start() as started:
        os.kill(started.process.pid, signal.SIGSTOP)
        engine = OpaEngine(POLICY, settings(deployment, started.port), TOKEN)
        assert isinstance(fails(engine, "did not answer within 2 seconds"), PolicyTimeout)
        os.kill(started.process.pid, signal.SIGCONT)


def test_a_server_with_another_policy_is_exit_4(deployment: Deployment, server: OpaServer) -> None:
    changed = {**POLICY.files, "gate/main/main.rego": POLICY.files["gate/main/main.rego"] + b"\n"}
    fails(OpaEngine(make_bundle(changed), settings(deployment, server.port), TOKEN), "runs another policy")


def test_a_server_without_the_bundle_is_exit_4() -> None:
    with OpaServer() as bare:
        engine = OpaEngine(POLICY, EngineSettings("opa", url=bare.url, timeout_s=20), None)
        fails(engine, "does not say which policy it runs|runs another policy")


@pytest.mark.parametrize("token", [None, "y" * 64])
def test_a_missing_or_wrong_token_is_exit_4(deployment: Deployment, server: OpaServer, token: str | None) -> None:
    fails(OpaEngine(POLICY, settings(deployment, server.port, timeout_s=20), token), "does not let the gate in")


def test_another_authority_is_exit_4(deployment: Deployment, server: OpaServer, tmp_path: Path) -> None:
    other = settings(deployment, server.port, ca=Authority(tmp_path).pem)
    fails(OpaEngine(POLICY, other, TOKEN), "is not trusted")


def test_a_name_that_is_not_in_the_certificate_is_exit_4(deployment: Deployment, server: OpaServer) -> None:
    other = settings(deployment, server.port, url=f"https://127.0.0.2:{server.port}")
    engine = OpaEngine(POLICY, other, TOKEN)
    fails(engine, "is not trusted|no server listens")


def test_opa_refuses_a_bundle_that_was_changed(deployment: Deployment, tmp_path: Path) -> None:
    data = bytearray((deployment.folder / "policy.tar.gz").read_bytes())
    data[len(data) // 2] ^= 1
    changed = tmp_path / "policy.tar.gz"
    changed.write_bytes(bytes(data))
    rest = [str(changed) if text.endswith("/policy.tar.gz") else text for text in deployment.arguments()]
    assert str(changed) in rest
    command = [opa_program(), "run", "--server", "--addr=127.0.0.1:0", *rest]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode != 0


# -- gate doctor -------------------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_wrong_with_the_server_of_the_compose_file(
    deployment: Deployment, server: OpaServer, world: World
) -> None:
    done = doctor(world, *options(deployment, server.port))
    assert done.code == 0, done.text
    assert f"ok     the OPA server at https://localhost:{server.port} is healthy" in done.out
    assert f"ok     OPA 1.22.0 runs the policy {POLICY.digest[:19]}... and answers" in done.out
    assert "ok     the OPA server lets nobody in but the gate" in done.out


def test_doctor_says_what_an_open_server_lets_in(deployment: Deployment, world: World) -> None:
    with deployment.start(without="--authorization") as started:
        done = doctor(world, *options(deployment, started.port))
    assert done.code == 2
    for text in (
        "weak   anybody who reaches the OPA server may ask it, without a token",
        "weak   anybody who reaches the OPA server may read its policy",
        "wrong  anybody who reaches the OPA server may change its policy",
        "wrong  the token lets the OPA server's policy be changed",
        "fix: start OPA with --authentication=token --authorization=basic",
    ):
        assert text in done.out
    assert "lets nobody in" not in done.out


def test_doctor_writes_nothing_to_an_open_server(deployment: Deployment, world: World) -> None:
    with deployment.start(without="--authorization") as started:
        doctor(world, *options(deployment, started.port))
        assert status(deployment, started.port, "GET", "/v1/policies/gate-doctor") == 404


def test_doctor_says_that_there_is_no_server(deployment: Deployment, world: World) -> None:
    with deployment.start() as started:
        started.process.kill()
        started.process.wait()
        done = doctor(world, *options(deployment, started.port))
    assert done.code == 2
    assert "wrong  no server listens at" in done.out


def test_doctor_on_a_server_that_is_ill(world: World) -> None:
    with Liar(says(b"", status="500 Oh")) as liar:
        done = doctor(world, "--engine", "opa", "--opa-url", liar.url)
    assert done.code == 2
    assert "is not healthy: HTTP status 500" in done.out
    assert "wrong  the policy failed in" in done.out


def test_doctor_on_a_server_that_ends_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([200])

    def ends(*_: object, **__: object) -> int:
        for code in answers:
            return code
        raise PolicyError("it ended")

    monkeypatch.setattr("gate.evaluate.opa.Sidecar.status", ends)
    with Liar(says({})) as liar:
        done = doctor(world, "--engine", "opa", "--opa-url", liar.url)
    assert "wrong  it ended" in done.out


def test_doctor_on_a_server_that_answers_differently(world: World) -> None:
    revision = {"version": "1.22.0", "bundles": {"a": {"revision": POLICY.digest}}}
    with Liar(says({"result": {"controls": {}, "schema": "x"}, "provenance": revision})) as liar:
        done = doctor(world, "--engine", "opa", "--opa-url", liar.url)
    assert "wrong  the OPA server answers differently from the embedded engine" in done.out


def test_doctor_on_settings_that_do_not_go_together(world: World) -> None:
    done = doctor(world, "--opa-url", "http://127.0.0.1:1")
    assert done.code == 2
    assert "wrong  --opa-url is for an OPA server" in done.out
