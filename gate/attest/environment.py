"""What a training ran on: versions of packages that are installed and of the accelerator. No package is imported.

| key | where it comes from |
|---|---|
| `python`, `platform` | the interpreter: its version; system and machine, without host name and kernel |
| a package's name | the metadata of the installed package, for the packages of `PACKAGES` |
| `accelerator` | `nvidia-smi`, if it is on the path: names and driver versions; `none found` without it |
| `env.CUDA_VERSION` and the like | the variables of `VARIABLES` that are set, as images of the vendors set them |
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from typing import Final

from gate.errors import ConfigError

PACKAGES: Final = (
    "accelerate",
    "bitsandbytes",
    "datasets",
    "deepspeed",
    "flash-attn",
    "flax",
    "jax",
    "jaxlib",
    "keras",
    "lightning",
    "mlx",
    "numpy",
    "onnx",
    "optax",
    "peft",
    "pytorch-lightning",
    "safetensors",
    "scikit-learn",
    "sentencepiece",
    "tensorflow",
    "tokenizers",
    "torch",
    "torch-xla",
    "transformers",
    "triton",
    "trl",
    "xgboost",
)
"""Packages that training rests on, as far as they are installed."""
VARIABLES: Final = ("CUDA_VERSION", "ROCM_VERSION", "TPU_ACCELERATOR_TYPE")
"""Variables that say which accelerator software there is."""
_QUERY: Final = ("--query-gpu=name,driver_version", "--format=csv,noheader")
_SECONDS: Final = 30.0
_CHARACTERS: Final = 1024


def environment() -> Mapping[str, str]:
    """The versions, by name; the same machine and installation give the same."""
    found = {
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        "accelerator": _accelerator(),
    }
    found |= {name: version for name in PACKAGES if (version := _version(name)) is not None}
    found |= {f"env.{name}": os.environ[name] for name in VARIABLES if os.environ.get(name)}
    return {name: _shown(text) for name, text in sorted(found.items())}


def source_date_epoch() -> int | None:
    """The build's time (reproducible-builds.org), `None` where it is not set; raises `ConfigError` for other texts."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise ConfigError("SOURCE_DATE_EPOCH is not a number of seconds since 1970")
    return int(text)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except (metadata.PackageNotFoundError, KeyError):
        return None


def _accelerator() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "none found"
    try:
        done = subprocess.run(
            [program, *_QUERY], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown: nvidia-smi gave no answer"
    lines = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    if done.returncode != 0 or not lines:
        return f"unknown: nvidia-smi ended with code {done.returncode}"
    return "; ".join(f"{count} x {line}" for line, count in sorted(Counter(lines).items()))


def _shown(text: str) -> str:
    """Printable, in one line, of a length that a statement takes."""
    return "".join(character if character.isprintable() else "?" for character in text)[:_CHARACTERS]
