"""Where private keys are kept: one module a URI scheme, named in `gate.attest.signer`."""

from __future__ import annotations

from collections.abc import Callable

Passphrase = Callable[[str], str]
"""Called with what is asked for; returns the passphrase. It is called only when a key needs one."""
