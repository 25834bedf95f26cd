from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import samples
from tests.support.looking import is_clean, look, rules
from tests.support.protobufs import graph, message, node, onnx, tensor, varint

VECTORS = Path(__file__).parents[2] / "vectors" / "models"
BESIDE = tensor(("location", "weights.data"), ("offset", "4096"), ("length", "8"), ("checksum", "0a"))


@pytest.mark.parametrize("name", ["weights_inside.onnx", "weights_beside.onnx"])
def test_models_that_onnx_wrote_are_clean(name: str) -> None:
    assert is_clean(look(name, (VECTORS / name).read_bytes()))


@pytest.mark.parametrize(
    "data",
    [
        onnx(),
        onnx(graph(node("Add"), node("Gelu", "com.microsoft"), tensors=(tensor(), BESIDE))),
        onnx(graph(tensors=(tensor(("location", "data/weights.0")),))),
        onnx(graph(node("my_op", "pkg.own")), (25, message((1, "my_op"), (10, "pkg.own"), (7, node("Relu"))))),
        onnx(None, (20, message((1, graph(node("Relu"))), (2, graph())))),
        onnx(graph(node("If", "", (5, message((1, "then_branch"), (6, graph(node("Relu"))), (20, 5)))))),
        onnx(graph(node("Constant", "", (5, message((1, "v"), (2, 3), (5, tensor())))))),
    ],
)
def test_good_models_are_clean(data: bytes) -> None:
    found = look("m.onnx", data)
    assert is_clean(found), found
    assert found.format == "onnx"


@pytest.mark.parametrize(
    "path",
    [
        "../secret", "a/../../b", "/etc/passwd", "C:/x", "\\\\host\\x", "a\\b", "", "a//b", "./a", "a\0b",
        "*/_ORT_MEM_ADDR_/*",
    ],
)  # fmt: skip
def test_external_data_stays_beside_the_model(path: str) -> None:
    evil = tensor(("location", path))
    sparse = message((1, evil), (2, tensor()), (3, 1))
    for inside in (
        graph(tensors=(evil,)),
        graph(node("Constant", "", (5, message((5, evil))))),
        graph(node("Constant", "", (5, message((10, evil))))),
        graph(node("Loop", "", (5, message((6, graph(tensors=(evil,))))))),
        graph(node("Loop", "", (5, message((11, graph(tensors=(evil,))))))),
        graph(node("Constant", "", (5, message((22, sparse))))),
        graph() + message((15, sparse)),
    ):
        assert "onnx.external_path" in rules(look("m.onnx", onnx(inside)))
    assert "onnx.external_path" in rules(look("m.onnx", onnx(None, (20, message((2, graph(tensors=(evil,))))))))
    function = message((1, "f"), (10, "own"), (7, node("Constant", "", (5, message((5, evil))))))
    assert "onnx.external_path" in rules(look("m.onnx", onnx(None, (25, function))))
    defaults = message((1, "f"), (11, message((5, evil))))
    assert "onnx.external_path" in rules(look("m.onnx", onnx(None, (25, defaults))))


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (("basepath", "/"), "external_key"),
        (("__class__", "x"), "external_key"),
        (("", ""), "external_key"),
        (("offset", "-1"), "external_bounds"),
        (("length", "1e9"), "external_bounds"),
        (("length", "9" * 30), "external_bounds"),
        (("offset", "\u0661"), "external_bounds"),
    ],
)
def test_entries_of_external_data_that_no_writer_makes(entry: tuple[str, str], rule: str) -> None:
    assert f"onnx.{rule}" in rules(look("m.onnx", onnx(graph(tensors=(tensor(entry),)))))


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        (node("Steal", "evil.ops"), "domain"),
        (node("PyCustomOpDef", "ai.onnx.contrib"), "domain"),
        (node("ATen", "org.pytorch.aten"), "domain"),
        (node("my_op", "pkg.other"), "domain"),
        (node("EPContext", "com.microsoft"), "operator"),
        (node("PythonOp", "com.microsoft"), "operator"),
        (node("PyOp"), "operator"),
    ],
)
def test_operators_that_reach_beyond_the_model(item: bytes, rule: str) -> None:
    own = (25, message((1, "my_op"), (10, "pkg.own"), (7, node("Relu"))))
    assert f"onnx.{rule}" in rules(look("m.onnx", onnx(graph(node("Relu"), item), own)))
    nested = graph(node("If", "", (5, message((6, graph(item))))))
    assert f"onnx.{rule}" in rules(look("m.onnx", onnx(nested)))


@pytest.mark.parametrize(
    "data",
    [
        onnx()[:-1],
        onnx() + b"\x3a",
        onnx() + b"\x3a\xff\x01",
        onnx() + b"\x08" + b"\xff" * 10,
        onnx() + b"\x00\x00",
        onnx() + b"\x0b",
        onnx() + b"\x3d\0\0\0",
        onnx() + varint(1 << 33) + b"\0",
        onnx() + varint(7 << 3) + b"\1",
        onnx(graph(message((4, "Relu"), (4, "PyOp")))),
        onnx(graph(node("x" * 5000))),
        onnx(graph() + b"\x0a\x05\x22\x06x"),
    ],
)
def test_what_is_no_message_is_a_finding(data: bytes) -> None:
    assert "onnx.structure" in rules(look("m.onnx", data))


def test_numbers_of_every_width_are_passed_over() -> None:
    assert is_clean(look("m.onnx", onnx(graph(tensors=(b"\x25\0\0\0\0" + b"\x51" + bytes(8),)))))


def test_what_is_not_known_is_not_inspected() -> None:
    for data, word in (
        (onnx(None, (99, 1)), "field 99 of a model"),
        (onnx(graph(node("Relu", "", (98, "x")))), "field 98 of a node"),
        (message((1, 9)), "no graph"),
    ):
        found = look("m.onnx", data)
        assert not found.inspected
        assert word in (found.reason or "")
    many = onnx(None, *((number, 1) for number in range(30, 60)), (30, 1))
    assert not look("m.onnx", many).inspected


def test_limits() -> None:
    found = look("m.onnx", onnx(), protobuf_fields=4)
    assert not found.inspected
    assert "limit" in (found.reason or "")


def test_more_operators_than_any_model_has() -> None:
    found = look("m.onnx", onnx(graph(*(node(f"Op{number}", "own") for number in range(10_001)))))
    assert not found.inspected
    assert "operators" in (found.reason or "")


def test_deep_graphs_are_followed_without_recursion() -> None:
    inside = graph(node("Steal", "evil"))
    for _ in range(300):
        inside = graph(node("If", "", (5, message((6, inside)))))
    assert "onnx.domain" in rules(look("m.onnx", onnx(inside)))


def test_weights_are_passed_over() -> None:
    raw = message((1, 1 << 20), (2, 1), (9, bytes(4 << 20)))
    assert is_clean(look("m.onnx", onnx(graph(node("Relu"), tensors=(raw,)))))


@pytest.mark.parametrize("name", ["model.onnx_data", "model.onnx.data", "onnx/model.onnx_data_1"])
def test_weights_beside_a_model_are_numbers_or_what_they_really_are(name: str) -> None:
    assert is_clean(look(name, bytes(range(1, 200))))
    assert look(name, samples.call("os", "system")).format == "pickle"
    assert "pickle.global" in rules(look(name, samples.call("os", "system")))
    assert "file.polyglot" in rules(look(name, b"\1\2" + samples.zip_bytes({"a.txt": b"x"})))
    assert not look("model.onnx.database", b"\1\2\3").inspected
