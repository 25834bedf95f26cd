"""The files that are installed with the package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate import resources

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_rego_library_is_the_folder_of_the_checkout_in_order() -> None:
    root = CHECKOUT / "rego"
    expected = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found = resources.rego_files()
    assert found == expected
    assert list(found) == sorted(expected)


def test_schemas_are_found_by_their_path() -> None:
    paths = list((CHECKOUT / "schemas").rglob("*.json"))
    assert paths
    for path in paths:
        content = resources.schema(path.relative_to(CHECKOUT / "schemas").as_posix())
        assert json.loads(content) == json.loads(path.read_bytes())


def test_frameworks_are_found_by_their_id() -> None:
    expected = {path.stem: path.read_bytes() for path in (CHECKOUT / "frameworks").iterdir()}
    found = resources.framework_files()
    assert found == expected
    assert list(found) == sorted(expected)


def test_the_authorisation_of_an_opa_server_is_packaged() -> None:
    assert resources.authz_policy() == (CHECKOUT / "deploy" / "opa" / "authz.rego").read_bytes()


def test_an_unknown_schema_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        resources.schema("no/such.json")


def test_an_installation_without_policy_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_DATA", tmp_path)
    with pytest.raises(FileNotFoundError, match="damaged"):
        resources.rego_files()
    (tmp_path / "rego").mkdir()
    with pytest.raises(FileNotFoundError, match="damaged"):
        resources.rego_files()
