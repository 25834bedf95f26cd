"""Settings that make particular libraries import, call or open what they name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.model.scan import Severity
from tests.support.looking import is_clean, look, rules

LAMBDA = {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wE"}}}}


@pytest.mark.parametrize(
    ("name", "settings", "rule"),
    [
        ("adapter_config.json", {"auto_mapping": {"base_model_class": "P", "parent_library": "evil"}}, "library"),
        ("adapter_config.json", {"auto_mapping": {"parent_library": "transformers_modules.x.y"}}, "library"),
        ("adapter_config.json", {"auto_mapping": {"parent_library": 1}}, "library"),
        ("adapter_config.json", {"megatron_config": {"a": 1}, "megatron_core": "evil_module"}, "library"),
        ("adapter_config.json", {"megatron_core": ["evil"]}, "library"),
        ("1_Dense/config.json", {"in_features": 1, "activation_function": "os.getcwd"}, "activation"),
        ("config.json", {"sentence_transformers": {"activation_fn": "evil.Act"}}, "activation"),
        ("config.json", {"activation_fn": "torch.nn.utils.warnings"}, "activation"),
        ("modules.json", [{"type": "sentence_transformers.SentenceTransformer.torch"}], "modules"),
        ("preset.json", {"a": {"module": "keras.utils", "class_name": "get_file", "config": {}}}, "keras_module"),
        ("preset.json", [{"module": "keras.models", "class_name": "load_model", "config": {}}], "keras_module"),
        ("modules.json", [{"type": "evil.Transformer"}], "modules"),
        ("router_config.json", {"types": {"query": "evil.Model"}}, "modules"),
        ("router_config.json", {"types": {"query": 1}}, "modules"),
        ("config.json", {"class_name": "Functional", "config": {"layers": [LAMBDA]}}, "lambda"),
        ("config.json", [{"module": "builtins", "class_name": "function", "config": "os.system"}], "keras_module"),
        ("config.json", {"module": 1, "class_name": "x"}, "keras_module"),
        ("params.json", {"py/object": "os.system"}, "jsonpickle"),
        ("params.json", {"a": [{"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["id"]}]}]}, "jsonpickle"),
        ("params.json", {"py/function": "os.system"}, "jsonpickle"),
        ("recipe.json", {"model": {"_component_": "os.system"}}, "component"),
        ("lightning.json", {"model": {"class_path": "os.system"}}, "class_path"),
        ("ldm.json", {"model": {"target": "os.system", "params": {}}}, "target"),
        ("hydra.json", {"model": {"_target_": "os.system"}}, "target"),
    ],
)
def test_names_of_code_are_findings(name: str, settings: Any, rule: str) -> None:
    found = look(name, json.dumps(settings).encode())
    assert rules(found) == {f"remote_code.{rule}"}, found
    assert all(finding.severity is Severity.HIGH for finding in found.findings)


@pytest.mark.parametrize("key", ["_component_", "class_path", "target", "_target_"])
def test_names_of_code_in_yaml(key: str) -> None:
    rule = key.strip("_")
    assert rules(look("config.yaml", f"model:\n  {key}: os.system\n".encode())) == {f"remote_code.{rule}"}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("adapter_config.json", {"auto_mapping": None, "megatron_config": None, "megatron_core": "megatron.core"}),
        ("adapter_config.json", {"auto_mapping": {"base_model_class": "A", "parent_library": "transformers.models.a"}}),
        ("adapter_config.json", {"megatron_core": None, "target_modules": ["q_proj"], "parent_library": None}),
        ("1_Dense/config.json", {"activation_function": "torch.nn.modules.activation.Tanh"}),
        ("config.json", {"activation_function": "gelu_new", "activation_fn": "relu", "hidden_act": "silu"}),
        ("router_config.json", {"types": {"query": "sentence_transformers.models.Transformer"}, "structure": {}}),
        ("config.json", {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}}),
        ("config.json", {"module": None, "class_name": "Sequential"}),
        ("tokenizer.json", {"module": "keras_hub.src.models.a.a", "class_name": "ATokenizer", "config": {}}),
        ("config.json", {"a": {"module": "tensorflow.keras.layers", "class_name": "Dense", "config": {}}}),
        ("a.json", {"target": "x86", "class_path": 1, "module": "os"}),
        ("a.json", {"target": "Not a name. At all", "py/unknown": 1}),
        ("tokenizer_config.json", {"tokenizer_class": "LlamaTokenizer", "processor_class": "A", "model_max_length": 8}),
        ("generation_config.json", {"_from_model_config": True, "transformers_version": "4.40.0", "eos_token_id": [1]}),
        ("config.json", {"architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16", "_name_or_path": "a/b"}),
    ],
)  # fmt: skip
def test_what_usual_models_say_is_clean(name: str, settings: Any) -> None:
    found = look(name, json.dumps(settings).encode())
    assert not found.findings, found


BAD_PATHS = [
    "../evil",
    "a/../../evil",
    "/srv/evil.bin",
    "\\\\host\\evil",
    "C:\\evil",
    "a\\..\\..\\b",
    "http://x/y",
    "a\0b",
]


@pytest.mark.parametrize("path", [*BAD_PATHS, 1])
def test_files_beside_settings_stay_there(path: Any) -> None:
    for name, settings in (
        ("model.safetensors.index.json", {"metadata": {}, "weight_map": {"w": "model.safetensors", "v": path}}),
        ("modules.json", [{"idx": 0, "path": path, "type": "sentence_transformers.models.Transformer"}]),
    ):
        found = look(name, json.dumps(settings).encode())
        assert [(finding.rule, finding.severity) for finding in found.findings] == [("json.path", Severity.HIGH)]


def test_files_below_settings_are_clean() -> None:
    for path in ("", "1_Pooling", "a/model-00001-of-00002.safetensors", "..a", "a..b"):
        assert is_clean(look("modules.json", json.dumps([{"path": path}]).encode()))
        assert is_clean(look("a.index.json", json.dumps({"weight_map": {"w": path}}).encode()))
