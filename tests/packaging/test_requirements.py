"""What is imported is declared, and what is declared is locked to exact bytes from no particular place."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = sorted((CHECKOUT / "requirements").glob("*.lock"))
_NAME = re.compile(r"[A-Za-z0-9._-]+")
# Extras that are not in the development environment, so their distribution cannot be asked for.
KNOWN = {"git": "gitpython", "psycopg": "psycopg"}
# The clients of keys in clouds, a Vault and tokens: each is what an extra of securesystemslib is there to bring.
KNOWN |= dict.fromkeys(("azure", "boto3", "botocore", "google", "hvac", "pkcs11", "requests"), "securesystemslib")


def normal(name: str) -> str:
    """The form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    extras = [line for lines in PROJECT.get("optional-dependencies", {}).values() for line in lines]
    found = [_NAME.match(line) for line in [*PROJECT["dependencies"], *extras]]
    return {normal(match.group()) for match in found if match}


def imports(path: Path) -> set[str]:
    """The top-level names that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"gate"}


def test_every_import_is_declared() -> None:
    owners = packages_distributions()
    undeclared = {
        f"{path.relative_to(CHECKOUT)}: {name}"
        for path in (CHECKOUT / "gate").rglob("*.py")
        for name in imports(path)
        if not {normal(owner) for owner in [*owners.get(name, []), KNOWN.get(name, name)]} & declared()
    }
    assert undeclared == set()


def test_the_extension_module_has_few_importers() -> None:
    importers = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "gate").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and node.module == "gate._native")
        or (isinstance(node, ast.ImportFrom) and node.module == "gate" and "_native" in {n.name for n in node.names})
        or (isinstance(node, ast.Import) and "gate._native" in {alias.name for alias in node.names})
    }
    assert importers == {"gate/evaluate/regorus.py", "gate/formats/canonical_json.py", "gate/formats/clean.py"}


def pins(lock: Path) -> dict[str, str]:
    """The text of each requirement by its name; continuation lines are joined."""
    text = lock.read_text("utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return {normal(line.partition("==")[0]): line for line in lines if line and not line.startswith("#")}


def test_there_are_lock_files() -> None:
    assert {lock.stem for lock in LOCKS} >= {"runtime", "dev", "build"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_files_hold_exact_versions_and_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=sha256:[0-9a-f]{64})", text, re.MULTILINE)
    for name, line in pins(lock).items():
        assert re.match(r"[a-z0-9._-]+(?:\[[a-z,]+\])?==[0-9][^\s;]* ", line), name
        assert re.search(r"--hash=sha256:[0-9a-f]{64}(?: |$)", line), name


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_each_lock_file_covers_its_requirements(lock: Path) -> None:
    wanted = lock.with_suffix(".in").read_text("utf-8").splitlines()
    names = [match for line in wanted if line and line[0] not in "#-" and (match := _NAME.match(line))]
    assert {normal(match.group()) for match in names} <= pins(lock).keys()


def test_the_project_and_its_lock_file_ask_for_the_same() -> None:
    lines = (CHECKOUT / "requirements" / "runtime.in").read_text("utf-8").splitlines()
    assert {line for line in lines if line and not line.startswith("#")} == set(PROJECT["dependencies"])


def test_lock_files_agree_where_they_overlap() -> None:
    runtime, dev = (pins(CHECKOUT / "requirements" / f"{name}.lock") for name in ("runtime", "dev"))

    def version(line: str) -> str:
        return line.split(maxsplit=1)[0]

    shared = runtime.keys() & dev.keys()
    assert {name: version(runtime[name]) for name in shared} == {name: version(dev[name]) for name in shared}


def test_the_package_and_its_metadata_name_one_version() -> None:
    source = (CHECKOUT / "gate" / "__init__.py").read_text("utf-8")
    assert f'__version__ = "{PROJECT["version"]}"' in source
    cargo = tomllib.loads((CHECKOUT / "native" / "Cargo.toml").read_text("utf-8"))
    assert cargo["package"]["version"] == PROJECT["version"]
