"""Reports whose reading would take the square of their size, if readers were careless."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from gate.formats.reports import read_report
from gate.formats.reports.common import PATH_CHARACTERS
from gate.model.scan import Scan
from tests.support.reports import ABOUT, SAMPLED, modelscan, raw, result, run, sarif

DEEP = "/" + "a/" * 20_000
HIGH = "/" + "a/" * (PATH_CHARACTERS // 2 - 20)


def read(tool: str, data: bytes) -> Scan:
    started = time.process_time()
    scan = read_report(raw(tool, data, artifact=ABOUT.get(tool)), SAMPLED)
    assert time.process_time() - started < 2
    return scan


def test_rules_are_found_by_their_ids() -> None:
    rules = [{"id": f"R{number}"} for number in range(3000)]
    results = [{"ruleId": f"X{number}/y/z", "message": {"text": "bad"}} for number in range(3000)]
    assert (
        len(read("sarif", sarif(run(tool={"driver": {"name": "x", "rules": rules}}, results=results))).findings) == 3000
    )


def test_the_first_rule_that_fits_counts() -> None:
    levels = {"": "note", "a": "error", "a/b": "none", "a/b/c": "note"}
    rules = [{"id": name, "defaultConfiguration": {"level": level}} for name, level in levels.items()]
    driver = {"driver": {"name": "x", "rules": rules}}
    found = [
        read("sarif", sarif(run(tool=driver, results=[result(ruleId=name)]))).findings[0].severity.value
        for name in ("a/b/c", "a", "a/x", "/x", "b")
    ]
    assert found == ["high", "high", "high", "low", "medium"]


@pytest.mark.parametrize("path", [DEEP, HIGH])
def test_long_paths_name_nothing(path: str) -> None:
    results: list[Any] = [result("file://" + path + "b") for _ in range(20)]
    assert {finding.file for finding in read("sarif", sarif(run(results=results))).findings} == {None}
    for target, names in (("models/m", (path + "b",) * 20), (path, ("model.bin",) * 20)):
        scan = read("modelscan", modelscan(files=names, target=target))
        assert scan.coverage.scanned == {}
    document = {"SchemaVersion": 2, "ArtifactName": path, "ArtifactType": "filesystem", "Results": [{"Target": "x"}]}
    assert read("trivy", json.dumps(document).encode()).coverage.scanned == {}
