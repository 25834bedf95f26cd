"""Reviews: collected like approvals."""

from __future__ import annotations

from dataclasses import replace

from gate.attest.predicates import approval
from gate.formats.predicates.review import CLAIM

COLLECTOR = replace(approval.COLLECTOR, claim=CLAIM)
