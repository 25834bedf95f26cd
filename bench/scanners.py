"""The scanners that the gate is measured beside, in an environment of their own outside the clone.

They are installed once, as pinned here, below `$XDG_CACHE_HOME/gate-tools` (or `~/.cache/gate-tools`), with whatever
they need in the newest form that fits; no part of them is in the gate's own environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

PINS: Final = ("fickling==0.1.12", "modelaudit==0.2.54", "modelscan==0.8.8", "picklescan==1.0.5")


def scanners() -> Path:
    """The folder with the programs `fickling`, `modelaudit`, `modelscan` and `picklescan`; installs them if need be."""
    target = _cache() / hashlib.sha256("\n".join((sys.version, *PINS)).encode()).hexdigest()[:32]
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # An environment knows its own path, so it is made in place, and its name is given when it is whole.
        made = Path(tempfile.mkdtemp(prefix="scanners-", dir=target.parent))
        try:
            subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
            pip = [str(made / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            subprocess.run([*pip, *PINS], check=True)
            target.symlink_to(made.name)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    return target / "bin"


def environment(home: Path) -> dict[str, str]:
    """What a scanner gets of the caller's environment: it reports nothing to anybody and keeps nothing."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "DO_NOT_TRACK": "1",
        "NO_ANALYTICS": "1",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "gate-tools"
