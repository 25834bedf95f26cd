"""What the flags and variables of serving software say about loading models: facts, not judgements.

Flags are read as the programs read them: `--name value` and `--name=value`, `-` and `_` alike, in `command` and `args`;
a shell line is split into words. What a manifest does not show (a variable out of a secret) is told as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.model.json import JsonObject, JsonValue

_WORD: Final = re.compile(r"[^\s;&|()'\"]+")
_FALSE: Final = frozenset({"", "0", "false", "no", "off"})
_SERVERS: Final[Mapping[str, re.Pattern[str]]] = {
    "vllm": re.compile(r"vllm"),
    "tgi": re.compile(r"text-generation-(inference|launcher)"),
    "triton": re.compile(r"tritonserver"),
    "llama.cpp": re.compile(r"llama[.-]?cpp|llama-server"),
    "ollama": re.compile(r"ollama"),
    "torchserve": re.compile(r"torchserve|pytorch/serve"),
}
_FRAMEWORKS: Final = {
    "huggingface": "kserve-huggingface",
    "lightgbm": "kserve-lightgbm",
    "mlflow": "kserve-mlflow",
    "onnx": "kserve-onnx",
    "pmml": "kserve-pmml",
    "pytorch": "torchserve",
    "sklearn": "kserve-sklearn",
    "tensorflow": "kserve-tensorflow",
    "triton": "triton",
    "xgboost": "kserve-xgboost",
}
_RUNS_CODE: Final = frozenset({"kserve-mlflow", "kserve-sklearn", "kserve-tensorflow", "torchserve"})
_SAFE_BY_FORMAT: Final = frozenset({"kserve-lightgbm", "kserve-onnx", "kserve-xgboost", "llama.cpp", "ollama"})
_SAFE_FORMATS: Final = frozenset({"safetensors", "gguf", "tensorizer", "runai_streamer", "fastsafetensors"})
_UNSAFE_FORMATS: Final = frozenset({"auto", "pt", "npcache", "dummy", "bitsandbytes", "mistral"})
_CODE_FLAGS: Final = frozenset({"trust-remote-code", "allow-pickle", "enable-unsafe-pickle"})
_CODE_VARIABLES: Final = frozenset(
    {
        "TRUST_REMOTE_CODE",
        "HF_TRUST_REMOTE_CODE",
        "HF_HUB_TRUST_REMOTE_CODE",
        "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD",
        "VLLM_ALLOW_INSECURE_SERIALIZATION",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING",
        "VLLM_PLUGINS",
    }
)
_FETCHING: Final[Mapping[str, frozenset[str]]] = {
    "llama.cpp": frozenset({"hf-repo", "hf", "hfr", "model-url", "mu", "hf-file", "hff", "lora", "rpc"}),
    "triton": frozenset({"model-control-mode"}),
}
_POLLS: Final = frozenset({"poll", "explicit"})


@dataclass(frozen=True, slots=True)
class Command:
    """What a container runs: its image, words and variables. `unknown` names what the manifest does not show."""

    image: str | None
    words: Sequence[str]
    variables: Mapping[str, str]
    framework: str | None = None
    unknown: tuple[str, ...] = ()


def read_loading(command: Command) -> JsonObject:
    """The serving software of a container, and what its flags and variables allow."""
    words = [word for text in command.words for word in _WORD.findall(text)]
    server = _server(command, words)
    flags = _flags(words)
    unsafe: list[JsonValue] = [f"--{name}" for name in sorted(_CODE_FLAGS & flags.keys()) if _is_on(flags[name])]
    unsafe += [name for name in sorted(_CODE_VARIABLES & command.variables.keys()) if _is_on([command.variables[name]])]
    safe: list[JsonValue] = []
    for value in flags.get("load-format", []):
        known = value in _SAFE_FORMATS
        (safe if known else unsafe).append(f"--load-format {value}")
    for name in sorted(_FETCHING.get(server or "", frozenset()) & flags.keys()):
        if server != "triton" or set(flags[name]) & _POLLS:
            unsafe.append(f"--{name}")
    if server in _RUNS_CODE:
        unsafe.append(f"models of {server} run code when they are loaded")
    if server in _SAFE_BY_FORMAT:
        safe.append(f"models of {server} are data")
    if server == "tgi" and not unsafe:
        safe.append("weights are converted without running code")
    return {"server": server, "unsafe": unsafe, "safe": safe, "unknown": list(command.unknown) if server else []}


def _server(command: Command, words: Sequence[str]) -> str | None:
    if command.framework is not None:
        return _FRAMEWORKS.get(command.framework.lower(), f"kserve-{command.framework.lower()}")
    name = (command.image or "").partition("@")[0]
    for server, pattern in _SERVERS.items():
        if pattern.search(name) or any(pattern.search(word) for word in words if not word.startswith("-")):
            return server
    return None


def _flags(words: Sequence[str]) -> dict[str, list[str]]:
    """Each flag with all values that it is given; one without a value has none."""
    found: dict[str, list[str]] = {}
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if word.startswith("-") and word.strip("-"):
            name, equals, value = word.lstrip("-").partition("=")
            values = found.setdefault(name.replace("_", "-").lower(), [])
            if equals or (following and not following.startswith("-")):
                values.append(value if equals else following)
    return found


def _is_on(values: Sequence[str]) -> bool:
    """A switch is on unless every value that it is given turns it off."""
    return not values or any(value.lower() not in _FALSE for value in values)
