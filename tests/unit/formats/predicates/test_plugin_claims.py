"""Claims of third parties: read when they are sound, and an error when they are not."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from gate.app.attest_create import TypedRequest, create_typed
from gate.app.produce import Place
from gate.attest.collector import Collected, Collector, Files
from gate.attest.predicates import plugin_collector
from gate.config.nodes import claim
from gate.errors import ConfigError
from gate.formats.predicates import known_claims, plugin_claims, plugins, readers
from gate.formats.predicates.plugin_claims import ClaimPlugin
from gate.formats.strict_yaml import Node, YamlError
from gate.model.claim import CLAIMS, is_plugin_claim, may_build_on
from gate.model.digest import sha256_digest
from gate.model.evidence import Subject
from gate.model.json import JsonObject
from tests.support.evidence import envelope, refusal, signer, statement, trust, verify
from tests.unit.formats.predicates.reading import code_of, read

KIND: Final = "https://acme.example/energy/v1"
SCHEMA: Final[JsonObject] = {"type": "object", "properties": {"kwh": {"type": "integer"}}, "required": ["kwh"]}


def facts(predicate: JsonObject) -> JsonObject:
    return {"kwh": predicate["kwh"]}


ENERGY: Final = ClaimPlugin("x.acme.energy", KIND, SCHEMA, facts)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    plugins.cache_clear()
    yield
    plugins.cache_clear()


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Installs entry points, each of an object, for the time of a test."""

    def install(*offered: object, names: tuple[str, ...] = ("x.acme.energy",)) -> None:
        info = tmp_path / "acme-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        lines = [f"{name} = acme_offered:P{number}\n" for number, name in enumerate(names)]
        (info / "entry_points.txt").write_text("[gate.claims]\n" + "".join(lines))
        module = type(sys)("acme_offered")
        for number, item in enumerate(offered):
            setattr(module, f"P{number}", item)
        monkeypatch.setitem(sys.modules, "acme_offered", module)
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()

    return install


def text(value: str) -> Node:
    return Node(value, 1, 1, {})


def test_a_plugin_is_read_and_its_claim_known(offer: Any) -> None:
    offer(ENERGY)
    found = read(KIND, {"kwh": 3, "created_at": "2026-11-20T10:00:00Z"})
    assert (found.claim, found.stated_at_s, found.located) == ("x.acme.energy", 1795168800, False)
    assert (found.facts["kwh"], found.facts["collected"], found.facts["result"]) == (3, False, None)
    assert known_claims("x.acme.*") - CLAIMS == {"x.acme.energy"}
    claim(text("x.acme.energy"))
    claim(text("x.acme.*"), pattern=True)
    for bad in ("x.acme.power", "x.other.*", "x.acme.*"):
        with pytest.raises(YamlError, match=r"installed: x\.acme\.energy"):
            claim(text(bad), pattern=bad == "x.other.*")
    assert code_of("https://acme.example/energy/v2", {"kwh": 3}) == "predicate_unknown"
    assert plugin_collector("x.acme.energy") is None
    assert plugin_collector("x.acme.power") is None


def test_nothing_is_looked_for_until_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> Mapping[str, ClaimPlugin]:
        raise AssertionError

    monkeypatch.setattr("gate.formats.predicates.load_plugins", fail)
    assert known_claims("build.*") == CLAIMS
    claim(text("prompt"))
    read("urn:promotion-gate:predicate:prompt:v1", {})


@pytest.mark.parametrize("predicate", [{}, {"kwh": "3"}, {"kwh": 3, "depends_on": "x"}, {"kwh": 3, "created_at": 1}])
def test_a_predicate_that_does_not_fit_is_refused(offer: Any, predicate: Any) -> None:
    offer(ENERGY)
    assert code_of(KIND, predicate) in {"predicate", "time"}


@pytest.mark.parametrize(
    "bad",
    [
        lambda _: 1 / 0,
        lambda _: (_ for _ in ()).throw(RecursionError("deep")),
        lambda _: {"x": 1.5j},
        lambda _: {"x": float("nan")},
        lambda _: {"x": object()},
        lambda _: [1],
        lambda _: None,
        lambda _: {"collected": True},
        lambda _: {"decision": "approved"},
    ],
)
def test_whatever_a_plugin_does_the_evidence_does_not_count(offer: Any, bad: Any) -> None:
    offer(replace(ENERGY, facts=bad))
    payload = statement(subjects={"m": sha256_digest(b"m")}, kind=KIND, predicate={"kwh": 3})
    store = trust(signer("release", claims=("x.acme.energy",)))
    assert refusal(verify(envelope(payload), store=store))[1] == "statement.plugin"


def test_a_plugin_sees_no_bytes_that_nobody_trusted_signed(offer: Any) -> None:
    seen: list[JsonObject] = []

    def see(predicate: JsonObject) -> JsonObject:
        seen.append(predicate)
        return {}

    offer(replace(ENERGY, facts=see))
    payload = statement(subjects={"m": sha256_digest(b"m")}, kind=KIND, predicate={"kwh": 3})
    store = trust(signer("other", claims=("x.acme.energy",)))
    assert refusal(verify(envelope(payload), store=store))[1] == "signature.untrusted"
    assert seen == []


def test_installed_is_not_trusted(offer: Any) -> None:
    offer(ENERGY)
    payload = statement(subjects={"m": sha256_digest(b"m")}, kind=KIND, predicate={"kwh": 3})
    assert refusal(verify(envelope(payload), store=trust(signer("release"))))[1] == "signature.claim"


@pytest.mark.parametrize(
    ("offered", "word"),
    [
        (1, "is a int"),
        (replace(ENERGY, claim="x.acme.power"), "name of the entry point"),
        (replace(ENERGY, predicate_type="energy"), "no URI"),
        (replace(ENERGY, predicate_type=1), "no URI"),  # type: ignore[arg-type]
        (replace(ENERGY, predicate_type="https://slsa.dev/provenance/v1"), "one of the gate's"),
        (replace(ENERGY, predicate_type="urn:promotion-gate:predicate:energy:v1"), "one of the gate's"),
        (replace(ENERGY, predicate_type="URN:promotion-gate:predicate:energy:v1"), "no URI"),
        (replace(ENERGY, schema={"type": "nonsense"}), "schema cannot be used"),
        (replace(ENERGY, schema={"$ref": "https://acme.example/schema"}), "schema cannot be used"),
        (replace(ENERGY, schema=[]), "schema cannot be used"),  # type: ignore[arg-type]
    ],
)
def test_a_plugin_that_is_not_sound_is_an_error(offer: Any, offered: object, word: str) -> None:
    offer(offered)
    with pytest.raises(ConfigError, match=r"'x\.acme\.energy' of acme 1\.0 cannot be used") as caught:
        plugins()
    assert word in str(caught.value)
    with pytest.raises(ConfigError):
        read(KIND, {"kwh": 3})


@pytest.mark.parametrize("name", sorted({*CLAIMS, "x.energy", "energy", "x.acme.energy.v1", "x.Acme.energy"}))
def test_a_plugin_cannot_take_a_claim_of_the_gate(offer: Any, name: str) -> None:
    offer(replace(ENERGY, claim=name), names=(name,))
    with pytest.raises(ConfigError, match="name of the entry point"):
        plugins()


def test_an_entry_point_that_does_not_load_is_an_error(offer: Any) -> None:
    offer()
    with pytest.raises(ConfigError, match="AttributeError"):
        plugins()


def test_two_plugins_do_not_share_a_type_or_a_claim(offer: Any) -> None:
    offer(ENERGY, replace(ENERGY, claim="x.acme.power"), names=("x.acme.energy", "x.acme.power"))
    with pytest.raises(ConfigError, match="another plugin"):
        plugins()


def test_an_unnamed_distribution_is_said_to_be_one() -> None:
    entry = importlib.metadata.EntryPoint("x.acme.energy", "nothing_like_it:X", plugin_claims.GROUP)
    with pytest.raises(ConfigError, match="an unnamed distribution"):
        plugin_claims._load(entry)


def collect(_: Mapping[str, Node], __: Files) -> Collected:
    return Collected({}, {})


COLLECTOR: Final = Collector("x.acme.energy", (), (), collect)
COLLECTED: Final = {"depends_on": [], "roles": {"meter": ["m"]}, "folders": {}, "privacy": {"mode": "hash_only"}}


def test_a_plugin_with_a_collector_reads_collected_statements(offer: Any) -> None:
    offer(replace(ENERGY, collector=COLLECTOR))
    found = plugin_collector("x.acme.energy")
    assert found is not None
    assert found.predicate_type == KIND
    subjects = (Subject("m", sha256_digest(b"m")),)
    made = read(KIND, {"kwh": 3, **COLLECTED}, subjects)
    assert (made.located, made.facts["collected"], made.facts["roles"]) == (True, True, {"meter": ["m"]})
    for member in COLLECTED:
        predicate = {name: value for name, value in {"kwh": 3, **COLLECTED}.items() if name != member}
        assert code_of(KIND, predicate, subjects) == "predicate"


def test_a_plugins_statement_is_created_from_a_configuration(offer: Any, tmp_path: Path) -> None:
    def collect_meter(fields: Mapping[str, Node], files: Files) -> Collected:
        return Collected({"meter": [files.file(fields["meter"])]}, {"kwh": 3})

    collector = replace(COLLECTOR, keys=("meter",), required=("meter",), collect=collect_meter)
    offer(replace(ENERGY, collector=collector))
    (tmp_path / "meter.txt").write_text("3")
    (tmp_path / "energy.yaml").write_text("meter: meter.txt\n")
    made = create_typed(TypedRequest(Place(tmp_path, tmp_path), "x.acme.energy", Path("energy.yaml")))
    assert made.claim == "x.acme.energy"
    assert json.loads(made.path.read_bytes())["predicateType"] == KIND
    with pytest.raises(ConfigError, match=r"no type 'x\.acme\.power'"):
        create_typed(TypedRequest(Place(tmp_path, tmp_path), "x.acme.power", Path("energy.yaml")))


def test_a_collector_is_a_collector(offer: Any) -> None:
    offer(replace(ENERGY, collector="no"))
    with pytest.raises(ConfigError, match="its collector is no Collector"):
        plugin_collector("x.acme.energy")


def test_what_builds_on_a_plugins_claim() -> None:
    assert is_plugin_claim("x.acme.energy-use")
    assert not is_plugin_claim("x.acme." + "a" * 100)
    assert [name for name in sorted(CLAIMS) if may_build_on(name, "x.acme.energy")] == ["approval", "review", "waiver"]
    assert not any(may_build_on("x.acme.energy", name) for name in CLAIMS)
    assert not may_build_on("x.acme.energy", "x.acme.energy")
    assert not any(is_plugin_claim(name) for name in CLAIMS)
    assert not any(kind.startswith("x.") for kind in readers())
