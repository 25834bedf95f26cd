"""Every scenario's input document gives the same report in OPA and in the embedded engine (CONTROLS 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.acceptance.test_scenarios import NAMES, WORKS, arguments, build
from tests.acceptance.world import inside
from tests.property import rego_library as library
from tests.property.engines import ERROR, UNDEFINED, Comparison
from tests.support.opa_server import OpaServer


def test_scenarios_give_equal_reports(tmp_path: Path, record_property: Any) -> None:
    """Those that end before there is a document have nothing to compare: exit 2 or 3."""
    with OpaServer(str(library.ROOT / "rego")) as opa:
        comparison = Comparison(opa, library.compiled("data.gate.main.report"))
        without = set()
        for work, name in zip(WORKS, NAMES, strict=True):
            root = build(work, tmp_path / name).root
            done = inside("input", *arguments(work), "--root", str(root))
            if done.code in {2, 3}:
                without.add(name)
                continue
            assert done.code == 0, done.text
            answer = comparison.compare_report(json.loads(done.out), name)
            assert answer not in {ERROR, UNDEFINED}, name
    record_property("differential", comparison.summary("scenarios"))
    assert not comparison.examples
    assert comparison.asked + len(without) == len(NAMES)
    assert {name for name in NAMES if not name.startswith("error/")} & without == set()
    assert comparison.statuses >= {"pass", "fail", "not_applicable"}
