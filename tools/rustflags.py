"""Prints the compiler flags of a release build, in the form of `CARGO_ENCODED_RUSTFLAGS`.

rustc writes the paths of source files into panic messages. The flags rename the folders of this machine there, so
that the library is the same wherever it is built. They are not in `native/.cargo/config.toml`, because that cannot
name the folder of whoever builds.
"""

from __future__ import annotations

import os
from pathlib import Path

_SEPARATOR = "\x1f"


def encoded() -> str:
    """The flags, to be set as `CARGO_ENCODED_RUSTFLAGS`. A path may hold spaces."""
    home = Path.home()
    # rustc takes the last one that fits.
    renamed = (
        (home, "/home"),
        (Path(os.environ.get("RUSTUP_HOME") or home / ".rustup"), "/rustup"),
        (Path(os.environ.get("CARGO_HOME") or home / ".cargo"), "/cargo"),
        (Path(__file__).resolve().parent.parent, "/gate"),
    )
    return _SEPARATOR.join(f"--remap-path-prefix={folder}={name}" for folder, name in renamed)


if __name__ == "__main__":
    print(encoded())
