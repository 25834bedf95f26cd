"""The plain manifests and the alerts are what the chart makes, say what to replace, and name metrics that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.model.admission import Cause
from gate.server.metrics import SEEN, Metrics
from tests.support.chart import one, rendered
from tools import manifests

ROOT = Path(__file__).resolve().parents[2]
MADE = manifests.files()
OBJECTS = "deploy/manifests/gate-webhook.yaml"
REGISTRATION = "deploy/manifests/register.yaml"
ALERTS = "deploy/alerts/gate-webhook.yaml"
RUNBOOK = ROOT / "docs/how-to/webhook-runbook.md"
OF_THE_API_SERVER = {"apiserver_admission_webhook_rejection_count", "apiserver_admission_webhook_fail_open_count"}


@pytest.mark.parametrize("path", sorted(MADE))
def test_what_is_made_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == MADE[path], "run `make manifests`"


def objects(path: str) -> list[dict[str, Any]]:
    return [item for item in yaml.safe_load_all((ROOT / path).read_text("utf-8")) if item is not None]


def test_nobody_asks_before_there_is_an_answer() -> None:
    """The registration is a file of its own, to be applied when the pods are ready."""
    assert [item["kind"] for item in objects(REGISTRATION)] == ["ValidatingWebhookConfiguration"]
    kinds = [item["kind"] for item in objects(OBJECTS)]
    assert "ValidatingWebhookConfiguration" not in kinds
    assert kinds[0] == "Namespace"
    assert {"Certificate", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"} <= set(kinds)


def test_no_manifest_holds_a_secret() -> None:
    assert "Secret" not in {item["kind"] for path in (OBJECTS, REGISTRATION) for item in objects(path)}


def test_every_placeholder_is_explained_where_it_stands() -> None:
    text = (ROOT / OBJECTS).read_text("utf-8")
    head, _, body = text.partition("\n---\n")
    for placeholder, meaning in manifests.PLACEHOLDERS.items():
        assert placeholder in body
        assert f"#   {placeholder}\n#     {meaning}" in head
    values = yaml.safe_load((ROOT / "deploy/manifests/values.yaml").read_text("utf-8"))
    for value in texts(values):
        assert value in {*manifests.PLACEHOLDERS, "cert-manager"}, (
            "this is no default, and nobody says what it stands for"
        )


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / ALERTS).read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_chart_carries_the_same_alerts() -> None:
    found = one(rendered({"metrics": {"prometheusRule": {"enabled": True}}}), "PrometheusRule")
    assert found["spec"] == yaml.safe_load((ROOT / ALERTS).read_text("utf-8"))


def test_alerts_have_names_of_their_own_and_say_what_and_where() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "runbook"}
        page, _, place = rule["annotations"]["runbook"].partition("#")
        heads = re.findall(r"^## (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        assert place in {re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-") for head in heads}, rule["alert"]


def known() -> set[str]:
    """The metrics that the server has, by the names that Prometheus stores."""
    told = {line.split()[2] for line in Metrics().text().decode().splitlines() if line.startswith("# TYPE ")}
    source = (ROOT / "gate/server/run.py").read_text("utf-8")
    told |= set(re.findall(r'"(gate_webhook_[a-z_]+)"', source))
    return told | {f"{name}_bucket" for name in told} | OF_THE_API_SERVER


def test_alerts_name_metrics_and_causes_that_there_are() -> None:
    for rule in rules():
        expression = rule["expr"]
        named = set(re.findall(r"\b(?:gate|apiserver)_[a-z_]+", re.sub(r'"[^"]*"', "", expression)))
        assert named
        assert named <= known(), rule["alert"]
        for causes in re.findall(r'cause=~?"([a-z_|]+)"', expression):
            assert set(causes.split("|")) <= {cause.value for cause in Cause}
        for seen in re.findall(r'what=~?"([a-z_|]+)"', expression):
            assert set(seen.split("|")) <= set(SEEN)
        assert expression.count("(") == expression.count(")")
        assert expression.count("{") == expression.count("}")


def test_every_cause_that_is_no_decision_about_the_object_raises_an_alert() -> None:
    named = {
        word
        for rule in rules()
        for found in re.findall(r'cause=~?"([a-z_|]+)"', rule["expr"])
        for word in found.split("|")
    }
    # What the asker can mend, what is as it should be, and what every roll-out brings.
    silent = {Cause.ALLOWED, Cause.REFUSED, Cause.REVIEW, Cause.OBJECT, Cause.REFERENCE, Cause.EVIDENCE, Cause.STOPPING}
    assert named == {cause.value for cause in set(Cause) - silent}
