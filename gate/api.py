"""The use cases of the shell for Python programs: the same answers, nothing printed, no process ended.

What `gate` offers at its top is imported from here, lazily. Paths start at the current folder. The root is the one that
is given, else the top of the repository that holds the current folder, else the current folder: never looked for from
the path that is judged, since a model could bring its own root and configuration along. `config` is a path below the
root, read from the merge base when there is a `base`. `now` is in seconds since 1970; without it the clock is read.

All of them raise a `GateError` (`gate.errors`) when the gate could not do its work: that is no decision, and it blocks.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from gate.app import admit as admission_of
from gate.app.admit import Admission, Reason, Refused, reasons
from gate.app.check import check as judge
from gate.app.verify import Verification
from gate.app.verify import verify as verification_of
from gate.app.workspace import Request
from gate.config.settings import DEFAULT_PATH
from gate.errors import AttestError, ConfigError, EvidenceError, GateError, PolicyError
from gate.model.decision import Decision, Verdict

__all__ = [
    "Admission",
    "AttestError",
    "ConfigError",
    "Decision",
    "EvidenceError",
    "GateError",
    "PathLike",
    "PolicyError",
    "Reason",
    "Refused",
    "Verdict",
    "Verification",
    "admit",
    "check",
    "reasons",
    "verify_evidence",
]

PathLike = str | os.PathLike[str]


def admit(
    path: PathLike,
    *,
    config: str = DEFAULT_PATH,
    root: PathLike | None = None,
    base: str | None = None,
    now: int | None = None,
) -> Admission:
    """Returns only when the decision is ALLOW and rests on what lies at `path`.

    `path` is an artifact of the configuration, or lies below one; no link may be on the way to it. The files of the
    admission have the digests that were judged. They can change a moment later: load with `gate.verified_model`, or
    open with `gate.loading.open_verified`, which hand out the very bytes that were judged.

    Raises `Refused` when the decision is no, and a `GateError` when there is none, also about a `path` that no
    artifact holds or that no enforced control judged.
    """
    return admission_of.admit(_request(config, root, base, now), Path(path))


def check(
    *,
    config: str = DEFAULT_PATH,
    root: PathLike | None = None,
    base: str | None = None,
    now: int | None = None,
    dry_run: bool = False,
) -> Decision:
    """The decision that `gate check` makes, whatever it is: look at its `verdict`, and at `reasons(decision)`.

    `dry_run` only marks the decision. Nothing is admitted: `admit` does that.
    """
    return judge(_request(config, root, base, now), dry_run=dry_run).decision


def verify_evidence(
    *,
    config: str = DEFAULT_PATH,
    root: PathLike | None = None,
    base: str | None = None,
    now: int | None = None,
) -> Verification:
    """What `gate verify` finds: the evidence that counts and that which does not. It judges nothing."""
    return verification_of(_request(config, root, base, now))


def _request(config: str, root: PathLike | None, base: str | None, now: int | None) -> Request:
    top = None if root is None else Path(root).absolute()
    if top is not None and not top.is_dir():
        raise ConfigError(f"root: there is no folder {str(top)!r}")
    return Request(
        start=Path.cwd(),
        root=top,
        config=config,
        base=base,
        config_from_worktree=False,
        now_s=int(time.time()) if now is None else now,
    )
