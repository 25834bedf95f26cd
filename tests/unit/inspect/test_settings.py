"""JSON, YAML and text: what loaders would make of settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.model.scan import Severity
from tests.support import samples
from tests.support.looking import is_clean, look, rules


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"auto_map": {"AutoModel": "evil--modeling.Evil"}}, "auto_map"),
        ({"a": [{"b": {"auto_map": ["x", None]}}]}, "auto_map"),
        ({"auto_map": "x"}, "auto_map"),
        ({"trust_remote_code": True}, "trust_remote_code"),
        ({"trust_remote_code": "true"}, "trust_remote_code"),
        ({"trust_remote_code": 1}, "trust_remote_code"),
        ({"custom_pipelines": {"x": {"impl": "a.B"}}}, "custom_pipelines"),
        ({"custom_pipeline": "evil/pipeline"}, "custom_pipeline"),
        ({"_attn_implementation": "evil/kernel"}, "attn_implementation"),
        ({"_attn_implementation_internal": "evil/kernel:entry"}, "attn_implementation"),
        ({"attn_implementation": "mine"}, "attn_implementation"),
        ({"attn_implementation": ["sdpa"]}, "attn_implementation"),
        ({"attn_implementation": {"text_config": "evil/x"}}, "attn_implementation"),
        ({"_target_": "os.system"}, "target"),
        ({"_target_": 1}, "target"),
        ({"kernel_config": {"a": "b/c"}}, "kernel_config"),
        ({"use_kernels": True}, "use_kernels"),
    ],
)
def test_keys_that_run_code_are_findings(settings: Any, rule: str) -> None:
    found = look("config.json", json.dumps(settings).encode())
    assert rules(found) == {f"remote_code.{rule}"}
    assert found.findings[0].severity is Severity.HIGH


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "llama"},
        {"auto_map": {}, "trust_remote_code": False, "custom_pipelines": None, "use_kernels": 0, "kernel_config": []},
        {"_attn_implementation": "sdpa", "attn_implementation": None},
        {"attn_implementation": {"": "eager", "vision_config": "paged|flash_attention_2"}},
        {"requires_safe_serialization": True},
        [1, "x", None],
        "text",
    ],
)
def test_ordinary_settings_are_clean(settings: Any) -> None:
    found = look("config.json", json.dumps(settings).encode())
    assert is_clean(found)
    assert found.format == "json"


@pytest.mark.parametrize(
    ("index", "clean"),
    [
        ({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}, True),
        ({"safety_checker": [None, None], "_ignore": ["a", "b"], "size": [1, 2, 3]}, True),
        ({"unet": ["my_module", "Evil"]}, False),
        ({"unet": [1, "Evil"]}, False),
        ({"_class_name": ["pipeline", "Evil"]}, False),
    ],
)
def test_components_of_diffusers(index: Any, clean: bool) -> None:
    assert is_clean(look("a/model_index.json", json.dumps(index).encode())) is clean
    assert is_clean(look("a/other.json", json.dumps(index).encode()))


def test_modules_of_sentence_transformers() -> None:
    good = [{"idx": 0, "type": "sentence_transformers.models.Transformer"}, "x"]
    assert is_clean(look("modules.json", json.dumps(good).encode()))
    for bad in ("custom_st.Transformer", 1, None, "sentence_transformers.util.torch", "sentence_transformers.A\n"):
        assert rules(look("modules.json", json.dumps([{"type": bad}]).encode())) == {"remote_code.modules"}
    assert is_clean(look("modules.json", b"{}"))


def test_a_chat_template_is_mentioned() -> None:
    found = look("tokenizer_config.json", b'{"chat_template": "{{ messages }}"}')
    assert is_clean(found)
    assert [(f.rule, f.severity) for f in found.findings] == [("template.present", Severity.NONE)]
    assert not look("tokenizer_config.json", b'{"chat_template": null}').findings


@pytest.mark.parametrize(
    "data",
    [b"{", b'{"a": }', b"[" * 100_000, b"\xff{}", b'{"a": 1} x', b"{'a': 1}", b'{"a": 1,}', b'{"a": "\\ud8"}'],
)
def test_json_that_does_not_parse_is_a_finding(data: bytes) -> None:
    found = look("config.json", data)
    assert rules(found) == {"json.invalid"}
    assert found.findings[0].severity is Severity.MEDIUM


@pytest.mark.parametrize(
    "data",
    [
        b'{"auto_map": {"a": "b"}, "auto_map": {}}',
        b'{"x": {"auto_map": {"a": "b"}}, "x": 1}',
        b'\xef\xbb\xbf{"auto_map": {"a": "b"}}',
        b'{"auto_map": {"a": "b"}, "x": NaN}',
        b'{"auto_map": {"a": "\\ud800"}}',
        b'{"x": 1e999, "auto_map": {"a": "b"}, "y": Infinity}',
        '{"auto_map": {"a": "b"}}'.encode("utf-16"),
        '{"auto_map": {"a": "b"}}'.encode("utf-32-le"),
    ],
)
def test_what_lenient_readers_accept_is_scanned_all_the_same(data: bytes) -> None:
    assert rules(look("config.json", data)) == {"json.invalid", "remote_code.auto_map"}


def test_lenient_reading_keeps_every_rule() -> None:
    big = b', "n": 1000000000000000019884624838656}'
    assert rules(look("tokenizer_config.json", b'{"a": 1' + big)) == {"json.number"}
    assert is_clean(look("tokenizer_config.json", b'{"a": 1' + big))
    for settings in (b'{"attn_implementation": {"a": "b/c"}', b'{"auto_map": {"a": 1}'):
        assert any(rule.startswith("remote_code.") for rule in rules(look("config.json", settings + big)))
    assert is_clean(look("config.json", b'{"auto_map": {}, "attn_implementation": {"": "sdpa"}' + big))
    assert rules(look("model_index.json", b'{"unet": ["evil", "X"]' + big)) == {
        "json.number",
        "remote_code.model_index",
    }


def test_json_beyond_the_limit_is_not_inspected() -> None:
    assert not look("config.json", b"{}" + b" " * 100, json_bytes=100).inspected


@pytest.mark.parametrize("name", ["config.json", "vocab.json"])
def test_s17_json_of_very_many_values_is_not_read_into_memory(name: str) -> None:
    for data in (b"[" + b"[]," * 2_000_000 + b"1]", b"[" + b"1," * 6_000_000 + b"1]"):
        found = look(name, data)
        assert (found.inspected, found.reason) == (False, "holds more values than the limit for JSON")
    packed = samples.zip_bytes({"MAR-INF/MANIFEST.json": b"[" + b"{}," * 30 + b"1]"})
    assert "more values" in (look("m.mar", packed, json_values=100).reason or "")


def test_json_by_content() -> None:
    assert look("settings", b'\n {"a": 1}').format == "json"
    assert rules(look("settings.conf", b'{"auto_map": {"a": "b"}}')) == {"remote_code.auto_map"}
    assert look("README.md", b"[badge](x)").format == "text"


def test_yaml() -> None:
    assert is_clean(look("config.yaml", b"a: 1\nb: [x, {c: d}]\n"))
    assert rules(look("config.yml", b"model:\n  _target_: os.system\n")) == {"remote_code.target"}
    for other in (b"a: [\n", b"#" * 300_000, b"a: 1.5\nb: \xff\n", b"a: *x\n:", b"[" * 101 + b"]" * 101):
        found = look("config.yaml", other)
        assert not found.inspected
        assert found.format == "yaml"


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "LICENSE",
        "license.txt",
        "vocab.txt",
        "merges.txt",
        ".gitattributes",
        "a/NOTICE",
        "data.csv",
        "x.jsonl",
    ],
)
def test_text_is_clean(name: str) -> None:
    found = look(name, "Zażółć gęślą jaźń\r\n\ttext\n".encode())
    assert is_clean(found)
    assert found.format == "text"


@pytest.mark.parametrize("data", [b"a\x00b", b"a\x1b[31m", b"\xff\xfea", b"caf\xe9", b"a\x7f", b"ok \xc3", b"\x0c"])
def test_bytes_named_like_text_are_not_inspected(data: bytes) -> None:
    found = look("README.md", data)
    assert not found.inspected
    assert "named like text" in (found.reason or "")


def test_long_text_is_read_in_pieces() -> None:
    assert is_clean(look("vocab.txt", "ż".encode() * 1_500_000))
    assert not look("vocab.txt", b"a" * 3_000_000 + b"\x00").inspected


@pytest.mark.parametrize(
    "data",
    [
        b"a: &x 1\nb: *x\n",
        b"lr: 1e-3\nf: 1.5\n",
        b"--- 1\n--- {auto_map: , trust_remote_code: no, custom_pipelines: null}\n",
        b"a: !!str 1\nb: ! x\n<<: {c: .inf}\n? [x, y]\n: z\n",
        b"- &a [x]\n- *a\n- 1.5\n",
    ],
)
def test_yaml_outside_of_the_strict_subset_is_inspected(data: bytes) -> None:
    found = look("config.yaml", data)
    assert is_clean(found), found
    assert found.format == "yaml"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"lr: 1e-3\nmodel: {_target_: os.system}\n", "remote_code.target"),
        (b"base: &base\n  _target_: os.system\nmodel:\n  <<: *base\n", "remote_code.target"),
        (b"a: 1.5\n---\nauto_map: {AutoModel: x}\n", "remote_code.auto_map"),
        (b"a: {trust_remote_code: true}\na: {}\n", "remote_code.trust_remote_code"),
        (b"? {_target_: x}\n: y\n", "remote_code.target"),
        (b"a: !!python/object/apply:os.system [id]\n", "yaml.tag"),
        (b"a: !Evil {}\n", "yaml.tag"),
        (b"- !!python/name:os.system ''\n", "yaml.tag"),
    ],
)
def test_yaml_that_runs_code_is_a_finding(data: bytes, rule: str) -> None:
    found = look("config.yaml", data)
    assert rules(found) == {rule}
    assert found.inspected


@pytest.mark.parametrize(
    ("settings", "clean"),
    [
        ({"_attn_implementation_autoset": True}, True),
        ({"_experts_implementation": "grouped_mm"}, True),
        ({"_experts_implementation": "evil/kernel"}, False),
        ({"attn_implementation_vision": {"a": ["evil:kernel"]}}, False),
    ],
)
def test_kernels_of_a_hub(settings: Any, clean: bool) -> None:
    assert is_clean(look("config.json", json.dumps(settings).encode())) is clean


def test_a_deep_choice_of_attention_is_judged() -> None:
    for inner, known in (('"sdpa"', True), ('"evil/kernel"', False)):
        found = look("config.json", ('{"_attn_implementation": ' + '{"a": ' * 900 + inner + "}" * 901).encode())
        assert found.inspected
        assert ("remote_code.attn_implementation" in rules(found)) is not known


def test_keys_of_very_many_parts_are_not_read() -> None:
    found = look("config.toml", b"a." * 30_000 + b"b = 1\n")
    assert (found.inspected, found.reason) == (False, "has a line of more dots than the limit for TOML")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"a: &k _target_\nb:\n  *k : os.system\n", "remote_code.target"),
        (b"a: &v os.system\nb:\n  target: *v\n", "remote_code.target"),
        (b"a: &v true\nb:\n  trust_remote_code: *v\n", "remote_code.trust_remote_code"),
        (b"a: &v {AutoModel: m.M}\nb:\n  auto_map: *v\n", "remote_code.auto_map"),
        (b'a: &v "{{ x.__class__ }}"\nchat_template: *v\n', "template.unsafe"),
        (b'a: &v ["{{ x.__class__ }}"]\nchat_template: *v\n', "template.unsafe"),
        (b"a: &v {class_name: f}\nb: {<<: *v, module: os}\n", "remote_code.keras_module"),
        (b"a: &v {class_name: f}\nb: {<<: [*v], module: os}\n", "remote_code.keras_module"),
        (b"x: &v a.b\na: &v {b: &v os.system}\nc: {target: *v}\n", "remote_code.target"),
    ],
)
def test_aliases_of_yaml_are_what_they_stand_for(data: bytes, rule: str) -> None:
    assert rule in rules(look("config.yaml", data)), look("config.yaml", data)


def test_aliases_of_yaml_that_are_harmless_or_stand_for_too_much() -> None:
    assert is_clean(look("config.yaml", b"a: &a {b: 1}\nc:\n  <<: *a\n  d: *a\n  <<: 1\n---\nx: &y 1\n"))
    bomb = b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 30))
    for data, reason in (
        (bomb, "aliases stand for more than"),
        (b"a: &a [*a]\n", "an alias stands for nothing"),
        (b"a: &a 1\nb: &a [*a]\n", "an alias stands for nothing"),
        (b"a: &a 1\n---\nb: *a\n", "an alias stands for nothing"),
        (b"a: &a " + b"x" * 100_000 + b"\nb: [" + b"*a, " * 101 + b"]\n", "aliases stand for more than"),
    ):
        found = look("config.yaml", data)
        assert not found.inspected
        assert reason in (found.reason or ""), found
