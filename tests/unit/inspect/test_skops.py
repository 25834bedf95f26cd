from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import samples
from tests.support.looking import is_clean, look, rules

VECTORS = Path(__file__).parents[2] / "vectors" / "models"


def node(loader: Any, module: Any, name: Any, **more: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 1, **more}


def skops(schema: object, **members: bytes) -> bytes:
    raw = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    return samples.zip_bytes({"schema.json": raw, "1.npy": samples.npy()} | members)


NUMBERS = node("NdArrayNode", "numpy", "ndarray", file="1.npy")
STATE = node("DictNode", "builtins", "dict", content={"coef_": NUMBERS})
ROOT = node("ObjectNode", "sklearn.linear_model._logistic", "LogisticRegression", content=STATE, protocol=2)


@pytest.mark.parametrize("name", ["pipeline.skops", "sgd.skops"])
def test_archives_that_skops_wrote_are_clean(name: str) -> None:
    found = look(name, (VECTORS / name).read_bytes())
    assert is_clean(found), found


@pytest.mark.parametrize(
    "schema",
    [
        ROOT,
        node("FunctionNode", "numpy", "log1p"),
        node("FunctionNode", "scipy.special", "expit"),
        node("SparseMatrixNode", "scipy.sparse._csr", "csr_matrix"),
        node("RandomGeneratorNode", "numpy.random._generator", "Generator"),
        node("ListNode", "builtins", "list", content=[node("JsonNode", "builtins", "str")]),
        node("TreeNode", "sklearn.tree._tree", "Tree"),
    ],
)
def test_good_archives_are_clean(schema: object) -> None:
    found = look("m.skops", skops(schema))
    assert is_clean(found), found
    assert found.format == "skops"


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        (node("MethodNode", "builtins", "dict"), "loader"),
        (node("OperatorFuncNode", "operator", "attrgetter"), "loader"),
        (node("EvilNode", "builtins", "dict"), "loader"),
        (node("FunctionNode", "numpy", "load"), "type"),
        (node("FunctionNode", "builtins", "eval"), "type"),
        (node("FunctionNode", "sklearn.datasets", "FetchAll"), "type"),
        (node("TypeNode", "os", "system"), "type"),
        (node("ObjectNode", "builtins", "eval"), "type"),
        (node("ObjectNode", "sklearn.utils", "import_module"), "type"),
        (node("ObjectNode", "sklearn_evil", "Model"), "type"),
        (node("ObjectNode", "sklearn.x", "A.b"), "type"),
        (node("ObjectNode", "numpy._evil", "x"), "type"),
        (node("ObjectNode", None, "Model"), "node"),
        ({"__class__": "dict"}, "node"),
        ([[{"a": node("TypeNode", "os", "system")}]], "type"),
        (b"{", "schema"),
        (b'{"a": 1, "a": 2}', "schema"),
    ],
)
def test_what_is_not_on_the_lists_is_a_finding(schema: object, rule: str) -> None:
    assert f"skops.{rule}" in rules(look("m.skops", skops(schema)))


def test_other_members_are_judged_cut_and_large_archives_too() -> None:
    assert "pickle.global" in rules(look("m.skops", skops(ROOT, **{"2.npy": samples.call("os", "system")})))
    assert not look("m.skops", skops(ROOT)[:-9]).inspected
    assert not look("m.skops", skops(ROOT), json_bytes=9).inspected
    assert "file.mismatch" in rules(look("m.skops", samples.zip_bytes({"a.txt": b"x"})))
