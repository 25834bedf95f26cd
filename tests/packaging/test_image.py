"""The images are built upon what somebody has looked at, hold what is locked, and run as nobody in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Dockerfile").read_text("utf-8")
PAGE = (ROOT / "docs/how-to/install-the-webhook.md").read_text("utf-8")
NOTHING = "sha256:" + "0" * 64
LINES = [line for line in re.sub(r"\\\n", " ", TEXT).splitlines() if line and not line.startswith("#")]


def stages() -> dict[str, list[str]]:
    """The instructions of each stage by its name."""
    found: dict[str, list[str]] = {}
    for line in LINES:
        if line.startswith("FROM "):
            name = line.partition(" AS ")[2]
            assert name
            assert name not in found
            found[name] = []
        if found:
            found[next(reversed(found))].append(line)
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_is_built_upon_is_pinned_by_a_digest_that_has_to_be_filled_in() -> None:
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", TEXT, re.MULTILINE))
    assert arguments.keys() == {"RUST_IMAGE", "PYTHON_IMAGE"}
    for image in arguments.values():
        assert re.fullmatch(rf"[a-z]+:[0-9a-z.-]+@{NOTHING}", image)
    for lines in stages().values():
        assert re.fullmatch(r"FROM \$\{(RUST|PYTHON)_IMAGE\} AS [a-z-]+", lines[0])


@pytest.mark.parametrize("text", [TEXT, PAGE], ids=["Dockerfile", "page"])
def test_the_placeholder_is_explained(text: str) -> None:
    assert "docker buildx imagetools inspect" in text
    assert "--build-arg RUST_IMAGE=" in text
    assert "--build-arg PYTHON_IMAGE=" in text


def test_nothing_is_fetched_that_is_not_locked() -> None:
    for line in LINES:
        for command in re.findall(r"pip install[^&]*", line):
            assert "--require-hashes" in command or "--no-deps /wheel/*.whl" in command
        assert "ADD " not in line
        assert not re.search(r"\b(curl|wget)\b", line)


def test_the_webhooks_image_holds_what_its_extras_need() -> None:
    locks = re.findall(r"requirements/(\w+\.lock)", " ".join(stages()["webhook-packages"]))
    pinned = {
        normal(name)
        for lock in locks
        for name in re.findall(
            r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE
        )
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [line for extra in ("server", "oci", "opa", "postgres", "sigstore") for line in extras[extra]]
    names = {normal(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in [*project["dependencies"], *wanted]}
    assert names <= pinned


@pytest.mark.parametrize("name", ["webhook", "gate"])
def test_the_images_run_as_nobody_and_carry_no_tools(name: str) -> None:
    lines = stages()[name]
    assert "USER 10001:10001" in lines
    assert not [line for line in lines if line.startswith("RUN")][1:], "nothing is run after the user is made"
    copied = [line for line in lines if line.startswith("COPY")]
    assert copied == [f"COPY --from={name}-packages /opt/gate /opt/gate"]
    assert "pip uninstall --yes pip setuptools" in " ".join(stages()[f"{name}-packages"])
    assert 'ENTRYPOINT ["gate"]' in lines


def test_the_webhooks_image_has_no_git_and_nothing_that_installs() -> None:
    lines = " ".join(stages()["webhook"])
    assert "apt-get" not in lines
    assert "git" not in lines
    assert "ensurepip" in lines


def test_the_user_is_the_one_that_the_chart_runs_as() -> None:
    helpers = (ROOT / "deploy/chart/gate-webhook/templates/_helpers.tpl").read_text("utf-8")
    assert "runAsUser: 10001\n" in helpers
    assert "runAsGroup: 10001\n" in helpers


def test_what_the_wheel_holds_gets_to_the_build() -> None:
    """Folders that the package links to."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for link in (ROOT / "gate/_data").iterdir():
        if link.is_symlink():
            target = link.resolve().relative_to(ROOT)
            assert {str(target), *(str(parent) for parent in target.parents)} & let_in, target
