"""Scenarios of runtime signals: an image that was quiet for a day, one in which a shell ran, and a log with a hole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from tools.scenario_draft import NOW, SIGNERS, Draft, config, profile, scenario
from tools.scenario_evidence import bundle, key, sha256, statement

IMAGE: Final = f"sha256:{sha256(b'server')}"
LOG: Final = ".gate/reports/falco.jsonl"
SETTINGS: Final = f"""\
signals:
  - {{plugin: falco, path: {LOG}, artifact: server}}
parameters: {{runtime.quiet: {{observed: true}}}}
"""
END: Final = datetime.fromisoformat(NOW) - timedelta(hours=1)
HOURS: Final = 24


def alert(before: timedelta, rule: str, priority: str, **fields: object) -> str:
    """One line of Falco's, so long before the end of the log."""
    value = {
        "hostname": "node-1",
        "output": rule,
        "output_fields": fields,
        "priority": priority,
        "rule": rule,
        "source": "internal" if rule.startswith("Falco internal") else "syscall",
        "time": (END - before).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
    }
    return json.dumps(value)


def snapshot(hours: int) -> str:
    """A metrics snapshot, so many hours before the end of the log."""
    counters = {"falco.start_ts": 1, "scap.n_drops": 0, "falco.outputs_queue_num_drops": 0}
    return alert(timedelta(hours=hours), "Falco internal: metrics snapshot", "Informational", **counters)


def of_image(minutes: int, rule: str, priority: str) -> str:
    """An alert about the image."""
    about = {"container.id": "4b1c8a0a9d2e", "container.image.digest": IMAGE}
    return alert(timedelta(minutes=minutes), rule, priority, **about)


def admitted(draft: Draft, more: str) -> None:
    """An image, and a profile that asks whether it was quiet."""
    text = config(
        [f'server: {{kind: container, image: "registry.example/llm/server@{IMAGE}"}}'],
        gates="",
        profile="profile.yaml",
        signers=SIGNERS | {"release": "claims: [artifact.signature, runtime.trace]"},
        more=more,
    )
    draft.configure(text)
    draft.base["profile.yaml"] = profile({"artifact.pinned": "enforce", "runtime.quiet": "enforce"})
    draft.change["CHANGES.md"] = b"The server is promoted.\n"


def traced(draft: Draft, **log: list[object]) -> None:
    """An image and a signed trace of a day."""
    admitted(draft, "")
    predicate = {
        "monitor": {"type": "https://monitor.example/tetragon"},
        "monitoredProcess": {"hostID": "node-1", "type": "https://monitor.example/pod", "event": "server"},
        "monitorLog": {"process": [{"pid": 1}], "network": [], "fileAccess": [], **log},
        "metadata": {"buildStartedOn": "2026-11-19T11:00:00Z", "buildFinishedOn": "2026-11-20T11:00:00Z"},
    }
    subject = {"name": "server", "digest": {"sha256": IMAGE.removeprefix("sha256:")}}
    payload = statement("https://in-toto.io/attestation/runtime-trace/v0.1", [subject], predicate)
    draft.evidence["trace.sigstore.json"] = bundle(payload, key("release"))


def watched(draft: Draft, *alerts: str, without: int | None = None) -> None:
    """An image and the log of a day; `without` leaves out one snapshot."""
    admitted(draft, SETTINGS)
    lines = [snapshot(hours) for hours in range(HOURS, -1, -1) if hours != without]
    lines[1:1] = [of_image(HOURS * 60 - 5, "Container started", "Notice"), *alerts]
    draft.reports["falco.jsonl"] = ("\n".join(lines) + "\n").encode()


@scenario(
    "allow/runtime-quiet",
    "An image in which nothing happened for a day",
    passing=["runtime.quiet", "artifact.pinned"],
    words=["ALLOW"],
)
def _(draft: Draft) -> None:
    watched(draft)


@scenario(
    "deny/runtime-quiet",
    "An image in which a shell ran while it was watched",
    13,
    failing=["runtime.quiet"],
    passing=["artifact.pinned"],
    words=["runtime.quiet", "falco saw Terminal shell in container (medium, 1 times)"],
)
def _(draft: Draft) -> None:
    watched(draft, of_image(HOURS * 60 - 30, "Terminal shell in container", "Warning"))


@scenario(
    "deny/runtime-quiet-with-a-gap",
    "An image that nobody watched for two hours of the day",
    13,
    failing=["runtime.quiet"],
    passing=["artifact.pinned"],
    words=["it was not watched for as long, as lately and with as few gaps as is"],
)
def _(draft: Draft) -> None:
    watched(draft, without=12)


@scenario(
    "allow/runtime-quiet-traced",
    "An image of which a signed trace tells that nothing but itself ran",
    passing=["runtime.quiet", "artifact.pinned"],
    words=["ALLOW"],
)
def _(draft: Draft) -> None:
    traced(draft)


@scenario(
    "deny/runtime-quiet-traced",
    "An image of which a signed trace tells that it connected to somebody",
    13,
    failing=["runtime.quiet"],
    passing=["artifact.pinned"],
    words=["runtime-trace saw network (critical, 1 times)"],
)
def _(draft: Draft) -> None:
    traced(draft, network=[{"to": "192.0.2.1:443"}])
