"""The provenance of a training job, collected while it runs.

    with gate.training_run(
        model="models/summarizer", pipeline="train.py", datasets={"tickets": "data/tickets"}, seed=7
    ) as run:
        for step in range(3):
            run.metric("loss", train_one_epoch(), step)
            run.checkpoint("checkpoints/last")

When the block ends without an exception, a statement of the claim `training.provenance` is written. A job that fails
states nothing: no statement is easier to read right than one that says that it is not to be believed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import SupportsFloat

from gate.app.produce import Place, real_path
from gate.app.training import Plan, Stated, begin, file_digest, finish, record_bytes
from gate.attest.environment import environment as installed
from gate.attest.environment import source_date_epoch
from gate.errors import AttestError
from gate.model.digest import Digest
from gate.model.json import JsonObject
from gate.model.path import path_text

__all__ = ["Stated", "TrainingRun", "training_run"]

PathLike = str | os.PathLike[str]


class TrainingRun:
    """A training that is running: what it records becomes the leaves of a Merkle tree (RFC 6962), in their order."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._records: list[JsonObject] = []
        self._stated: Stated | None = None

    def metric(self, name: str, value: SupportsFloat, step: int | None = None) -> None:
        """Records a measured number; raises `AttestError` for NaN and infinity: they measure nothing."""
        number: int | float = value if isinstance(value, int) and not isinstance(value, bool) else float(value)
        self._record({"kind": "metric", "name": name, "value": number, "step": step})

    def checkpoint(self, path: PathLike, step: int | None = None) -> Digest:
        """Records a file or folder as it is now, by digest; raises a `GateError` if it cannot be read."""
        place = real_path(Path(path).absolute())
        digest = file_digest(place, os.fspath(path))
        inside = self._root in place.parents
        name = path_text(bytes(place.relative_to(self._root))) if inside else path_text(os.fsencode(place.name))
        self._record({"kind": "checkpoint", "name": name, "digest": digest, "step": step})
        return digest

    def event(self, text: str) -> None:
        """Records that something happened, without the time: equal runs give equal statements."""
        self._record({"kind": "event", "text": text})

    @property
    def stated(self) -> Stated:
        """What was written; raises `AttestError` before the block has ended."""
        if self._stated is None:
            raise AttestError("the training has not ended yet, so nothing is stated")
        return self._stated

    def _record(self, record: JsonObject) -> None:
        record_bytes(record)  # said now, and not after days of training
        self._records.append(record)

    def _finish(self, stated: Stated) -> None:
        self._stated = stated

    @property
    def records(self) -> Sequence[JsonObject]:
        """What was recorded so far."""
        return tuple(self._records)


@contextmanager
def training_run(  # noqa: PLR0913 - one parameter a field
    *,
    model: PathLike,
    pipeline: str,
    datasets: Mapping[str, PathLike] | None = None,
    base: Mapping[str, PathLike] | None = None,
    seed: int | None = None,
    environment: Mapping[str, str] | None = None,
    evaluation: Sequence[PathLike] = (),
    depends_on: Sequence[PathLike] = (),
    signer: str | None = None,
    key: str | None = None,
    out: PathLike | None = None,
    root: PathLike | None = None,
) -> Iterator[TrainingRun]:
    """Collects the provenance of the training in the block, and states it when the block ends without an exception.

    `model` is the file or folder that the training writes; it lies below the root (that of the repository unless
    `root` is given). `datasets` and `base` are files or folders, anywhere, or digests, by the name of the artifact
    that they are in gate.yaml. They are digested before and after; that one changed is an error. With a `base` the
    method is fine-tuning, without it training. `environment` is added to what `gate.attest.environment` finds.
    `evaluation` and `depends_on` are statements that this one builds on.

    `out` is where the statement goes: `.gate/statements/<model>.training.provenance.json` unless given. With a `key`
    (a path or URI as of `gate sign --key`) it is signed, and `out` is the bundle, in `.gate/attestations` unless
    given. Records lie beside the statement, in `<statement>.<root>.records`, one canonical JSON text a line:
    a leaf of the Merkle tree.

    Times are those of the clock, or of SOURCE_DATE_EPOCH if that is set: then the same code, data, model and records
    give the same bytes. Raises a `GateError` before the block when something is missing, and after it when something
    changed that may not; nothing is stated then.
    """
    fixed = source_date_epoch()
    place = Place(Path.cwd(), None if root is None else Path(root))
    plan = Plan(
        place=place,
        model=Path(model),
        pipeline=pipeline,
        environment={**installed(), **(environment or {})},
        datasets=_values(datasets),
        base=_values(base),
        seed=seed,
        signer=signer,
        depends_on=tuple(Path(path) for path in depends_on),
        evaluation=tuple(Path(path) for path in evaluation),
        out=None if out is None else Path(out),
        key=key,
    )
    begun = begin(plan, _no_passphrase)
    started_s = fixed if fixed is not None else int(time.time())
    run = TrainingRun(begun.root)
    yield run
    finished_s = fixed if fixed is not None else max(int(time.time()), started_s)
    run._finish(finish(begun, run.records, (started_s, finished_s), _no_passphrase))  # noqa: SLF001 - its own module


def _values(named: Mapping[str, PathLike] | None) -> Mapping[str, str | Path]:
    return {name: value if isinstance(value, str) else Path(value) for name, value in (named or {}).items()}


def _no_passphrase(what: str) -> str:
    raise AttestError(
        f"{what}: a training job has nobody to ask", hint="use a key without passphrase, from the job's secret store"
    )
