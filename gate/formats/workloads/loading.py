"""What the flags and variables of serving software say about loading models: facts, not judgements.

Flags are read as the programs read them: `--name value` and `--name=value`, `-` and `_` alike, abbreviated or not, in
`command` and `args`. What allows too much counts wherever it stands, be it in a shell's line; what keeps a server to
safe formats is a flag of that very server. What a manifest does not show (a variable out of a secret) is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.workloads.command import Command, Run, runs_of
from gate.model.json import JsonObject, JsonValue

_WORD: Final = re.compile(r"[^\s;&|()'\"]+")
_MEMBER: Final = re.compile(r"(?<![-\w.])[\"']?(trust[-_]remote[-_]code|load[-_]format)[\"']?\s*:\s*[\"']?(\w*)[\"']?")
"""A setting in JSON or YAML that is the value of a flag."""
_SECRET: Final = re.compile(r"[A-Z0-9_]*(TOKEN|API_KEY|PASSWORD|ACCESS_KEY|ACCESS_KEY_ID)")
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
_WITH_LOAD_FORMAT: Final = frozenset({"kserve-huggingface", "vllm"})
_CODE_FLAGS: Final = frozenset(
    {
        "allow-pickle",
        "enable-unsafe-pickle",
        "reasoning-parser-plugin",
        "tool-parser-plugin",
        "trust-remote-code",
    }
)
_ABBREVIATED: Final = (*sorted(_CODE_FLAGS), "config", "load-format")
_NO_ABBREVIATION: Final = frozenset({"reasoning-parser"})
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
    "llama.cpp": frozenset(
        {
            *("hf", "hfr", "hf-repo", "hff", "hf-file", "hfd", "hfrd", "hf-repo-draft", "hfv", "hfrv", "hf-repo-v"),
            *("mu", "model-url", "mmu", "mmproj-url", "dr", "docker-repo", "lora", "lora-scaled", "rpc"),
        }
    ),
    "triton": frozenset({"model-control-mode"}),
}
_POLLS: Final = frozenset({"poll", "explicit"})
_LLAMA_VARIABLES: Final = frozenset(
    f"LLAMA_ARG_{name}" for name in ("DOCKER_REPO", "HFD_REPO", "HF_FILE", "HF_REPO", "MMPROJ_URL", "MODEL_URL", "RPC")
)


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as it is given, with the value that it has, if it has one; `attached` is one after `=`."""

    name: str
    value: str | None
    attached: bool

    @property
    def is_off(self) -> bool:
        """Whether it is a switch that is turned off; the word behind a switch is not its value."""
        return self.attached and self.value is not None and self.value.lower() in _FALSE

    @property
    def is_safe(self) -> bool:
        """Whether it names a format that is data."""
        return self.name == "load-format" and self.value in _SAFE_FORMATS


def read_loading(command: Command) -> JsonObject:
    """The serving software of a container, and what its flags and variables allow."""
    runs, by_shell = runs_of(command.words, command.variables)
    loose = _loose(command.words)
    others = [run for words in command.others for run in runs_of(words, command.variables)[0]]
    found = [(server, _flags(run.words), run) for run in [*runs, *others] for server in _named(run.words)]
    whole = Run(() if by_shell else tuple(command.words))
    for server in dict.fromkeys([*_of_image(command), *_named(loose)]):
        if server not in {known for known, _, _ in found}:
            found.append((server, _flags(whole.words), whole))
    servers = sorted({server for server, _, _ in found})
    flags = [*_flags(loose), *(flag for words in command.others for flag in _flags(_loose(words)))]
    flags += [flag for _, own, _ in found for flag in own]
    unsafe = _unsafe(servers, flags, {**_assigned(loose), **command.variables})
    reasons = [_reasons(server, own, bool(unsafe)) for server, own, _ in found]
    safe = dict.fromkeys(reason for items in reasons for reason in items) if all(reasons) else {}
    unknown = [*_hidden(command), *command.unknown]
    unknown += ["what --config brings in" for flag in flags if flag.name == "config"]
    unknown += [f"what a shell puts for {text}" for _, _, run in found for text in run.insertions]
    return {
        "server": ", ".join(servers) or None,
        "unsafe": list[JsonValue](unsafe),
        "safe": list[JsonValue](safe),
        "unknown": list[JsonValue](dict.fromkeys(unknown)) if servers else [],
    }


def _unsafe(servers: Sequence[str], flags: Sequence[Flag], variables: Mapping[str, str]) -> list[str]:
    """What of a container allows code, or models from places that are not seen."""
    names = sorted({flag.name for flag in flags if flag.name in _CODE_FLAGS and not flag.is_off})
    unsafe = [f"--{name}" for name in names]
    unsafe += [name for name in sorted(_CODE_VARIABLES & variables.keys()) if variables[name].lower() not in _FALSE]
    unsafe += [f"--load-format {flag.value}" for flag in flags if flag.name == "load-format" and not flag.is_safe]
    for server in servers:
        fetching = _FETCHING.get(server, frozenset())
        asked = {flag.name for flag in flags if flag.name in fetching}
        if server == "triton":
            asked = {flag.name for flag in flags if flag.name in fetching and flag.value in _POLLS}
        unsafe += [f"--{name}" for name in sorted(asked)]
        if server == "llama.cpp":
            unsafe += sorted(_LLAMA_VARIABLES & variables.keys())
        if server in _RUNS_CODE:
            unsafe.append(f"models of {server} run code when they are loaded")
    return list(dict.fromkeys(unsafe))


def _reasons(server: str, flags: Sequence[Flag], is_unsafe: bool) -> list[str]:
    """What keeps one server to formats that are data."""
    if server in _WITH_LOAD_FORMAT:
        return [f"--load-format {flag.value}" for flag in flags if flag.is_safe]
    if server in _SAFE_BY_FORMAT:
        return [f"models of {server} are data"]
    return ["weights are converted without running code"] if server == "tgi" and not is_unsafe else []


def _loose(texts: Sequence[str]) -> list[str]:
    """All words in texts, whatever they mean there; what stands for a flag in a mapping is made one."""
    words = [word for text in texts for word in _WORD.findall(_MEMBER.sub(r" --\1=\2 ", text))]
    return [
        f"--{word.rpartition('.')[2]}" if word.startswith("--") and "." in word.partition("=")[0] else word
        for word in words
    ]


def _named(words: Sequence[str]) -> list[str]:
    return [
        server
        for server, pattern in _SERVERS.items()
        if any(pattern.search(word) for word in words if not word.startswith("-"))
    ]


def _of_image(command: Command) -> list[str]:
    if command.framework is not None:
        name = command.framework.lower()
        return [_FRAMEWORKS.get(name, f"kserve-{name}")]
    return _named([(command.image or "").partition("@")[0]])


def _hidden(command: Command) -> list[str]:
    """Variables without a value that could be flags, or are put where flags stand."""
    return [
        f"the value of {name}"
        for name in command.hidden
        if not _SECRET.fullmatch(name) or any(name in word for word in command.words)
    ]


def _assigned(words: Sequence[str]) -> dict[str, str]:
    """Variables that a line of a shell sets."""
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def _flags(words: Sequence[str]) -> list[Flag]:
    """The flags among words, abbreviations under the name that argparse takes them for."""
    found = []
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if word.startswith("-") and word.strip("-"):
            name, equals, value = word.lstrip("-").partition("=")
            name = name.replace("_", "-").lower()
            if word.startswith("--") and len(name) > 1 and name not in _NO_ABBREVIATION:
                name = next((flag for flag in _ABBREVIATED if flag.startswith(name)), name)
            after = following if following and not following.startswith("-") else None
            found.append(Flag(name, value if equals else after, bool(equals)))
    return found
