"""Flags and variables of serving software, as they decide how models are loaded."""

from __future__ import annotations

import pytest

from gate.formats.workloads.command import Command
from gate.formats.workloads.loading import read_loading


def loading(*words: str, image: str | None = None, framework: str | None = None, **variables: str) -> dict[str, object]:
    return dict(read_loading(Command(image, words, variables, framework)))


@pytest.mark.parametrize(
    ("words", "server"),
    [
        (("vllm", "serve"), "vllm"),
        (("python3", "-m", "vllm.entrypoints.openai.api_server"), "vllm"),
        (("text-generation-launcher",), "tgi"),
        (("sh", "-c", "exec tritonserver --model-repository=/models"), "triton"),
        (("/app/llama-server", "-m", "x.gguf"), "llama.cpp"),
        (("ollama", "serve"), "ollama"),
        (("torchserve", "--start"), "torchserve"),
        (("python", "app.py"), None),
        (("app", "--vllm"), None),
    ],
)
def test_servers_are_known_by_their_command(words: tuple[str, ...], server: str | None) -> None:
    assert loading(*words)["server"] == server


@pytest.mark.parametrize(
    ("image", "server"),
    [
        ("vllm/vllm-openai:v1@sha256:0", "vllm"),
        ("ghcr.example/huggingface/text-generation-inference:3", "tgi"),
        ("nvcr.example/nvidia/tritonserver:25", "triton"),
        ("ghcr.example/ggml-org/llama.cpp:server", "llama.cpp"),
        ("ollama/ollama", "ollama"),
        ("pytorch/serve-kfs", "torchserve"),
        ("registry.example/server@sha256:vllm", None),
    ],
)
def test_servers_are_known_by_their_image(image: str, server: str | None) -> None:
    assert loading(image=image)["server"] == server


@pytest.mark.parametrize(
    ("words", "unsafe", "safe"),
    [
        (("vllm",), [], []),
        (("vllm", "--load-format", "safetensors"), [], ["--load-format safetensors"]),
        (("vllm", "--load_format=safetensors"), [], ["--load-format safetensors"]),
        (("vllm", "--load-format", "auto"), ["--load-format auto"], []),
        (
            ("vllm", "--load-format=pt", "--load-format=safetensors"),
            ["--load-format pt"],
            ["--load-format safetensors"],
        ),
        (("vllm", "--trust-remote-code"), ["--trust-remote-code"], []),
        (("vllm", "--trust_remote_code", "--port", "1"), ["--trust-remote-code"], []),
        (("vllm", "--trust-remote-code=false"), [], []),
        (("vllm", "--trust-remote-code", "model"), ["--trust-remote-code"], []),
        (("sh", "-c", "vllm serve x --trust-remote-code"), ["--trust-remote-code"], []),
        (("text-generation-launcher",), [], ["weights are converted without running code"]),
        (("text-generation-launcher", "--trust-remote-code"), ["--trust-remote-code"], []),
        (("llama-server", "-m", "x"), [], ["models of llama.cpp are data"]),
        (("llama-server", "-hf", "a/b"), ["--hf"], ["models of llama.cpp are data"]),
        (("tritonserver", "--model-control-mode=explicit"), ["--model-control-mode"], []),
        (("tritonserver", "--model-control-mode=none"), [], []),
        (("torchserve",), ["models of torchserve run code when they are loaded"], []),
        (("-", "--"), [], []),
        (("vllm", "--trust-remote"), ["--trust-remote-code"], []),
        (("vllm", "--tru", "--load-f", "pt"), ["--trust-remote-code", "--load-format pt"], []),
        (("vllm", "--trust-remote-code", "no"), ["--trust-remote-code"], []),
        (("vllm", "--trust-remote-code=0", "--trust-remote-code"), ["--trust-remote-code"], []),
        (("vllm", "--speculative-config", '{"a": 1, "trust_remote_code": true}'), ["--trust-remote-code"], []),
        (("vllm", "--speculative-config", "{trust-remote-code:true}"), ["--trust-remote-code"], []),
        (("vllm", "--speculative-config", '{"trust_remote_code": false}'), [], []),
        (("vllm", "--speculative-config.trust_remote_code=true"), ["--trust-remote-code"], []),
        (("vllm", "--speculative-config.load_format", "pt"), ["--load-format pt"], []),
        (("vllm", "--tool-parser-plugin", "/models/x.py"), ["--tool-parser-plugin"], []),
        (("vllm", "--reasoning-parser", "deepseek_r1"), [], []),
        (("llama-server", "--docker-repo", "a/b"), ["--docker-repo"], ["models of llama.cpp are data"]),
        (("tritonserver", "--load-format", "safetensors"), [], []),
        (("sh", "-c", "TRUST_REMOTE_CODE=1 text-generation-launcher"), ["TRUST_REMOTE_CODE"], []),
    ],
)
def test_flags_tell_what_is_allowed(words: tuple[str, ...], unsafe: list[str], safe: list[str]) -> None:
    found = loading(*words)
    assert (found["unsafe"], found["safe"]) == (unsafe, safe)


SAFE = "--load-format safetensors"


@pytest.mark.parametrize(
    ("words", "safe"),
    [
        (("vllm serve m --load-format safetensors",), False),
        (("vllm", "serve", "m", "--served-model-name", "a --load-format safetensors"), False),
        (("vllm", "serve", "m", "--chat-template={{ a }} --load-format=safetensors"), False),
        (("vllm", "serve", "m", "--override", '{"a": 1}', *SAFE.split()), True),
        (("vllm", "serve", "m", "--load-format"), False),
        (("sh", "-c", f"exec vllm serve m \\\n  {SAFE}"), True),
        (("/bin/bash", "-ec", f"cd /vllm\npython3 -m vllm.entrypoints.openai.api_server {SAFE} || exit 1"), True),
        (("tini", "--", "bash", "-c", f"ollama serve & vllm serve a {SAFE}"), True),
        (("sh", "-c", f"vllm serve m # {SAFE}"), False),
        (("sh", "-c", f"echo vllm {SAFE}; vllm serve m"), False),
        (("sh", "-c", f"echo vllm {SAFE}; ./start"), False),
        (("sh", "-c", f"vllm serve a {SAFE} & vllm serve b"), False),
        (("sh", "-c", f"vllm serve a; true {SAFE}"), False),
        (("sh", "-c", f"vllm serve a {SAFE} & tritonserver"), False),
        (("sh", "-c", f"vllm serve 'a {SAFE}"), False),
        (("sh", "-c", "vllm", "serve", *SAFE.split()), False),
    ],
)
def test_what_keeps_a_server_to_safe_formats_is_a_flag_of_that_very_server(words: tuple[str, ...], safe: bool) -> None:
    found = loading(*words)
    assert "vllm" in str(found["server"])
    assert bool(found["safe"]) == safe


@pytest.mark.parametrize(
    ("image", "words", "safe"),
    [
        ("vllm/vllm-openai", SAFE.split(), True),
        ("vllm/vllm-openai", ["sh", "-c", f"/start {SAFE}"], False),
        ("vllm/vllm-openai", ["sh", "-c", f"vllm serve m {SAFE}"], True),
        ("vllm/vllm-openai", ["llama-server", "-m", "x"], False),
        ("ollama/ollama", ["vllm", "serve", "m"], False),
    ],
)
def test_each_server_of_a_container_is_kept_to_safe_formats(image: str, words: list[str], safe: bool) -> None:
    assert bool(loading(*words, image=image)["safe"]) == safe


def test_a_framework_does_not_hide_what_its_container_is_told_to_run() -> None:
    assert not loading("vllm", "serve", "m", framework="onnx")["safe"]
    assert loading("torchserve", framework="onnx")["unsafe"]
    assert loading(*SAFE.split(), framework="huggingface")["safe"]


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        (("vllm", "serve", "--config", "/etc/vllm.yaml", *SAFE.split()), ["what --config brings in"]),
        (("vllm", "serve", "--conf=x"), ["what --config brings in"]),
        (("sh", "-c", f"vllm serve $MODEL {SAFE}"), ["what a shell puts for $MODEL"]),
        (("sh", "-c", "vllm serve ${A} `x` $(cat f)"), ["what a shell puts for ${A}", "what a shell puts for `x`"]),
        (("sh", "-c", "vllm serve $@"), ["what a shell puts for $@"]),
        (("sh", "-c", f"echo $X; vllm serve m {SAFE}"), []),
        (("vllm", "serve", "$MODEL"), []),
    ],
)
def test_what_a_command_does_not_show_is_unknown(words: tuple[str, ...], unknown: list[str]) -> None:
    found = loading(*words)["unknown"]
    assert isinstance(found, list)
    assert found[: len(unknown)] == unknown
    assert bool(found) == bool(unknown)


def test_a_shell_puts_variables_that_the_manifest_shows() -> None:
    found = loading("sh", "-c", f"vllm serve $M ${{FLAG}} {SAFE}", M="/models", FLAG="--trust-remote-code")
    assert (found["unknown"], found["unsafe"]) == ([], ["--trust-remote-code"])


@pytest.mark.parametrize(
    ("name", "words", "seen"),
    [
        ("HF_TOKEN", ("vllm",), True),
        ("VLLM_API_KEY", ("vllm",), True),
        ("HF_TOKEN", ("vllm", "$(HF_TOKEN)"), False),
        ("EXTRA_ARGS", ("vllm",), False),
        ("TRUST_REMOTE_CODE", ("proxy",), True),
    ],
)
def test_a_hidden_variable_is_unknown_unless_it_is_a_secret_that_is_no_flag(
    name: str, words: tuple[str, ...], seen: bool
) -> None:
    found = read_loading(Command(None, words, {}, hidden=(name,)))["unknown"]
    assert found == ([] if seen else [f"the value of {name}"])


@pytest.mark.parametrize(("name", "unsafe"), [("LLAMA_ARG_HF_REPO", True), ("LLAMA_ARG_PORT", False)])
def test_variables_of_llama_cpp_are_its_flags(name: str, unsafe: bool) -> None:
    assert bool(loading("llama-server", **{name: "a/b"})["unsafe"]) == unsafe


@pytest.mark.parametrize(("value", "unsafe"), [("1", ["TRUST_REMOTE_CODE"]), ("false", []), ("0", []), ("", [])])
def test_variables_tell_what_is_allowed(value: str, unsafe: list[str]) -> None:
    assert loading("text-generation-launcher", TRUST_REMOTE_CODE=value)["unsafe"] == unsafe


@pytest.mark.parametrize(
    ("framework", "server", "unsafe"),
    [
        ("sklearn", "kserve-sklearn", True),
        ("ONNX", "kserve-onnx", False),
        ("mlflow", "kserve-mlflow", True),
        ("x", "kserve-x", False),
    ],
)
def test_frameworks_of_kserve(framework: str, server: str, unsafe: bool) -> None:
    found = loading(framework=framework)
    assert found["server"] == server
    assert bool(found["unsafe"]) == unsafe


def test_what_a_manifest_does_not_show_is_unknown_where_a_server_could_read_it() -> None:
    assert read_loading(Command("vllm/vllm-openai", (), {}, None, ("the value of X",)))["unknown"] == ["the value of X"]
    assert read_loading(Command("proxy", (), {}, None, ("the value of X",)))["unknown"] == []
