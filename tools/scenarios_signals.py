"""Scenarios of runtime signals: an image that was quiet for a day, one in which a shell ran, and a log with a hole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from tools.scenario_draft import NOW, Draft, config, profile, scenario
from tools.scenario_evidence import sha256

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


def watched(draft: Draft, *alerts: str, without: int | None = None) -> None:
    """An image and the log of a day; `without` leaves out one snapshot."""
    text = config(
        [f'server: {{kind: container, image: "registry.example/llm/server@{IMAGE}"}}'],
        gates="",
        profile="profile.yaml",
        more=SETTINGS,
    )
    draft.configure(text)
    draft.base["profile.yaml"] = profile({"artifact.pinned": "enforce", "runtime.quiet": "enforce"})
    draft.change["CHANGES.md"] = b"The server is promoted.\n"
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
