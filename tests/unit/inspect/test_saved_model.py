from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.inspect.saved_model_operators import CHECKPOINT, COMPUTING
from tests.support import samples
from tests.support.looking import is_clean, look, rules
from tests.support.protobufs import message

VECTORS = Path(__file__).parents[2] / "vectors" / "models"
LAMBDA = json.dumps({"class_name": "Lambda"})


def model(*nodes: str, functions: tuple[bytes, ...] = (), extra: bytes = b"", metadata: str = "") -> bytes:
    library = message(*((1, item) for item in functions))
    graph = message(*((1, message((1, "n"), (2, name))) for name in nodes), (2, library), (4, b""))
    objects = message((1, message((4, message((1, "x"), (3, metadata))))), (2, b""))
    return message((1, 1), (2, message((1, b""), (2, graph), (7, objects)) + extra))


def function(name: str, *operators: str) -> bytes:
    nodes = tuple((3, message((1, "n"), (2, item))) for item in operators)
    return message((1, message((1, name))), *nodes, (4, b""))


@pytest.mark.parametrize("name", ["saved_model_plain", "saved_model_keras"])
def test_what_tensorflow_wrote_is_clean(name: str) -> None:
    files = [path for path in (VECTORS / name).rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        found = look(path.relative_to(VECTORS).as_posix(), path.read_bytes())
        assert is_clean(found), (path.name, found)


@pytest.mark.parametrize(
    ("name", "operators"),
    [("saved_model_files", ("ReadFile", "WriteFile")), ("saved_model_python", ("EagerPyFunc",))],
)
def test_operators_that_do_more_than_compute_are_findings(name: str, operators: tuple[str, ...]) -> None:
    found = look("saved_model.pb", (VECTORS / name / "saved_model.pb").read_bytes())
    said = [finding.message for finding in found.findings if finding.rule == "saved_model.operator"]
    assert len(said) == len(operators)
    assert all(f"operator {operator} " in text for operator, text in zip(operators, said, strict=True))


@pytest.mark.parametrize(
    "operator",
    """PyFunc PyFuncStateless ReadFile WriteFile MatchingFiles PrintV2 TFRecordDataset SqlDataset RpcCall RemoteCall
    InitializeTableFromTextFileV2 WholeFileReaderV2 DecodeProtoV2 FixedUnigramCandidateSampler XlaCustomCall Save
    Restore LoadDataset SaveDataset CreateSummaryFileWriter DumpTensor DebugIdentityV2 MyCustomOp""".split(),  # noqa: SIM905
)
def test_no_such_operator_is_on_the_list(operator: str) -> None:
    assert operator not in COMPUTING | CHECKPOINT
    for data in (model("MatMul", operator), model("MatMul", functions=(function("f", "Relu", operator),))):
        assert "saved_model.operator" in rules(look("saved_model.pb", data))


def test_a_function_may_be_called_like_an_operator_and_cannot_stand_for_one() -> None:
    assert is_clean(look("saved_model.pb", model("__inference_f_1", functions=(function("__inference_f_1", "Relu"),))))
    assert "saved_model.operator" in rules(look("saved_model.pb", model("__inference_f_1")))
    assert "saved_model.operator" in rules(look("saved_model.pb", model("ReadFile", functions=(function("ReadFile"),))))


def test_settings_of_keras_in_a_model_are_judged() -> None:
    assert "keras.code" in rules(look("saved_model.pb", model(metadata=LAMBDA)))
    assert "keras.code" in rules(look("keras_metadata.pb", message((1, message((2, 1), (3, "root"), (5, LAMBDA))))))
    assert is_clean(
        look("keras_metadata.pb", message((1, message((2, 1), (3, "root"), (5, '{"class_name": "Dense"}')))))
    )


@pytest.mark.parametrize(("file", "good"), [("vocab.txt", True), ("../vocab.txt", False), ("/etc/passwd", False)])
def test_assets_stay_beside_the_model(file: str, good: bool) -> None:
    asset = message((6, message((1, b""), (2, file))))
    assert ("saved_model.path" not in rules(look("saved_model.pb", model("Relu", extra=asset)))) is good


def test_broken_unknown_and_large_models() -> None:
    good = model("MatMul")
    assert "saved_model.structure" in rules(look("saved_model.pb", good[:-1]))
    unknown = look("saved_model.pb", good + message((9, 1), (10, 1)))
    assert not unknown.inspected
    assert "field 9 of a model" in (unknown.reason or "")
    assert not look("fingerprint.pb", message((77, 1))).inspected
    assert not look("saved_model.pb", good, protobuf_fields=2).inspected
    assert not look("saved_model.pb", model(*(f"Op{number}" for number in range(10_001)))).inspected


def test_checkpoints() -> None:
    index = bytes(40) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
    assert is_clean(look("variables/variables.index", index))
    for bad in (index[:-1], index[8:], index + b"x"):
        assert not look("variables/variables.index", bad).inspected
    name = "variables/variables.data-00000-of-00001"
    assert is_clean(look(name, b"\1\2\3\4"))
    assert look(name, samples.call("os", "system")).format == "pickle"
    assert "file.polyglot" in rules(look(name, b"\1\2" + samples.zip_bytes({"a.txt": b"x"})))
