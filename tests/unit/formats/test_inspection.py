"""What processes tell one another about a file comes through whole, and nothing else does."""

from __future__ import annotations

import json

import pytest

from gate.formats.inspection import from_json, to_json
from gate.model.digest import sha256_digest
from gate.model.scan import Category, FileInspection, Finding, FindingStatus, Severity, Template

FINDING = Finding(
    "pickle.call", Severity.CRITICAL, "calls \udc80", "a", "f", 9800, ("CVE-1",), "pkg:x/y", "2", FindingStatus.OPEN,
    "because", Category.UNSAFE,
)  # fmt: skip
PLAIN = Finding("x", Severity.NONE, "")
WHOLE = FileInspection(
    "gguf", True, None, (FINDING, PLAIN), {"chat": Template(sha256_digest(b"t"), ("loops",))}, "base/model"
)


@pytest.mark.parametrize("found", [WHOLE, FileInspection("unknown", inspected=False, reason="too large")])
def test_it_comes_through_whole(found: FileInspection) -> None:
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


@pytest.mark.parametrize("value", [
    None,
    [],
    ["gguf", 1, None, [], {}, None],
    ["gguf", True, 5, [], {}, None],
    ["gguf", True, None, [], {}, 5],
    ["gguf", True, None, [5], {}, None],
    ["gguf", True, None, [], {"a": 5}, None],
    ["gguf", True, None, [], {"a": ["sha256:1", []]}, None],
    ["gguf", True, None, [], {"a": [sha256_digest(b""), [5]]}, None],
    ["gguf", True, None, [[["x", "worst", "", "unsafe", "open", 0], [None] * 5, []]], {}, None],
    ["gguf", True, None, [[["x", "low", "", "unsafe", "open", 0], [1] * 5, []]], {}, None],
])  # fmt: skip
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"no |something else|is not a valid"):
        from_json(value)  # type: ignore[arg-type]
