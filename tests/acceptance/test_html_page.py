"""The page in a real browser: what it shows, how it is used, and that it is quick."""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from gate.formats.decision_document import load_decision
from gate.model.decision import Decision
from gate.report.html.heat import MEANINGS
from gate.report.interface import render
from tests.acceptance.world import World
from tests.support.browser import CONTRASTS, chromium, opened
from tests.support.decisions import GOLDEN, approval, dry_refusal, refusal
from tests.support.hostile_decisions import hostile
from tests.support.large_decisions import large
from tests.support.pages import HOW_TO, run_page

# One worker starts the browser.
pytestmark = pytest.mark.xdist_group("browser")
PAGE = (HOW_TO / "html-report.md").read_text("utf-8")
SCHEMES = ("light", "dark")
HOSTILE = [
    "<script>document.title = 'ran'; alert(1)</script>",
    '"><img src=x onerror="document.title=\'ran\'">',
    "</style><style>body{display:none}</style>",
    "' onfocus='document.title=1' autofocus='",
    "</title></head><h1>ALLOW</h1>",
    "<svg onload=alert(1)>",
    "<!-- ",
    "{{ 7 * 7 }}{% raw %}",
    "\u202eWOLLA\u0000\ud800",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def saved(folder: Path, decision: Decision) -> Path:
    file = folder / "report.html"
    file.write_text(render("html", decision), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 artifacts and 2,000 findings."""
    return saved(tmp_path_factory.mktemp("fleet"), large())


def shown(page: Page, selector: str) -> int:
    return page.locator(f"{selector}:not([hidden])").count()


def settled(page: Page) -> None:
    """After what an input has asked for is done."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", GOLDEN)
def test_one_file_is_all_it_takes(browser: Browser, tmp_path: Path, name: str, scheme: Any) -> None:
    decision = GOLDEN[name]()
    with opened(browser, saved(tmp_path, decision), color_scheme=scheme) as found:
        assert len(found.requests) == 1
        assert found.complaints == []
        verdict = {"allow": "ALLOW", "deny": "DENY", "error": "NO DECISION"}[decision.verdict.value]
        assert found.page.locator("h1 .verdict").inner_text() == verdict
        assert found.page.title().startswith(f"{verdict}: ")
        assert found.page.get_by_role("search").is_visible()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_s34_text_from_outside_runs_nothing_and_hides_nothing(browser: Browser, tmp_path: Path, text: str) -> None:
    with opened(browser, saved(tmp_path, hostile(text))) as found:
        assert found.page.title().startswith("DENY: change against")
        assert found.page.locator("h1").count() == 1
        assert found.page.locator("h1 .verdict").is_visible()
        assert len(found.requests) == 1
        assert found.complaints == []


def test_the_policy_of_the_page_stops_what_would_get_in_all_the_same(browser: Browser, tmp_path: Path) -> None:
    file = saved(tmp_path, refusal())
    planted = "<script>document.title = 'ran'</script><img src='x.png'><p id=p style='color: rgb(1, 2, 3)'>x</p></main>"
    file.write_text(file.read_text().replace("</main>", planted))
    with opened(browser, file) as found:
        assert found.page.title().startswith("DENY")
        assert found.page.locator("#p").evaluate("(p) => getComputedStyle(p).color") != "rgb(1, 2, 3)"
        assert len([line for line in found.complaints if "Content Security Policy" in line]) == 3


def test_it_says_why_and_what_to_do_without_scripts(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, refusal()), java_script_enabled=False) as found:
        cards = found.page.locator("#why > .card")
        assert cards.locator("h3 code").all_inner_texts() == ["evidence.accepted", "artifact.signed", "change.attested"]
        assert "Sign it with gate sign models/summarizer" in cards.nth(1).inner_text()
        assert not found.page.locator("#filters").is_visible(), "what does nothing is not shown"
        assert found.page.locator("#findings tbody tr").count() == 11
        assert found.page.locator("#heat").get_attribute("role") is None


def test_a_search_looks_into_every_part_and_says_what_it_found(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, refusal())) as found:
        page = found.page
        page.get_by_label("Search", exact=True).fill("SCAN.MALWARE extra.bin")
        settled(page)
        assert shown(page, "#findings .item") == 1
        assert shown(page, "#controls .item") == 0
        assert page.locator("#findings-head").inner_text() == "Findings (1 of 11 shown)"
        assert page.get_by_role("status").inner_text().startswith("Filtered: 0 of 2 artifacts in the map, 1 of 11 find")
        page.get_by_label("Search", exact=True).fill("no such word")
        settled(page)
        assert page.locator(".item:not([hidden])").count() == 0
        told = page.get_by_role("status").inner_text()
        assert told.endswith(f"0 of {page.locator('#why .item').count()} controls that refuse or warn."), told
        page.get_by_role("button", name="Clear").click()
        assert shown(page, "#findings .item") == 11
        assert page.get_by_role("status").inner_text() == ""
        assert page.evaluate("document.activeElement.id") == "q"


def test_filters_combine(browser: Browser, fleet: Path) -> None:
    with opened(browser, fleet) as found:
        page = found.page
        page.get_by_label("Effect", exact=True).select_option("warns")
        settled(page)
        assert shown(page, "#findings .item") == 500
        page.get_by_label("Artifact", exact=True).select_option("adapter-001")
        settled(page)
        rows = page.locator("#findings .item:not([hidden])")
        assert rows.count() > 0
        assert {"adapter-001"} == set(page.locator("#findings .item:not([hidden]) td:nth-child(3)").all_inner_texts())
        assert shown(page, "#heat .item") == 1
        page.get_by_label("Evidence", exact=True).select_option("rejected")
        settled(page)
        assert shown(page, "#evidence .item") == 0
        assert page.locator("#evidence-head").inner_text() == "Evidence (0 of 844 shown)"


def test_a_framework_is_shown_and_printed_alone(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, large(40, 80))) as found:
        page = found.page
        parts = page.locator("#frameworks details.part")
        assert [parts.nth(n).get_attribute("open") for n in range(parts.count())] == [None, None]
        page.get_by_label("Framework", exact=True).select_option("NIST-800-218A")
        settled(page)
        assert [parts.nth(n).is_visible() for n in range(parts.count())] == [True, False]
        assert parts.nth(0).locator(".item").first.is_visible()
        page.emulate_media(media="print")
        assert not page.get_by_role("navigation").is_visible()
        assert not page.get_by_label("Search", exact=True).is_visible()
        assert page.locator("#shown").is_visible(), "paper says that it does not show all"


def test_everything_is_named_for_screen_readers(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, refusal())) as found:
        session = found.page.context.new_cdp_session(found.page)
        nodes = [node for node in session.send("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
        names: dict[str, list[str]] = {}
        for node in nodes:
            names.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
        named = ("navigation", "search", "region", "grid", "table", "image", "heading", "link", "button")
        for role in (*named, "searchbox", "combobox", "columnheader", "rowheader"):
            assert all(names[role]), f"a {role} without a name"
        assert found.page.locator("[tabindex='0']:not([aria-label]):not(td)").count() == 0
        assert len(set(names["region"])) == len(names["region"])
        assert len(names["banner"]) == len(names["main"]) == 1
        levels = [
            int(tag[1]) for tag in found.page.eval_on_selector_all("h1,h2,h3", "(all) => all.map((h) => h.tagName)")
        ]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert found.page.evaluate("document.documentElement.lang") == "en"


def test_large_tables_keep_their_roles(browser: Browser, fleet: Path) -> None:
    with opened(browser, fleet) as found:
        page = found.page
        assert page.locator("#heat").get_attribute("role") == "grid"
        roles = page.evaluate("""() => Object.fromEntries(["#heat", "#findings table"].map((name) => [name,
          [...new Set([...document.querySelectorAll(`${name} *`)].map((n) => n.getAttribute("role")))].sort()]))""")
        shared = ["columnheader", "row", "rowgroup"]
        assert {*shared, "gridcell", "rowheader"} <= set(roles["#heat"])
        assert {*shared, "cell"} <= set(roles["#findings table"])


def test_the_keyboard_reaches_everything_in_order(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, refusal())) as found:
        page = found.page
        tags, stops = [], []
        for _ in range(200):
            page.keyboard.press("Tab")
            stop = page.evaluate(
                """() => { const a = document.activeElement; const r = a.getBoundingClientRect();
                return [a.tagName, a.id || a.textContent.trim().slice(0, 20), r.width * r.height > 0]; }"""
            )
            if stop[0] == "BODY":
                break
            assert stop[2], f"{stop} has the focus and is not to be seen"
            tags.append(stop[0])
            stops.append(stop[1])
        assert stops[0] == "To the decision"
        assert stops[1:4] == ["Why", "Coverage", "Findings"]
        places = [stops.index(name) for name in ("Record", "q", "s", "c", "a", "f", "e", "clear", "theme", "print")]
        assert places == sorted(places)
        assert tags.count("TD") == 1, "one stop in the map"
        assert len(stops) < 60


def test_arrows_move_in_the_map_and_enter_shows_the_findings(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, refusal())) as found:
        page = found.page

        def focused() -> str:
            return str(page.evaluate("document.activeElement.textContent"))

        page.locator("#heat td").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        assert focused() == "fail"
        assert page.locator("#map-cell").inner_text() == "summarizer, artifact.signed: fail"
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("PageDown")
        page.keyboard.press("End")
        assert focused() == "waived"
        page.keyboard.press("Home")
        assert focused() == "pass"
        page.keyboard.press("Enter")
        assert shown(page, "#findings .item") == 11, "there is no finding to show"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        settled(page)
        assert page.evaluate("document.activeElement.id") == "findings-head"
        assert shown(page, "#findings .item") == 1
        assert (
            page.get_by_label("Control", exact=True).evaluate("(s) => s.selectedOptions[0].text") == "artifact.signed"
        )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_texts_stand_out_from_what_is_behind_them(browser: Browser, tmp_path: Path, scheme: Any) -> None:
    for decision in (refusal(), approval(), dry_refusal(), large(40, 200)):
        with opened(browser, saved(tmp_path, decision), color_scheme=scheme) as found:
            found.page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
            ratios = found.page.evaluate(CONTRASTS)
            assert len(ratios) > 20
            assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_the_other_colours_are_a_button_away(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, approval()), color_scheme="light") as found:
        ground = "getComputedStyle(document.body).backgroundColor"
        before = found.page.evaluate(ground)
        button = found.page.get_by_role("button", name="Light or dark")
        button.click()
        assert found.page.evaluate(ground) != before
        button.click()
        assert found.page.evaluate(ground) == before


@pytest.mark.parametrize("width", [320, 390, 800, 2560])
def test_no_width_makes_the_page_itself_scroll_sideways(browser: Browser, tmp_path: Path, width: int) -> None:
    for decision in (refusal(), hostile("x" * 5_000)):
        with opened(browser, saved(tmp_path, decision), width=width) as found:
            assert found.page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_shows_what_is_folded_away(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, saved(tmp_path, refusal()), color_scheme="dark") as found:
        warnings = found.page.locator("#why > details")
        assert warnings.get_attribute("open") is None
        found.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        found.page.emulate_media(media="print")
        assert warnings.locator(".card").is_visible()
        assert found.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        found.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert warnings.get_attribute("open") is None
        document = found.page.pdf(prefer_css_page_size=True)
        assert document.startswith(b"%PDF")
        assert 2 <= document.count(b"/Type /Page\n") <= 20


STEPS = [("q", "w"), ("q", "we"), ("q", "weights-01"), ("q", ""), ("s", "warns"), ("s", ""), ("a", "7"), ("a", "")]
CHANGE = """async ([id, value]) => {
  const field = document.getElementById(id);
  field.value = value;
  field.dispatchEvent(new Event("input", {bubbles: true}));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def test_a_decision_of_a_fleet_opens_and_filters_without_lag(
    browser: Browser, fleet: Path, record_property: Callable[[str, object], None]
) -> None:
    """In processor time of the page's main thread, which others on the machine take nothing from."""
    with opened(browser, fleet) as found:
        page = found.page
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def spent() -> float:
            metrics = session.send("Performance.getMetrics")["metrics"]
            return float({one["name"]: one["value"] for one in metrics}["TaskDuration"])

        page.reload()
        settled(page)
        opening = spent()
        steps = []
        for part in ("why", "map", "findings", "evidence"):
            page.evaluate(f"document.getElementById('{part}').scrollIntoView()")
            settled(page)
            for step in STEPS:
                before = spent()
                page.evaluate(CHANGE, list(step))
                steps.append(spent() - before)
        record_property(
            "page", f"{opening:.2f} s to open, {statistics.median(steps):.3f} s a filter, {max(steps):.3f} s the worst"
        )
        assert opening < 6
        assert statistics.median(steps) < 0.25
        assert max(steps) < 1.5


@pytest.mark.no_cover
def test_the_how_to_page_works_as_written(browser: Browser, tmp_path: Path) -> None:
    world = World.make(tmp_path / "work", evidence=False)
    shown = run_page("html-report.md", world.root, tmp_path / "programs")
    assert shown.startswith("DENY  change against")
    assert shown.endswith("\nexit 10\n")
    file = world.root / "report.html"
    with opened(browser, file) as found:
        assert found.page.locator("h1 .verdict").inner_text() == "DENY"
        assert found.page.locator("#why > .card").count() > 0
    decision = load_decision((world.root / "decision.json").read_bytes())
    assert file.read_text("utf-8") == render("html", decision)


def test_the_how_to_page_names_every_part_and_every_cell(browser: Browser, tmp_path: Path) -> None:
    tables = [
        dict(re.findall(r"^\| `?([^|`]+)`? \| ([^|]+) \|$", part, re.MULTILINE)) for part in PAGE.split("\n## ")[1:2]
    ]
    rows = {name: meaning for table in tables for name, meaning in table.items()}
    with opened(browser, saved(tmp_path, refusal())) as found:
        parts = found.page.eval_on_selector_all("main h2", "(all) => all.map((h) => h.firstChild.textContent.trim())")
    assert [name for name in rows if name in parts] == parts
    assert {name: rows["-" if name == "none" else name] for name in MEANINGS} == dict(MEANINGS)


def test_a_decision_read_back_makes_the_same_page() -> None:
    for decision in (*(make() for make in GOLDEN.values()), large(30, 60)):
        read = load_decision(render("json", decision).encode())
        assert render("html", read) == render("html", decision)
