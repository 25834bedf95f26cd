"""All targets by name. `tests/fuzz/test_targets.py` fails for a reader of the gate that none of them covers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.fuzz.other_inspectors import INSPECTORS
from tests.fuzz.readers import REPORTS
from tests.fuzz.reviews import REVIEWS
from tests.fuzz.statements import STATEMENTS
from tests.fuzz.target import Target
from tests.fuzz.watchers import WATCHERS
from tests.fuzz.workloads import WORKLOADS

TARGETS: Final[Mapping[str, Target]] = {**INSPECTORS, **REPORTS, **WATCHERS, **WORKLOADS, **REVIEWS, **STATEMENTS}
