"""What `gate doctor` finds out about an OPA server: health, version, revision, authorisation, and an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gate.app.engines import opa_engine
from gate.app.notes import Level, Note
from gate.errors import GateError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.regorus import RegorusEngine
from gate.formats import canonical_json
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.json import JsonObject
from gate.model.settings import EngineSettings

if TYPE_CHECKING:
    from gate.evaluate.opa import OpaEngine

_QUESTION: Final[JsonObject] = {"profile": {"controls": {}}}
_AUTHORISATION: Final = (
    "start OPA with --authentication=token --authorization=basic and the bundle of `gate policy bundle`,"
    " which brings the rules for it"
)
_ANYBODY: Final = "anybody who reaches the OPA server"
_TOKEN: Final = "the token"
# What has to be refused, to whom, how bad it is if not. The body of the PUT is no Rego, so nothing is ever written.
_REFUSED: Final = (
    ("POST", "/v1/data/gate/main/report", False, Level.WEAK, f"{_ANYBODY} may ask it, without a token"),
    ("GET", "/v1/policies", False, Level.WEAK, f"{_ANYBODY} may read its policy"),
    ("GET", "/v1/policies", True, Level.WEAK, f"{_TOKEN} opens the OPA server's policy too, not only the question"),
    ("PUT", "/v1/policies/gate-doctor", False, Level.WRONG, f"{_ANYBODY} may change its policy"),
    ("PUT", "/v1/policies/gate-doctor", True, Level.WRONG, f"{_TOKEN} lets the OPA server's policy be changed"),
)


def examine_sidecar(settings: EngineSettings, bundle: PolicyBundle) -> Iterator[Note]:
    """Notes on the OPA server of some settings; a server that is not there is one note."""
    try:
        engine = opa_engine(settings, bundle)
        health = engine.server.status("GET", "/health", named=False)
    except GateError as error:
        yield Note(Level.WRONG, str(error), error.hint)
        return
    if health == 200:
        yield Note(Level.OK, f"the OPA server at {settings.url} is healthy")
    else:
        yield Note(Level.WRONG, f"the OPA server at {settings.url} is not healthy: HTTP status {health}", "see its log")
    yield _answer(engine, bundle)
    try:
        yield from _authorisation(engine)
    except GateError as error:
        yield Note(Level.WRONG, str(error), error.hint)


def _answer(engine: OpaEngine, bundle: PolicyBundle) -> Note:
    content = canonical_json.dumps(_QUESTION)
    document = InputDocument(_QUESTION, content, sha256_digest(content))
    try:
        if engine.report(document) == RegorusEngine(bundle).report(document):
            return Note(Level.OK, f"OPA {engine.version} runs the policy {bundle.digest[:19]}... and answers")
    except GateError as error:
        return Note(Level.WRONG, str(error), error.hint)
    return Note(Level.WRONG, "the OPA server answers differently from the embedded engine", "do not trust that server")


def _authorisation(engine: OpaEngine) -> Iterator[Note]:
    found = [
        Note(level, text, _AUTHORISATION)
        for method, path, named, level, text in _REFUSED
        if engine.server.status(method, path, named=named) not in {401, 403}
    ]
    yield from found or [Note(Level.OK, "the OPA server lets nobody in but the gate, and for its question only")]
