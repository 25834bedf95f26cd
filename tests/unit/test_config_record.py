"""The section `record` of `gate.yaml`: what is read, what is refused, and that the schema agrees."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gate.config.settings import load_record
from gate.errors import ConfigError
from gate.formats import schema
from tests.unit.config_cases import BASE, FILES, Files, load, refused, text_of

CHECKPOINT = {"key": "env:GATE_LOG_KEY", "origin": "acme.example/gate"}


def with_record(record: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BASE), "record": record}


@pytest.mark.parametrize(
    "record",
    [
        {"sqlite": ".gate/record/decisions.db"},
        {"sqlite": "/var/lib/gate/decisions.db"},
        {"postgres": {"service": "gate"}},
        {"postgres": {"dsn_file": "/run/secrets/dsn"}},
        {"sqlite": "a.db", "checkpoint": CHECKPOINT},
        {"sqlite": "a.db", "checkpoint": {**CHECKPOINT, "every": 1, "public_keys": ["keys/release.pub"]}},
    ],
)
def test_what_is_read(record: dict[str, Any]) -> None:
    value = with_record(record)
    assert schema.problem("config.json", value) is None
    settings = load(text_of(value)).record
    assert settings is not None
    assert settings.sqlite == record.get("sqlite")
    below = settings.sqlite is not None and not settings.sqlite.startswith("/")
    assert [*settings.files[:2]] == ([settings.sqlite, f"{settings.sqlite}-wal"] if below else [])
    postgres = record.get("postgres", {})
    assert (settings.service, settings.dsn_file) == (postgres.get("service"), postgres.get("dsn_file"))
    if "checkpoint" in record:
        assert settings.checkpoint is not None
        assert (settings.checkpoint.key, settings.checkpoint.origin) == (CHECKPOINT["key"], CHECKPOINT["origin"])
        assert settings.checkpoint.every == record["checkpoint"].get("every", 100)
    else:
        assert settings.checkpoint is None


def test_a_public_key_steers_the_gate() -> None:
    record = {"sqlite": "a.db", "checkpoint": {**CHECKPOINT, "public_keys": ["keys/release.pub"]}}
    settings = load(text_of(with_record(record)))
    assert settings.record is not None
    assert settings.record.checkpoint is not None
    assert settings.record.checkpoint.public_keys == {"keys/release.pub": b"release key"}
    assert settings.steering.role("keys/release.pub") == "key"


BAD: list[Any] = [
    None,
    [],
    {},
    "decisions.db",
    {"sqlite": ""},
    {"sqlite": 1},
    {"sqlite": "/"},
    {"sqlite": "a/"},
    {"sqlite": "a.db", "postgres": {"service": "gate"}},
    {"postgres": {}},
    {"postgres": None},
    {"postgres": {"service": "a b"}},
    {"postgres": {"service": "gate", "dsn_file": "a"}},
    {"postgres": {"dsn_file": ""}},
    {"sqlite": "a.db", "checkpoint": {"key": "a"}},
    {"sqlite": "a.db", "checkpoint": {"origin": "a"}},
    {"sqlite": "a.db", "checkpoint": {**CHECKPOINT, "origin": "a b"}},
    *({"sqlite": "a.db", "checkpoint": {**CHECKPOINT, "every": every}} for every in (0, True, "1", 1_000_001)),
]
BEYOND_SCHEMA: list[Any] = [
    {"sqlite": "../a.db"},
    {"sqlite": "/a/../b.db"},
    {"sqlite": "models/m"},
    {"sqlite": "models/m/decisions.db"},
    {"sqlite": "a.db", "checkpoint": {**CHECKPOINT, "public_keys": ["keys/none.pub"]}},
]


@pytest.mark.parametrize("record", BAD, ids=str)
def test_what_is_refused(record: Any) -> None:
    refused(with_record(record))
    assert schema.problem("config.json", with_record(record)) is not None


@pytest.mark.parametrize("record", BEYOND_SCHEMA, ids=str)
def test_what_the_schema_cannot_know(record: Any) -> None:
    refused(with_record(record))


def test_the_section_alone() -> None:
    assert load_record("gate.yaml", Files({"gate.yaml": b"version: 1\n"})) is None
    found = load_record("gate.yaml", Files({**FILES, "gate.yaml": b"record: {sqlite: a.db}\n"}))
    assert found is not None
    with pytest.raises(ConfigError, match="there is no gate"):
        load_record("gate.yaml", Files({}))
    with pytest.raises(ConfigError, match=r"gate\.yaml:1:9"):
        load_record("gate.yaml", Files({"gate.yaml": b"record: 1\n"}))
