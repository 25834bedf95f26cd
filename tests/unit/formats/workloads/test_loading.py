"""Flags and variables of serving software, as they decide how models are loaded."""

from __future__ import annotations

import pytest

from gate.formats.workloads.loading import Command, read_loading


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
    ],
)
def test_flags_tell_what_is_allowed(words: tuple[str, ...], unsafe: list[str], safe: list[str]) -> None:
    found = loading(*words)
    assert (found["unsafe"], found["safe"]) == (unsafe, safe)


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
