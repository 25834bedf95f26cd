"""Graphs of TensorFlow alone, TensorFlow Lite, Core ML, Flax, TorchScript, and formats that are only named."""

from __future__ import annotations

import json
import struct

import pytest

from gate.model.scan import FileInspection
from tests.support import samples
from tests.support.looking import is_clean, look, rules
from tests.support.protobufs import message

# --- Graphs -----------------------------------------------------------------------------------------------------------


def graph(*operators: str) -> bytes:
    return message(*((1, message((1, "n"), (2, operator))) for operator in operators), (4, b""))


def test_a_graph_alone_is_judged_by_its_operators() -> None:
    found = look("frozen.pb", graph("Placeholder", "MatMul"))
    assert is_clean(found), found
    assert found.format == "graph"
    assert rules(look("frozen.pb", graph("ReadFile"))) == {"saved_model.operator"}
    assert rules(look("frozen.pb", graph("PyFunc", "Mine"))) == {"saved_model.operator"}


@pytest.mark.parametrize(
    "data", [b"\x08\x01", graph(), graph("MatMul")[:-1], graph("MatMul") + message((9, 1)), b"\x00"]
)
def test_other_messages_are_not_inspected(data: bytes) -> None:
    found = look("graph.pb", data)
    assert (found.format, found.inspected) == ("protobuf", False)
    assert found.reason


# --- TensorFlow Lite --------------------------------------------------------------------------------------------------


def flat(*codes: tuple[int, str | None]) -> bytes:
    """A model with operators: each with its number, and the name of a custom one."""
    out = bytearray(struct.pack("<I4s", 20, b"TFL3") + bytes(2))
    out += struct.pack("<HHHH", 8, 12, 0, 8) + bytes(2)  # at 10: the model's fields; the second one is at 8
    assert len(out) == 20
    out += struct.pack("<iIi", 10, 0, 4) + struct.pack("<I", len(codes))  # at 20: the model; at 32: its operators
    tables = len(out) + 4 * len(codes)
    places, data = [], b""
    for number, name in codes:
        start = tables + len(data)
        fields = struct.pack("<HHHHHH", 12, 16, 4 if number < 128 else 0, 8 if name is not None else 0, 0, 12)
        text = b"" if name is None else struct.pack("<I", len(name)) + name.encode() + b"\0"
        table = struct.pack("<i", 12) + bytes((number & 0x7F, 0, 0, 0)) + struct.pack("<II", 8, number)
        places.append(start + 12)
        data += fields + table + text
    for index, place in enumerate(places):
        at = tables - 4 * len(codes) + 4 * index
        out += struct.pack("<I", place - at)
    return bytes(out) + data


def test_operators_of_the_format_are_clean() -> None:
    for codes in ([(0, None)], [(3, None), (127, None), (150, None)], [(32, "TFLite_Detection_PostProcess")], []):
        found = look("m.tflite", flat(*codes))
        assert is_clean(found), (codes, found)
    assert is_clean(look("m.tflite", flat((32, "FlexMatMul"))))


@pytest.mark.parametrize("code", [(32, "Evil"), (32, "FlexPyFunc"), (32, "FlexReadFile"), (32, None), (999, None)])
def test_operators_that_need_a_library_are_findings(code: tuple[int, str | None]) -> None:
    assert rules(look("m.tflite", flat((0, None), code))) == {"tflite.operator"}


def test_the_old_number_of_an_operator_has_a_sign() -> None:
    good = flat((32, "Evil"))
    at = good.index(struct.pack("<iBBBBII", 12, 32, 0, 0, 0, 8, 32)) + 4
    for old in (0, 32, 0x80, 0xFF):
        assert rules(look("m.tflite", good[:at] + bytes((old,)) + good[at + 1 :])) == {"tflite.operator"}
    negative = good[: at + 8] + b"\xff" * 4 + good[at + 12 :]
    assert rules(look("m.tflite", negative[:at] + b"\xff" + negative[at + 1 :])) == {"tflite.operator"}


def test_broken_flat_buffers_are_not_inspected() -> None:
    good = flat((0, None), (32, "Name"))
    for data in (
        good[:-1], good[:30], b"\xff\xff\xff\xff" + good[4:], b"\x00\x00\x00\x00TFL3",
        good[:20] + b"\xff" * 8 + good[28:],
        flat((32, "x" * 300)), good[:14] + b"\x00\x00\x00\x00" + good[18:], good[:32] + b"\xff\xff\xff\x7f" + good[36:],
    ):  # fmt: skip
        found = look("m.tflite", data)
        assert (found.format, found.inspected) == ("tflite", False), data


# --- Core ML ----------------------------------------------------------------------------------------------------------


def network(*layers: bytes) -> bytes:
    return message((1, 4), (2, b""), (500, message(*((1, layer) for layer in layers))))


def program(operator: str) -> bytes:
    block = message((3, message((1, operator), (4, message((3, message((1, "add"))))))))
    function = message((2, message((2, "CoreML5"), (3, message((1, "CoreML5"), (2, block))))))
    return message((1, 7), (502, message((1, 1), (2, message((1, "main")) + function))))


LAYER = message((1, "conv"), (2, "x"), (3, "y"), (100, b""))
CUSTOM = message((1, "mine"), (500, message((10, "Evil"))))


@pytest.mark.parametrize(
    "data",
    [
        network(LAYER),
        network(message((605, message((1, message((1, LAYER))))))),
        message((1, 1), (300, b"\xff\xff")),
        message((1, 1), (202, message((1, network(LAYER)), (2, "name")))),
        program("conv"),
    ],
)
def test_models_of_core_ml_that_only_compute(data: bytes) -> None:
    found = look("m.mlmodel", data)
    assert is_clean(found), found
    assert found.format == "coreml"


@pytest.mark.parametrize(
    "data",
    [
        network(LAYER, CUSTOM),
        network(message((605, message((2, message((1, CUSTOM))))))),
        network(message((615, message((4, message((1, CUSTOM))))))),
        message((1, 1), (200, message((1, message((1, network(CUSTOM))))))),
        message((1, 1), (555, message((10, "Evil")))),
        message((1, 1), (556, message((1, "elsewhere")))),
        program("custom_layer"),
    ],
)
def test_models_of_core_ml_that_need_code_are_findings(data: bytes) -> None:
    assert rules(look("m.mlmodel", data)) == {"coreml.custom"}


def test_models_of_core_ml_that_are_not_read() -> None:
    for data in (network(LAYER)[:-1], message((1, 1), (3000, b"")), message((1, 1), (500, message((99, 1))))):
        assert not look("m.mlmodel", data).inspected
    place = "m.mlpackage/Data/com.apple.CoreML/weights/weight.bin"
    assert is_clean(look(place, struct.pack("<II", 1, 2) + bytes(60)))
    for data in (struct.pack("<II", 1, 3) + bytes(60), bytes(10)):
        assert not look(place, data).inspected
    assert not look("weights/weight.bin", struct.pack("<II", 1, 2) + bytes(60)).inspected


# --- Flax -------------------------------------------------------------------------------------------------------------

WEIGHTS = b"\xc7\x10\x01" + b"x" * 16


def flax(value: bytes) -> FileInspection:
    return look("flax_model.msgpack", b"\x81\xa1w" + value)


@pytest.mark.parametrize(
    "value",
    [
        WEIGHTS, b"\x00", b"\xff", b"\xc0", b"\xc3", b"\xca" + bytes(4), b"\xcf" + bytes(8), b"\xd0\x00",
        b"\x92\x01\x02",        b"\xc4\x01a", b"\xda\x00\x02ab", b"\xdc\x00\x01\x01", b"\xdd\x00\x00\x00\x01\x01",
        b"\xde\x00\x01\x01\x02",
        b"\xdf\x00\x00\x00\x01\x01\x02", b"\xd4\x01a", b"\xd8\x02" + bytes(16), b"\xc9\x00\x00\x00\x01\x03a",
    ],
)  # fmt: skip
def test_weights_of_flax_are_clean(value: bytes) -> None:
    found = flax(value)
    assert is_clean(found), found
    assert found.format == "msgpack"


def test_other_messagepack_is_not() -> None:
    assert rules(flax(b"\xd4\x05a")) == {"msgpack.extension"}
    assert rules(flax(b"\x81\xc4\x02nd\xc3")) == {"msgpack.extension"}
    assert rules(flax(b"\x81\xa4kind\xa1O")) == {"msgpack.extension"}
    assert rules(flax(b"\x00extra")) == {"file.trailing_data"}
    for value in (b"\xc1", b"\xc4\x05a", b"", b"\xdd\xff\xff\xff\xff\x00"):
        assert not flax(value).inspected
    assert not look("m.msgpack", b"\x01").inspected
    assert not look("m.msgpack", b"\xdd\x00\x09\x27\xc0" + bytes(600_000)).inspected
    assert not look("m.msgpack", b"\xdf\x00\x04\x93\xe0" + bytes(600_000)).inspected


# --- TorchScript ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reached"),
    [
        (b"x = torch.add(a, b)\ny = ops.aten.relu(x)\nz = ops.prim.NumToTensor(1)\n", ""),
        (b"torch.save(x, 'f')\n", "torch.save"),
        (b"ops.aten.from_file('/etc/x')\n", "ops.aten.from_file"),
        (b"ops.torchvision.nms(x)\n", "ops.torchvision.nms"),
        (b"__torch__.torch.classes.mine.Thing()\n", "torch.classes.mine.Thing"),
    ],
)
def test_a_torchscript_program_is_told_with_what_it_reaches(code: bytes, reached: str) -> None:
    found = look("m.pt", samples.torch_zip(extra={"code/__torch__.py": code}))
    assert "archive.code" in rules(found)
    assert any("export the model to ONNX" in finding.message for finding in found.findings)
    told = [finding.message for finding in found.findings if finding.rule == "torchscript.operator"]
    assert bool(told) is bool(reached)
    assert all(reached in message for message in told)


def test_names_in_a_long_program_are_found_and_few_are_told() -> None:
    code = b" " * ((1 << 20) - 8) + b"torch.save(x)\n" + b"".join(b"ops.lib%d.f()\n" % number for number in range(99))
    found = look("m.pt", samples.torch_zip(extra={"code/__torch__.py": code}))
    told = [finding.message for finding in found.findings if finding.rule == "torchscript.operator"]
    assert len(told) == 20
    assert any("torch.save" in message for message in told)


# --- TOML and names ---------------------------------------------------------------------------------------------------


def test_settings_in_toml_are_judged() -> None:
    assert is_clean(look("train.toml", b"lr = 0.1\n[a]\nb = [1]\n"))
    assert rules(look("train.toml", b'[model]\n_target_ = "os.system"\n')) == {"remote_code.target"}
    for data in (b"a = ", b"a = " + b"[" * 5000, b"\xff", b"#" * 300_000):
        assert not look("train.toml", data).inspected


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("m.engine", b"ftrt", "TensorRT"), ("m.plan", b"ptrt", "TensorRT"), ("openvino.xml", b"<net/>", "OpenVINO"),
        ("m.pdmodel", b"\n\x01a", "Paddle"), ("m.pdiparams", b"\0", "Paddle"), ("x.params", b"\x12\x01", "MXNet"),
        ("m.cbm", b"CBM1", "save it as JSON"), ("m.ubj", b"{L\0", "save it as JSON"),
        ("config.pbtxt", b"backend: 'python'", "Triton"), ("m.caffemodel", b"\n", "Caffe"), ("m.mnn", b"x", "MNN"),
        ("index.html", b"<p>", "take it out"), ("x.7z", b"7z\xbc\xaf'\x1c", "repack"),
        ("x.pdf", b"%PDF-1.4", "scripts"),
        ("x.meta", b"\n", "TensorFlow 1"), ("m.pte", b"\0\0\0\0ET12", "ExecuTorch"),
    ],
)  # fmt: skip
def test_s32_formats_that_are_only_named_are_not_inspected_and_say_why(name: str, data: bytes, word: str) -> None:
    found = look(name, data)
    assert not found.inspected
    assert word in (found.reason or "")
    assert "gate.inspectors" in (found.reason or "")


# --- Names in settings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "clean"),
    [
        ("torch.nn.Linear", True), ("torch.optim.AdamW", True), ("torch.optim.lr_scheduler.StepLR", True),
        ("nemo.collections.asr.modules.ConformerEncoder", True),
        ("torch.hub.load", False), ("torch.load", False), ("torch.nn.modules.module.torch.load", False),
        ("torch.nn.functional.relu", False), ("torch.nn.init.os.system", False), ("torch.nn.Linear.os", False),
        ("nemo.collections.asr.modules.Evil", False), ("builtins.exec", False), ("torch.nn.Linear\n", False),
        ("nemo.core.os.system", False),
    ],
)  # fmt: skip
def test_classes_that_only_build_layers_may_be_named(target: str, clean: bool) -> None:
    for key in ("_target_", "class_path", "target", "_component_"):
        found = look("config.json", json.dumps({"a": {key: target, "in_features": 1}}).encode())
        assert is_clean(found) is (clean or (key in {"class_path", "target"} and target.endswith("\n"))), key


@pytest.mark.parametrize(
    ("index", "clean"),
    [
        ({"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}, True),
        ({"safety_checker": ["stable_diffusion", "Evil"]}, False),
        ({"safety_checker": [["stable_diffusion"], "StableDiffusionSafetyChecker"]}, False),
        ({"safety_checker": ["stable_diffusion", ["StableDiffusionSafetyChecker"]]}, False),
        ({"unet": ["diffusers", "UNet", {"repo": None}]}, True),
        ({"unet": ["diffusers", "UNet", {"repo": "evil/x"}]}, False),
        ({"unet": ["evil", "UNet", {"repo": None}]}, False),
    ],
)
def test_components_that_are_part_of_diffusers(index: object, clean: bool) -> None:
    for name in ("model_index.json", "modular_model_index.json"):
        assert is_clean(look(name, json.dumps(index).encode())) is clean


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"custom_generate": "evil/x"}, "remote_code.custom_pipeline"),
        ({"_custom_pipeline": "evil/x"}, "remote_code.custom_pipeline"),
        ({"_instantiator": "evil.f"}, "remote_code.target"),
        ({"prompt_template": "{{ x.__class__ }}"}, "template.unsafe"),
        ({"tool_use_template": "{% include 'x' %}"}, "template.unsafe"),
        ({"tool_template": [{"name": "a", "template": "{% include 'x' %}"}]}, "template.unsafe"),
    ],
)
def test_other_keys_that_run_code(settings: object, rule: str) -> None:
    assert rule in rules(look("config.json", json.dumps(settings).encode()))


def test_what_mlflow_imports_is_a_finding() -> None:
    good = b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    code: null\n"
    assert is_clean(look("m/MLmodel", good))
    for bad in (b"loader_module: evil", b"loader_module: 1", b"loader_module: mlflow.sklearn\n    code: code"):
        text = b"flavors:\n  python_function:\n    " + bad + b"\n"
        assert rules(look("m/MLmodel", text)) == {"remote_code.mlflow"}


def test_keys_that_only_look_like_it() -> None:
    settings = {
        "prompt_template": "{prompt}",
        "x_template": 1,
        "_instantiator": "lightning.pytorch.cli.instantiate_module",
    }
    assert is_clean(look("config.json", json.dumps(settings).encode()))
    assert "template.unsafe" in rules(look("m/additional_chat_templates/tool.txt", b"{{ x.__class__ }}"))
