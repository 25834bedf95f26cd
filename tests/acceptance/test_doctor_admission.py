"""`gate doctor` about a webhook: what is weak in its configuration."""

from __future__ import annotations

import pytest

from tests.acceptance.test_doctor import notes, reconfigured
from tests.acceptance.world import World
from tools.scenario_draft import SIGNERS, config

GOOD = "admission: {registries: {r.example: {}}, break_glass: {signers: [lead], namespaces: [payments]}}"
RECORD = "record: {sqlite: .gate/record/decisions.db}"
CASES = {
    "admission: {mode: dry-run}": "nothing is enforced",
    "admission: {tags: resolve}": "the cluster may pull something else a moment later",
    "admission: {outage: last-seen, last_seen: 2d}": "what was attached 48 hours ago stands for a registry",
    "admission: {listing: 5m}": "what is removed from a registry still counts for 300 seconds",
    "admission: {}": "no registry is named, so every image is refused",
    "admission: {cache: 1MiB}": "nobody can make an exception",
    "admission: {registries: {r.example: {insecure: true}}}": "r.example is asked over plain HTTP",
    "admission: {registries: {r.example: {timeout_s: 60}}}": "r.example has 60 seconds",
    "admission: {registries: {r.example: {}}, break_glass: {signers: [lead]}}": "lead alone can let anything",
}


def with_webhook(section: str, record: str = RECORD) -> bytes:
    signers = {**SIGNERS, "lead": "claims: [admission.break_glass]"}
    return config(signers=signers, more=f"{section}\n{record}\n")


def webhook_notes(world: World, text: bytes) -> list[str]:
    lead = (world.root / "keys/release.pub").read_bytes()
    done = notes(reconfigured(world, text, keys__lead_DOT_pub=lead))
    assert done.code == 0
    return [line for line in done.out.splitlines() if "admission webhook: " in line]


def test_nothing_is_weak(world: World) -> None:
    text = with_webhook(GOOD).replace(b"target: training", b"target: deployment")
    found = webhook_notes(world, text)
    assert found == ["ok     admission webhook: enforce; images may come from: r.example"]


@pytest.mark.parametrize("section", CASES)
def test_what_is_weak_is_told(world: World, section: str) -> None:
    assert any(
        line.startswith("weak") and CASES[section] in line for line in webhook_notes(world, with_webhook(section))
    )


def test_a_webhook_without_a_record_or_for_another_target_is_weak(world: World) -> None:
    text = with_webhook("admission: {}", record="").replace(b"target: deployment", b"target: training")
    found = "\n".join(webhook_notes(world, text))
    assert "its answers are not recorded" in found
    assert "the target is training" in found
