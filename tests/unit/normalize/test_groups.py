from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.formats.reports import read_report
from gate.model.scan import Category, Finding, Severity
from gate.normalize.sections.groups import component_of, groups_of
from tests.support.reports import ABOUT, SAMPLED, VECTORS, raw

JINJA = "pkg:pypi/jinja2@2.10"


def vulnerability(rule: str, *aliases: str, purl: str | None = JINJA, artifact: str | None = "app") -> Finding:
    return Finding(
        rule, Severity.HIGH, "x", artifact=artifact, aliases=aliases, purl=purl, category=Category.VULNERABILITY
    )


def test_one_vulnerability_under_three_names_is_one() -> None:
    found = [
        vulnerability("CVE-2024-22195"),
        vulnerability("GHSA-h5c8-rqwp-cp95", "CVE-2024-22195", purl="pkg:pypi/Jinja2@2.10"),
        vulnerability("PYSEC-2024-1", "ghsa-h5c8-rqwp-cp95", purl="pkg:pypi/jinja2@2.10?file_name=x#sub"),
    ]
    assert len(set(groups_of(found))) == 1


def test_names_meet_by_way_of_others() -> None:
    found = [vulnerability("A", "B"), vulnerability("C", "D"), vulnerability("X"), vulnerability("B", "C")]
    first, second, other, third = groups_of(found)
    assert first == second == third != other


@pytest.mark.parametrize(
    "other",
    [
        vulnerability("CVE-2"),
        vulnerability("CVE-1", purl="pkg:pypi/jinja2@2.11"),
        vulnerability("CVE-1", purl=None),
        vulnerability("CVE-1", artifact="model"),
        vulnerability("CVE-1", artifact=None),
    ],
)
def test_what_is_another_vulnerability(other: Finding) -> None:
    first, second = groups_of([vulnerability("CVE-1"), other])
    assert first != second


def test_other_findings_are_in_no_group() -> None:
    assert groups_of([Finding("CVE-1", Severity.HIGH, "x"), vulnerability("CVE-1")])[0] is None


@given(
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("ABCDEFG")), max_size=8).flatmap(
        lambda pairs: st.tuples(st.just(pairs), st.permutations(pairs))
    )
)
def test_groups_do_not_depend_on_the_order(lists: tuple[list[tuple[str, str]], list[tuple[str, str]]]) -> None:
    def named(pairs: list[tuple[str, str]]) -> set[tuple[tuple[str, str], str | None]]:
        return set(zip(pairs, groups_of([vulnerability(*pair) for pair in pairs]), strict=True))

    assert named(lists[0]) == named(lists[1])


@pytest.mark.parametrize(
    ("purl", "component"),
    [
        (None, None),
        ("pkg:pypi/Zope.Interface@1", "pkg:pypi/zope-interface@1"),
        ("pkg:pypi/x", "pkg:pypi/x"),
        ("pkg:npm/%40a/B@1?x=y#z", "pkg:npm/%40a/B@1"),
    ],
)
def test_components(purl: str | None, component: str | None) -> None:
    assert component_of(purl) == component


def test_what_grype_trivy_osv_scanner_and_pip_audit_saw_of_one_package_are_two_vulnerabilities() -> None:
    found = [
        finding
        for tool in ("trivy", "grype", "osv-scanner", "pip-audit")
        for finding in _findings(tool)
        if finding.purl is not None and "inja2" in finding.purl and "2020" not in finding.rule
    ]
    assert len(found) == 7
    assert len(set(groups_of(found))) == 2


def _findings(tool: str) -> tuple[Finding, ...]:
    data = (VECTORS / tool / "good.json").read_bytes()
    return read_report(raw(tool, data, artifact=ABOUT.get(tool)), SAMPLED).findings
