"""The samples of evaluations, in-toto's vulnerabilities and Scorecard in tests/vectors/reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates import read_statement
from gate.formats.results import ResultsError, Samples, read_results
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.digest import sha256_digest
from gate.model.evidence import Revision, Statement, Subject

VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "reports"
KINDS = {"good", "partial", "empty", "cut", "wrong-target", "hostile"}
SUBJECTS = (Subject("server", sha256_digest(b"image")),)
COMMIT = (Subject("code.example/acme/app", None, {}, Revision("c" * 40)),)


def sample(name: str) -> bytes:
    tool, kind = name.split("/")
    [path] = (VECTORS / tool).glob(f"{kind}.*")
    return path.read_bytes()


@pytest.mark.parametrize("tool", ["garak", "promptfoo", "lm-eval", "junit", "in-toto-vulns", "scorecard"])
def test_each_has_all_kinds_of_samples(tool: str) -> None:
    assert {path.stem for path in (VECTORS / tool).iterdir()} >= KINDS


@pytest.mark.parametrize(
    ("name", "metrics", "samples"),
    [
        (
            "garak/good",
            {"dan.Dan_11_0/dan.DAN": "0.97", "leakreplay.LiteratureCloze/leakreplay.StartsWith": "1"},
            Samples(150, 150),
        ),
        ("garak/partial", {"dan.Dan_11_0/dan.DAN": "1"}, Samples(90, 100)),
        ("garak/wrong-target", {"encoding.InjectBase64/encoding.DecodeMatch": "1"}, Samples(5, 5)),
        ("promptfoo/good", {"pass_rate": "0.9"}, Samples(10, 10)),
        ("promptfoo/partial", {"pass_rate": "0.9"}, Samples(9, 10)),
        ("lm-eval/good", {"arc/acc": "0.71"}, Samples(1172, 1172)),
        ("lm-eval/partial", {"arc/acc": "0.71"}, Samples(10, 1172)),
        ("lm-eval/wrong-target", {"hellaswag/acc": "0.9"}, Samples(5, 5)),
        ("junit/good", {"pass_rate": "0.666666666666666666666666"}, Samples(3, 3)),
    ],
)
def test_what_is_measured(name: str, metrics: dict[str, str], samples: Samples) -> None:
    found = read_results(sample(name), name)
    assert {key: value.text for key, value in found.metrics.items()} == metrics
    assert found.samples == samples
    assert found.tool == name.partition("/")[0]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("garak/empty", "the file is empty"),
        ("garak/cut", "so this one was cut"),
        ("garak/hostile", "contradict one another"),
        ("garak/none", "no metric"),
        ("promptfoo/empty", "is no ratio"),
        ("promptfoo/cut", "promptfoo/cut"),
        ("promptfoo/wrong-target", "known are 1, 2 and 3"),
        ("promptfoo/hostile", "10 successes, and 0"),
        ("lm-eval/empty", "no metric"),
        ("lm-eval/cut", "lm-eval/cut"),
        ("lm-eval/hostile", "not a number"),
        ("junit/empty", "is no ratio"),
        ("junit/cut", "not XML"),
        ("junit/wrong-target", "expected testsuites or testsuite"),
        ("junit/hostile", "document type declaration"),
    ],
)
def test_what_is_no_result(name: str, word: str) -> None:
    with pytest.raises(ResultsError, match=word):
        read_results(sample(name), name)


def test_what_was_skipped_is_no_evaluated_sample() -> None:
    found = read_results(sample("junit/partial"), "junit")
    assert found.samples is not None
    assert found.samples.evaluated < found.samples.expected


def statement(name: str) -> Statement:
    data = sample(name)
    predicate: Any = loads_object(data, limit=len(data))
    if name.startswith("scorecard"):
        return read_statement(RawStatement(COMMIT, "https://scorecard.dev/result/v0.1", predicate))
    return read_statement(RawStatement(SUBJECTS, "https://in-toto.io/attestation/vulns/v0.2", predicate))


def test_vulnerabilities() -> None:
    assert statement("in-toto-vulns/good").facts["database_at_s"] == 1_795_069_860
    assert severities("in-toto-vulns/good") == ["high"]
    assert statement("in-toto-vulns/partial").facts["database_at_s"] == 0
    assert severities("in-toto-vulns/partial") == ["unknown"]
    assert severities("in-toto-vulns/empty") == []
    assert severities("in-toto-vulns/hostile") == ["critical", "unknown"], "the gravest that is stated"


def severities(name: str) -> list[Any]:
    found: Any = statement(name).facts["findings"]
    return [item["severity"] for item in found]


def test_scorecard() -> None:
    good: Any = statement("scorecard/good").facts
    assert (good["score_bp"], good["commit"], set(good["checks"])) == (7100, "c" * 40, {"Code-Review", "Fuzzing"})
    partial: Any = statement("scorecard/partial").facts
    assert partial["checks"]["Code-Review"] != good["checks"]["Code-Review"], "inconclusive"
    assert statement("scorecard/empty").facts["checks"] == {}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("in-toto-vulns/wrong-target", "predicate"),
        ("scorecard/hostile", "predicate"),
        ("scorecard/wrong-target", "subject"),
    ],
)
def test_what_is_no_statement(name: str, code: str) -> None:
    with pytest.raises(StatementError) as caught:
        statement(name)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["in-toto-vulns/cut", "scorecard/cut"])
def test_what_is_cut_is_no_json(name: str) -> None:
    with pytest.raises(StrictJsonError):
        statement(name)
