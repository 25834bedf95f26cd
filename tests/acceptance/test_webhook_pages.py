"""What the pages about the webhook say is so: their configurations judge, their values render, their commands exist."""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.app.admission import Admitter, open_admitter
from gate.app.workspace import Request
from gate.model.admission import Answer, Cause
from gate.model.admission_settings import Outage
from tests.acceptance.world import ENVIRONMENT, gate
from tests.support.chart import CHART, NAMESPACE, RELEASE, one
from tests.support.kube import helm
from tests.support.registries import Registry

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs/how-to"
INSTALL = (HOW_TO / "install-the-webhook.md").read_text("utf-8")
RUNBOOK = (HOW_TO / "webhook-runbook.md").read_text("utf-8")
SIZING = (HOW_TO / "size-the-webhook.md").read_text("utf-8")
JUDGED = (ROOT / "docs/explanation/what-a-webhook-judges.md").read_text("utf-8")
THREATS = (ROOT / "docs/explanation/webhook-threat-model.md").read_text("utf-8")
PAGES = {"install": INSTALL, "runbook": RUNBOOK, "sizing": SIZING, "judged": JUDGED, "threats": THREATS}
KEYS = ROOT / "fixtures/keys"
SIGNERS = {"release": "release", "builder": "builder", "on-call": "approver", "log": "builder"}


def block(text: str, name: str) -> str:
    """The block of a page that is called after a file."""
    (found,) = re.findall(rf"^( *)```yaml {re.escape(name)}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    indent, lines = found
    return "".join(line.removeprefix(indent) for line in lines.splitlines(keepends=True))


def commands(text: str, *programs: str) -> list[list[str]]:
    """The commands of a page that start one of these programs, as words."""
    listed = "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    words = [shlex.split(line) for line in re.findall(r"^\$ (.*)$", listed, re.MULTILINE)]
    return [item for item in words if item[0] in programs]


# --- the configuration ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), "cue") as running:
        yield running


class Volume:
    """A config map as a kubelet lays it into a pod: links to a folder that is replaced as a whole."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.log = folder, folder / "log.db"
        self._day = 0
        config = block(INSTALL, "gate.yaml").replace("registry.example: {}", f'"{registry.host}": {{}}')
        # The test has no database.
        config = re.sub(r"  postgres: \{.*\}\n", f"  sqlite: {self.log}\n", config)
        self.files = {"gate.yaml": config, "profile.yaml": block(INSTALL, "profile.yaml")}
        for name, key in SIGNERS.items():
            self.files[f"keys/{name}.pub"] = (KEYS / f"{key}.pub").read_text("utf-8")
        self.lay()

    @property
    def root(self) -> Path:
        """What the chart gives to the webhook as its root."""
        return self.folder / "..data"

    def lay(self) -> None:
        before, self._day = self.folder / f"..day{self._day}", self._day + 1
        now = self.folder / f"..day{self._day}"
        for path, text in self.files.items():
            (now / path).parent.mkdir(parents=True, exist_ok=True)
            (now / path).write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(now.name)
        link.rename(self.root)
        shutil.rmtree(before, ignore_errors=True)


@pytest.fixture
def volume(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Volume:
    monkeypatch.setenv("GATE_LOG_KEY", (KEYS / "builder.key").read_text())
    return Volume(tmp_path, registry)


@pytest.fixture
def admitter(volume: Volume) -> Iterator[Admitter]:
    request = Request(volume.root, volume.root, "gate.yaml", None, config_from_worktree=True, now_s=int(time.time()))
    with open_admitter(request) as held:
        yield held


def pod(image: str, namespace: str = "shop", **annotations: str) -> bytes:
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    security |= {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    limits = {"limits": {"cpu": "1", "memory": "1Gi"}}
    container = {"name": "app", "image": image, "securityContext": security, "resources": limits}
    metadata = {"name": "app", "namespace": namespace, "annotations": annotations}
    resource = {"group": "", "version": "v1"}
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {**resource, "kind": "Pod"},
        "resource": {**resource, "resource": "pods"},
        "name": "app",
        "namespace": namespace,
        "operation": "CREATE",
        "userInfo": {"username": "somebody"},
        "object": {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}},
        "oldObject": None,
        "dryRun": False,
    }
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).encode()


def asked(admitter: Admitter, body: bytes) -> Answer:
    return admitter.answer(body, time.monotonic() + 20).answer


def test_the_configuration_of_the_page_judges_from_a_config_map(
    volume: Volume, admitter: Admitter, registry: Registry
) -> None:
    """It begins without enforcing, and enforces when that is written into the config map. No pod restarts."""
    assert not admitter.ready()
    image = f"{registry.repository}@{registry.put_image('unsigned', b'unsigned')}"
    answer = asked(admitter, pod(image))
    assert (answer.allowed, answer.cause) == (True, Cause.DRY_RUN), answer.message
    assert "would-refuse" in answer.annotations
    volume.files["gate.yaml"] = volume.files["gate.yaml"].replace("mode: dry-run", "mode: enforce")
    volume.lay()
    reloaded = admitter.reload()
    assert (reloaded.changed, reloaded.problem) == (True, None)
    answer = asked(admitter, pod(image))
    assert (answer.allowed, answer.cause) == (False, Cause.REFUSED)
    assert "signed" in answer.message


def test_a_change_that_is_not_valid_is_not_used(volume: Volume, admitter: Admitter, registry: Registry) -> None:
    good = volume.files["gate.yaml"]
    volume.files["gate.yaml"] = good.replace("mode: dry-run", "mode: enforced")
    volume.lay()
    reloaded = admitter.reload()
    assert not reloaded.changed
    assert "enforced" in str(reloaded.problem)
    image = f"{registry.repository}@{registry.put_image('kept', b'kept')}"
    assert asked(admitter, pod(image)).cause is Cause.DRY_RUN
    volume.files["gate.yaml"] = good.replace("mode: dry-run", "mode: enforce")
    volume.lay()
    assert admitter.reload().changed


def test_what_the_page_says_is_refused_is(volume: Volume, admitter: Admitter, registry: Registry) -> None:
    volume.files["gate.yaml"] = volume.files["gate.yaml"].replace("mode: dry-run", "mode: enforce")
    volume.lay()
    admitter.reload()
    tagged = asked(admitter, pod(f"{registry.repository}:latest"))
    other = asked(admitter, pod("registry.elsewhere.test/app@sha256:" + "a" * 64))
    assert [(item.allowed, item.cause) for item in (tagged, other)] == [(False, Cause.REFERENCE)] * 2


def test_the_doctor_says_what_is_not_there_yet_and_nothing_else(tmp_path: Path) -> None:
    for name in ("gate.yaml", "profile.yaml"):
        (tmp_path / name).write_text(block(INSTALL, name))
    (tmp_path / "keys").mkdir()
    for name, key in SIGNERS.items():
        (tmp_path / "keys" / f"{name}.pub").write_bytes((KEYS / f"{key}.pub").read_bytes())
    done = gate("doctor", cwd=tmp_path)
    wrong = [line for line in done.out.splitlines() if line.startswith("wrong")]
    assert all("dsn" in line or "GATE_LOG_KEY" in line for line in wrong), done.text


# --- the exception ----------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_the_glass_is_broken_as_the_runbook_says(
    tmp_path: Path, volume: Volume, admitter: Admitter, registry: Registry
) -> None:
    volume.files["gate.yaml"] = volume.files["gate.yaml"].replace("mode: dry-run", "mode: enforce")
    volume.lay()
    admitter.reload()
    digest = registry.put_image("exception", b"exception")
    work = tmp_path / "work"
    work.mkdir()
    text = block(RUNBOOK, "break-glass.yaml")
    text = re.sub(r"sha256:[0-9a-f]{64}", digest, text)
    for name, offset in (("created", -60), ("expires", 3600)):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))
        text = re.sub(rf"{name}: \S+", f"{name}: {stamp}", text)
    (work / "break-glass.yaml").write_text(text)
    (work / "on-call.key").write_bytes((KEYS / "approver.key").read_bytes())
    (work / "on-call.key").chmod(0o600)
    program = tmp_path / "bin" / "gate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gate "$@"\n')
    program.chmod(0o755)
    environment = {**ENVIRONMENT, "PATH": f"{program.parent}:{ENVIRONMENT['PATH']}"}
    (script,) = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    done = subprocess.run(
        ["sh", "-euc", script], cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    annotation = (work / "annotation").read_text()
    assert base64.b64decode(annotation, validate=True)
    image = f"{registry.repository}@{digest}"
    answer = asked(admitter, pod(image, **{"gate/break-glass": annotation}))
    assert (answer.allowed, answer.cause) == (True, Cause.BREAK_GLASS), answer.message
    assert any("INC-7" in warning for warning in answer.warnings)
    elsewhere = asked(admitter, pod(image, "another", **{"gate/break-glass": annotation}))
    assert (elsewhere.allowed, elsewhere.cause) == (False, Cause.REFUSED)
    assert "the exception does not hold" in elsewhere.message
    template = yaml.safe_load(block(RUNBOOK, "deployment.yaml"))
    assert "gate/break-glass" in template["metadata"]["annotations"]
    assert "gate/break-glass" in template["spec"]["template"]["metadata"]["annotations"]


# --- the chart --------------------------------------------------------------------------------------------------------


def test_the_values_of_the_page_render_with_the_files_that_its_command_names(tmp_path: Path) -> None:
    for name in ("values.yaml", "gate.yaml", "profile.yaml"):
        (tmp_path / name).write_text(block(INSTALL, name))
    (tmp_path / "keys").mkdir()
    for name in SIGNERS:
        (tmp_path / f"keys/{name}.pub").write_text(f"the public key of {name}\n")
    install, upgrade = (
        words
        for words in commands(INSTALL, "helm")
        if words[1] in {"install", "upgrade"} and "image.digest" not in str(words)
    )
    assert install[2:6] == [RELEASE, "deploy/chart/gate-webhook", "--namespace", NAMESPACE]
    options = [word for word in install[4:] if word != "--wait"]
    done = helm(tmp_path, "template", RELEASE, CHART, *options)
    assert done.returncode == 0, done.stderr
    documents = [item for item in yaml.safe_load_all(done.stdout) if item]
    assert not [item for item in documents if item["kind"] == "ValidatingWebhookConfiguration"]
    volume = next(
        item
        for item in one(documents, "Deployment")["spec"]["template"]["spec"]["volumes"]
        if item["name"] == "configuration"
    )
    named = {item["path"] for item in volume["configMap"]["items"]}
    settings = yaml.safe_load(block(INSTALL, "gate.yaml"))
    wanted = {signer["key"] for signer in settings["trust"]["signers"].values()}
    wanted |= {"gate.yaml", settings["profile"], *settings["record"]["checkpoint"]["public_keys"]}
    assert named == wanted
    done = helm(
        tmp_path, "template", RELEASE, CHART, *options, *[word for word in upgrade[6:] if word != "--reuse-values"]
    )
    assert done.returncode == 0, done.stderr
    assert "ValidatingWebhookConfiguration" in done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_helm_knows_the_options_that_pages_name(page: str, tmp_path: Path) -> None:
    for words in commands(PAGES[page], "helm"):
        known = helm(tmp_path, words[1], "--help").stdout
        for word in words:
            if word.startswith("--"):
                assert f"{word.partition('=')[0]} " in known.replace("\n", " "), word


def values_named(text: str) -> set[str]:
    return set(re.findall(r"`((?:[a-zA-Z]+\.)+[a-zA-Z]+)`", text))


@pytest.mark.parametrize("page", PAGES)
def test_values_that_pages_name_exist(page: str) -> None:
    values: Any = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for name in values_named(PAGES[page]):
        first, *rest = name.split(".")
        if first not in values:
            continue
        found = values
        for part in (first, *rest):
            assert part in found, name
            found = found[part]


def test_settings_that_pages_name_exist() -> None:
    admission = json.loads((ROOT / "schemas/config.json").read_text("utf-8"))["properties"]["admission"]["properties"]
    for text in PAGES.values():
        for name in values_named(text):
            first, _, rest = name.partition(".")
            if first == "admission":
                key, _, below = rest.partition(".")
                assert key in admission, name
                assert not below or below in admission[key]["properties"], name


# --- what is what -----------------------------------------------------------------------------------------------------


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of the table whose first head is this."""
    (table,) = re.findall(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]


def test_the_runbook_knows_every_cause() -> None:
    assert [row[0] for row in rows(RUNBOOK, "cause")] != []
    assert {row[0].strip("`") for row in rows(RUNBOOK, "cause")} == {cause.value for cause in Cause}
    for row in rows(RUNBOOK, "cause"):
        assert all(row), row


def test_the_runbook_knows_every_choice_for_an_outage() -> None:
    named = {row[0].split("`")[1] for row in rows(RUNBOOK, "`admission.outage`")}
    assert named == {outage.value for outage in Outage}


def test_pages_name_no_metric_that_is_not_there() -> None:
    from tests.packaging.test_manifests import known

    there = known() | {"gate_writer", "process_resident_memory_bytes", "apiserver_request_total"}
    for text in PAGES.values():
        for name in re.findall(r"\b(?:gate|apiserver|process)_[a-z_]+", text):
            assert name in there, name


def test_pages_name_no_alert_that_is_not_there() -> None:
    groups = yaml.safe_load((ROOT / "deploy/alerts/gate-webhook.yaml").read_text("utf-8"))["groups"]
    there = {rule["alert"] for group in groups for rule in group["rules"]}
    for text in PAGES.values():
        assert set(re.findall(r"\bGateWebhook[A-Za-z]+", text)) <= there


def test_the_page_of_what_is_judged_names_what_the_chart_registers() -> None:
    done = helm(CHART, "template", RELEASE, ".", "--namespace", NAMESPACE, "--values", "../../manifests/values.yaml")
    registered = one([item for item in yaml.safe_load_all(done.stdout) if item], "ValidatingWebhookConfiguration")
    hooks = {hook["name"].partition(".")[0]: hook for hook in registered["webhooks"]}
    table = {row[0].strip("`"): row for row in rows(JUDGED, "webhook")}
    assert table.keys() == hooks.keys()
    named = {f"{kind.lower()}s" for kind in table["templates"][1].split(", ")}
    assert named == {name for rule in hooks["templates"]["rules"] for name in rule["resources"]}


def test_sizing_holds_no_figure_that_was_measured_elsewhere() -> None:
    """Figures belong into the benchmarks, with machine and command."""
    assert not re.findall(r"\b\d+(?:[.,]\d+)? ?(?:MiB|GiB|requests/s|/s|req/s)", SIZING)
