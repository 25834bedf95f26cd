"""The exit codes, as `gate --help` and the documentation show them (ARCHITECTURE 6)."""

from __future__ import annotations

from typing import Final

EXIT_CODES: Final = {
    0: "allow",
    1: "bug in the gate",
    2: "usage or configuration",
    3: "evidence could not be read (history, file, report, registry)",
    4: "policy could not be evaluated",
    5: "signing, publishing or writing failed",
    10: "required evidence missing",
    11: "signature or signer not accepted",
    12: "digest differs: the evidence is about other bytes",
    13: "a control refused",
    14: "schema, version or chain not valid",
    20: "something rests on what is recalled (gate recall)",
}
BUG: Final = 1
UNWRITTEN: Final = 5
RESTS: Final = 20
INTERRUPTED: Final = 130
