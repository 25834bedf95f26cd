"""Targets: reports of scanners. One that is cut, or changed elsewhere, never tells less of what was found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from hypothesis import strategies as st

from gate.formats.reports import TOOLS, read_report
from gate.formats.reports.common import MESSAGE_CHARACTERS
from gate.model.scan import Category, FindingStatus, Scan, ScanStatus, Severity
from tests.fuzz.mutation import edited, mutated, scaled
from tests.fuzz.target import Sample, Target
from tests.support.reports import ABOUT, SAMPLED, VECTORS, raw

Path_ = tuple[Any, ...]
_FOUND: Final[Mapping[str, tuple[Path_, ...]]] = {
    "fickling": (("severity",), ("analysis",), ("detailed_results",)),
    "gitleaks": ((),),
    "grype": (("matches",), ("ignoredMatches",)),
    "modelaudit": (("issues",),),
    "modelscan": (("issues",),),
    "osv-scanner": (("results", "*", "packages"),),
    "pip-audit": (("dependencies", "*", "vulns"),),
    "sarif": (("runs", "*", "results"),),
    "trivy": tuple(
        ("Results", "*", kind)
        for kind in ("Vulnerabilities", "Misconfigurations", "Secrets", "Licenses", "ExperimentalModifiedFindings")
    ),
}
"""Where the findings are in reports that are one document. A change anywhere else must not take one away."""
_SECRETS: Final = frozenset({"gitleaks", "trufflehog"})
_VALUE: Final = "EXAMPLE-VALUE-"
"""How the values in the samples of these tools begin."""


def report_target(tool: str) -> Target:
    """The target of one tool's reader, with its samples in tests/vectors."""
    seeds = tuple(Sample(tool, path.read_bytes()) for path in sorted((VECTORS / tool).iterdir()))
    whole = [sample for sample in seeds if look_at(sample).status is ScanStatus.COMPLETE]
    assert whole, f"no sample of {tool} is complete"
    ways = [st.sampled_from(whole).flatmap(_cut), mutated(st.sampled_from(seeds), seeds)]
    if tool in _FOUND:
        ways += [st.sampled_from(seeds).flatmap(_edited), st.sampled_from(whole).flatmap(_scaled)]
    else:
        ways += [st.sampled_from(whole).flatmap(_other_lines)]
    return Target(f"report.{tool}", frozenset({f"report:{tool}"}), seeds, st.one_of(ways), look_at, _judge)


def look_at(sample: Sample) -> Scan:
    return read_report(raw(sample.name, sample.data, artifact=ABOUT.get(sample.name)), SAMPLED)


def _judge(sample: Sample, answer: object) -> None:
    assert isinstance(answer, Scan)
    assert isinstance(answer.status, ScanStatus)
    is_complete = answer.status is ScanStatus.COMPLETE
    assert is_complete or answer.problem
    assert len(answer.problem or "") <= MESSAGE_CHARACTERS + 3
    for finding in answer.findings:
        assert isinstance(finding.severity, Severity)
        assert isinstance(finding.category, Category)
        assert finding.rule
        assert len(finding.message) <= MESSAGE_CHARACTERS + 3
        assert finding.file is None or finding.artifact in SAMPLED
        assert 0 <= finding.score_bp <= 10_000
    assert 0 <= answer.database_at_s < 1 << 40
    coverage = answer.coverage
    if coverage.scanned:
        assert answer.artifact is not None
        artifact = SAMPLED[answer.artifact]
        true = {path: file.digest for path, file in artifact.files.items()} or {".": artifact.digest}
        assert coverage.scanned.items() <= true.items(), "scanned by digests that the files do not have"
    assert not coverage.scanned.keys() & (coverage.missing.keys() | coverage.errors.keys())
    if is_complete:
        assert not sample.dangerous, "a part of a report passes for the whole"
        found = sum(finding.status is FindingStatus.OPEN for finding in answer.findings)
        assert found >= sample.least, f"{found} findings are left of {sample.least}"
    if sample.name in _SECRETS and sample.least:
        assert _VALUE not in repr(answer), "the value of a secret was taken over"


def _open(sample: Sample) -> int:
    return sum(finding.status is FindingStatus.OPEN for finding in look_at(sample).findings)


def _cut(sample: Sample) -> st.SearchStrategy[Sample]:
    """A part of a whole report, from its beginning."""
    # What picklescan lists behind its summary, when it is asked to, adds nothing to it.
    text = sample.data.partition(b"All globals found:")[0].rstrip()
    return st.integers(0, len(text) - 1).map(lambda end: Sample(sample.name, sample.data[:end], dangerous=True))


def _is_about(path: Path_, place: Path_) -> bool:
    """Whether a change at a path touches what is at a place, or what holds it."""
    return all(want in {"*", step} for step, want in zip(path, place, strict=False))


def _edited(sample: Sample) -> st.SearchStrategy[Sample]:
    try:
        document = json.loads(sample.data)
    except ValueError:
        return st.just(sample)
    least = _open(sample)

    def made(item: tuple[Any, Path_]) -> Sample:
        touched = any(_is_about(item[1], place) for place in _FOUND[sample.name])
        return Sample(sample.name, json.dumps(item[0]).encode(), least=0 if touched else least)

    return edited(document).map(made)


def _scaled(sample: Sample) -> st.SearchStrategy[Sample]:
    """A report with some of its lists made very long."""
    least = _open(sample)
    made: Callable[[Any], Sample] = lambda item: Sample(sample.name, json.dumps(item).encode(), least=least)  # noqa: E731
    return scaled(json.loads(sample.data)).map(made)


@st.composite
def _other_lines(draw: st.DrawFn, sample: Sample) -> Sample:
    """A report of lines, with changes in those that tell of no finding."""
    lines = sample.data.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        if any(word in lines[at] for word in (b"DetectorName", b" FOUND", b"Suspicious globals")):
            continue
        match draw(st.integers(0, 3)):
            case 0:
                lines.insert(at, lines[at])
            case 1:
                lines[at] = b""
            case 2:
                lines[at] = draw(st.binary(max_size=20)).replace(b"\r", b"") + b"\n"
            case _:
                lines.insert(at, draw(st.text(max_size=20)).encode("utf-8", "replace") + b"\n")
    return Sample(sample.name, b"".join(lines), least=_open(sample))


REPORTS: Final = {f"report.{tool}": report_target(tool) for tool in TOOLS if (VECTORS / tool).is_dir()}
"""By name. A tool without samples has no target, and the test of that says so."""
