"""The documentation tells the truth: its generated parts are up to date, and what it shows was really printed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.data import safetensors
from gate.cli.exit_codes import EXIT_CODES
from gate.cli.main import COMMANDS, main
from tools import docs, readme

ROOT = Path(__file__).resolve().parents[2]
CI_PAGE = ROOT / "docs" / "how-to" / "run-in-ci.md"


@pytest.mark.parametrize("path", sorted(docs.pages()))
def test_generated_pages_are_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text() == docs.pages()[path], "run `make docs`"


@pytest.mark.no_cover
def test_the_readme_shows_what_the_demonstration_prints() -> None:
    text = (ROOT / "README.md").read_text()
    assert readme.filled(text, readme.demo_output()) == text, "run `make docs`"


def test_the_readme_is_short_and_names_both_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    assert "make demo" in text
    assert "make test" in text


def test_the_readme_lists_every_exit_code() -> None:
    text = (ROOT / "README.md").read_text()
    for code in EXIT_CODES:
        assert re.search(rf"\| {code} \|", text), code


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("*.md")), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    led = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)\)", index.read_text())}
    pages = {page for page in index.parent.glob("**/*.md") if page.parent.parent.name != "controls"}
    assert pages - led == {index}


def test_every_command_has_its_help_line() -> None:
    for name, line in COMMANDS.items():
        command = main.get_command(main.make_context("gate", ["--help"], resilient_parsing=True), name)
        assert command is not None
        assert command.get_short_help_str(200).rstrip(".") == line.rstrip("."), name


def test_adrs_are_short() -> None:
    for page in (ROOT / "docs" / "adr").glob("*.md"):
        assert len(page.read_text().splitlines()) <= 40, page.name


@pytest.mark.no_cover
def test_the_demonstration_prints_next_steps_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "model-release" / "demo.py"), "--keep", str(tmp_path / "kept")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("DENY", "ALLOW"))] == [
        "DENY",
        "DENY",
        "ALLOW",
    ]
    assert "gate check" in done.stdout.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def ci_jobs() -> list[dict[str, object]]:
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", CI_PAGE.read_text(), re.DOTALL)]


def test_ci_examples_have_the_whole_history_and_an_aggregate_job() -> None:
    github, gitlab = ci_jobs()
    jobs = github["jobs"]
    assert isinstance(jobs, dict)
    assert jobs["gate"]["if"] == "always()"
    assert jobs["gate"]["needs"] == "judge"
    checkout = jobs["judge"]["steps"][0]
    assert checkout["with"]["fetch-depth"] == 0
    assert isinstance(gitlab["gate"], dict)
    assert gitlab["gate"]["variables"]["GIT_DEPTH"] == "0"


def test_ci_examples_pin_actions_by_commit() -> None:
    for uses in re.findall(r"uses: (\S+)", CI_PAGE.read_text()):
        assert re.fullmatch(r"[a-z-]+/[a-z-]+(/[a-z-]+)?@(<commit>|[0-9a-f]{40})", uses), uses


def test_commands_in_the_documentation_are_accepted() -> None:
    text = "\n".join(page.read_text() for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))])
    text = text.replace("\\\n", " ")
    groups = {"attest", "chain", "controls", "demo", "policy", "scenarios"}
    plain = "check|verify|scan|sign|publish|pull|keygen|init|input|replay|diff|doctor|explain|report"
    verbs = "|".join([plain, *(f"{group} [a-z]+" for group in sorted(groups))])
    commands = set(re.findall(rf"^\s*(?:- |\$ )?gate ((?:{verbs})\b[^#|>\n]*)", text, re.MULTILINE))
    assert len(commands) >= 6
    for command in commands:
        options = re.findall(r"(?<!\S)--[a-z-]+", command)
        words = command.split()
        path = words[:2] if words[0] in groups else words[:1]
        context = main.make_context("gate", [*path, "--help"], resilient_parsing=True)
        found = main.get_command(context, path[0])
        assert found is not None
        if len(path) == 2:
            found = found.get_command(context, path[1])  # type: ignore[attr-defined]
        known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(options) <= known | {"--help"}, command


@pytest.mark.no_cover
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    """Each command of the tutorial, in its order; the exit codes are those that its text names."""
    text = (ROOT / "docs" / "tutorial" / "first-decision.md").read_text()
    model = tmp_path / "models" / "summarizer" / "model.safetensors"
    model.parent.mkdir(parents=True)
    model.write_bytes(safetensors("tutorial"))
    (tmp_path / "provenance.json").write_text(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "tutorial" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, env=environment, check=True)
    codes = []
    for line in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
        words = shlex.split(line)
        command = [sys.executable, "-P", "-m", *words] if words[0] == "gate" else words
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        codes.append(done.returncode)
    assert codes == [0, 10, 0, 0, 0, 0, 0, 13]
