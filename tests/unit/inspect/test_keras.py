from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import samples
from tests.support.hdf5s import attribute, header, message, newer
from tests.support.looking import is_clean, look, rules

VECTORS = Path(__file__).parents[2] / "vectors" / "models"
WEIGHTS = newer(header())
LIST = {"module": "keras", "class_name": "Sequential", "registered_name": None}


def keras(config: object, **members: bytes) -> bytes:
    raw = config if isinstance(config, bytes) else json.dumps(config).encode()
    return samples.zip_bytes({"metadata.json": b"{}", "config.json": raw, "model.weights.h5": WEIGHTS} | members)


def h5(config: object) -> bytes:
    return newer(header(message(0x0C, attribute("model_config", json.dumps(config).encode()))))


def layer(name: Any, config: object = None, module: object = "keras.layers", registered: object = None) -> object:
    inside = {"class_name": name, "module": module, "config": config or {}, "registered_name": registered}
    return LIST | {"config": {"layers": [inside]}}


@pytest.mark.parametrize("name", ["functional.keras", "sequential.keras"])
def test_models_that_keras_wrote_are_clean(name: str) -> None:
    found = look(name, (VECTORS / name).read_bytes())
    assert is_clean(found), found
    assert found.format == "keras"


@pytest.mark.parametrize(
    "config",
    [
        layer("Dense"),
        layer("Functional", module="keras.src.models.functional", registered="Functional"),
        layer("function", "mse", module="keras.losses", registered="function"),
        layer("CosineDecay", module="keras.optimizers.schedules"),
        layer("GemmaBackbone", module="keras_hub.src.models.gemma", registered="keras_hub>GemmaBackbone"),
        layer("StringLookup", {"vocabulary": ["a"], "idf_weights": None}),
        layer("__tensor__", {"value": 1.5}, module="builtins"),
        {"class_name": "Dense", "config": {"name": "dense", "units": 12345678901234567890}},
        {"class_name": "__keras_tensor__", "config": {}},
        layer("StringLookup", {"vocabulary": ""}),
    ],
)
def test_building_blocks_are_clean(config: object) -> None:
    for data in (keras(config), h5(config)):
        found = look("m.keras", data)
        relevant = {rule for rule in rules(found) if rule.startswith("keras.")}
        assert found.inspected
        assert not relevant, found


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (layer("Lambda"), "code"),
        (layer("__lambda__"), "code"),
        (layer("TFSMLayer", {"filepath": "https://host/x"}), "code"),
        (layer("TFSMLayer", {"filepath": "../x"}), "path"),
        (layer("TorchModuleWrapper"), "code"),
        (layer("JaxLayer"), "code"),
        (layer("Custom>Lambda"), "code"),
        (layer("Dense", module="evil.layers"), "module"),
        (layer("Dense", module="keras.evil"), "module"),
        (layer("Dense", module=["keras"]), "module"),
        (layer("function", "os.system", module="builtins"), "module"),
        (layer("get_file", module="keras.utils"), "module"),
        (layer("Config", module="keras.utils"), "module"),
        (layer("function", "x", module="keras.layers"), "module"),
        (layer("load_model", module="keras.models"), "module"),
        (layer("run", module="keras.src.layers"), "module"),
        (layer("My", module=None, registered="Custom>My"), "registered"),
        (layer("My", registered="Other"), "registered"),
        (layer("My", registered=["keras>My"]), "registered"),
        (layer("pkg>My", module=None), "registered"),
        (layer(["Lambda"]), "class"),
        (layer("StringLookup", {"vocabulary": "/etc/passwd"}), "path"),
        (layer("TextVectorization", {"idf_weights": "file:///x"}), "path"),
        (layer("Tokenizer", {"proto": "a.model"}), "path"),
        ([[{"x": {"class_name": "Lambda"}}]], "code"),
    ],
)
def test_what_runs_code_or_reads_files_is_a_finding(config: object, rule: str) -> None:
    assert f"keras.{rule}" in rules(look("m.keras", keras(config)))
    assert f"keras.{rule}" in rules(look("m.h5", h5(config)))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"\xff{}", b"[" * 100_000, b'{"class_name": "Dense", "class_name": "Dense"}',
        b'{"a": {"module": "x", "module": "keras"}}', b'{"a": 1}\0',
    ],
)  # fmt: skip
def test_settings_that_readers_could_read_differently(raw: bytes) -> None:
    assert "keras.invalid" in rules(look("m.keras", keras(raw)))


def test_doubled_members_all_count() -> None:
    raw = b'{"class_name": "Lambda", "class_name": "Dense", "x": [NaN, Infinity]}'
    assert {"keras.invalid", "remote_code.lambda"} <= rules(look("m.keras", keras(raw)))


def test_every_member_of_the_archive_is_judged() -> None:
    evil = newer(header(message(0x06, b"\1\x08\x40\1a\x00\x00")))
    assert "hdf5.link" in rules(look("m.keras", keras({}, **{"model.weights.h5": evil})))
    assert "pickle.global" in rules(look("m.keras", keras({}, **{"assets/x.pkl": samples.call("os", "system")})))
    assert "remote_code.file" in rules(look("m.keras", keras({}, **{"assets/x.py": b"1"})))
    found = look("m.keras", keras({}, **{"model.weights.h5": WEIGHTS[:20]}))
    assert not found.inspected


def test_cut_and_oversized_archives() -> None:
    good = keras(layer("Dense"))
    assert not look("m.keras", good[:-30]).inspected
    found = look("m.keras", good, json_bytes=10)
    assert not found.inspected
    assert "limit" in (found.reason or "")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("metadata.json", b"{}"), ("config.json", b" " * 5000), ("model.weights.h5", WEIGHTS)):
            archive.writestr(name, data)
    assert not look("m.keras", out.getvalue(), inflated_bytes=1000).inspected


@pytest.mark.parametrize("name", ["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"])
def test_settings_in_a_folder_are_judged_too(name: str) -> None:
    assert "remote_code.lambda" in rules(look("config.json", json.dumps(layer(name)).encode()))


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (layer("get_file", module="keras.utils"), "module"),
        (layer("StringLookup", {"vocabulary": "/etc/passwd"}), "path"),
        (layer("My", registered="Custom>My"), "registered"),
    ],
)
def test_models_that_are_folders_are_judged_as_those_in_archives_are(config: object, rule: str) -> None:
    assert f"keras.{rule}" in rules(look("m.keras/config.json", json.dumps(config).encode()))
    assert f"keras.{rule}" in rules(look("m.json", json.dumps({**LIST, "config": config, "a": 1 << 70}).encode()))
    assert is_clean(look("m.keras/config.json", json.dumps(layer("Dense")).encode()))
