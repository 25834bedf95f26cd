"""Mutated files of every container of models: inspection answers, in bounded time, and never fails."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import hdf5s, protobufs
from tests.support.ggufs import gguf, list_pair, string, text_pair
from tests.support.looking import look

VECTORS = Path(__file__).parents[2] / "vectors" / "models"
WRITTEN = tuple(
    (name, (VECTORS / name).read_bytes())
    for name in (
        "tiny.gguf", "weights_inside.onnx", "weights_beside.onnx", "lambda_fixed.h5", "lambda_latest.h5",
        "external_link.h5", "tracked.h5", "chunked.h5", "sequential.keras", "sgd.skops",
    )
)  # fmt: skip
MADE = (
    ("a.gguf", gguf((text_pair("tokenizer.chat_template", "{{ x }}"), list_pair("t", 8, 1, string(b"a"))))),
    ("a.onnx", protobufs.onnx(protobufs.graph(protobufs.node("Add"), tensors=(protobufs.tensor(("location", "w")),)))),
    ("a.h5", hdf5s.newer(hdf5s.header(hdf5s.message(0x0C, hdf5s.attribute("model_config", b"{}"))))),
    ("a/saved_model.pb", (VECTORS / "saved_model_plain" / "saved_model.pb").read_bytes()),
)
RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(st.sampled_from(WRITTEN + MADE), st.data())
def test_mutated_models_never_fail(good: tuple[str, bytes], data: st.DataObject) -> None:
    name, raw = good
    mutated = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated)))
        mutated[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    found = look(name, bytes(mutated))
    assert found.inspected or found.reason
    assert "inspection failed" not in (found.reason or ""), found


@RELAXED
@given(st.sampled_from(("a.gguf", "a.onnx", "a.h5", "saved_model.pb")), st.binary(max_size=300))
def test_random_bytes_behind_a_beginning_never_fail(name: str, data: bytes) -> None:
    head = {"a.gguf": b"GGUF\3\0\0\0", "a.h5": hdf5s.SIGNATURE}.get(name, b"")
    found = look(name, head + data)
    assert found.inspected or found.reason
    assert "inspection failed" not in (found.reason or ""), found
