"""The serial of signed policies that judged before, as the decision log knows it (SECURITY 27)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from itertools import islice
from typing import Final

from gate.model.digest import Digest
from gate.model.record import Record
from gate.model.settings import Settings
from gate.record.interface import DecisionLog, recorded, summary_of

_LOOKED_AT: Final = 10_000
_ENOUGH: Final = 1_000


def recorded_serial(log: DecisionLog, settings: Settings) -> int | None:
    """The highest serial among the last decisions for this target and environment; `None` where none had one.

    Other environments may have a policy of their own in the same log. Raises `EvidenceError` for a log that cannot be
    read, or was changed there.
    """
    serials: dict[Digest, int | None] = {}
    with closing(_newest(log)) as records:
        fitting = (record for record in islice(records, _LOOKED_AT) if _is_of(record, settings))
        for record in list(islice(fitting, _ENOUGH)):
            if record.policy not in serials:
                serials[record.policy] = _serial(log, record)
    return max((serial for serial in serials.values() if serial is not None), default=None)


def _newest(log: DecisionLog) -> Generator[Record, None, None]:
    yield from log.records(newest_first=True)


def _is_of(record: Record, settings: Settings) -> bool:
    summary = summary_of(record)
    return (summary.get("target"), summary.get("environment")) == (settings.target.value, settings.environment)


def _serial(log: DecisionLog, record: Record) -> int | None:
    """What the decision of a record says; those of older gates say nothing."""
    policy = recorded(log, record).decision.get("policy")
    serial = policy.get("serial") if isinstance(policy, dict) else None
    return serial if isinstance(serial, int) and not isinstance(serial, bool) else None
