"""Scenarios without a decision: usage and configuration (2), what cannot be read (3), policy (4)."""

from __future__ import annotations

from tools.scenario_draft import Draft, config, scenario
from tools.scenario_evidence import key
from tools.scenarios_allow import waiver


def _good(draft: Draft, text: bytes) -> None:
    draft.configure(text)
    draft.model()
    draft.good()


@scenario(
    "error/unknown-key",
    "A misspelt key is named with its place and the right word",
    2,
    words=["gate.yaml:16:5:", "unknown key", "trigger_paths"],
)
def _(draft: Draft) -> None:
    _good(draft, config().replace(b"trigger_paths", b"triger_paths"))


@scenario("error/private-key", "A private key where a public one belongs", 2, words=["private key"])
def _(draft: Draft) -> None:
    _good(draft, config())
    draft.base["keys/release.pub"] = key("release").private_pem


@scenario("error/no-such-control", "A parameter of a control that does not exist", 2, words=["scan.malware"])
def _(draft: Draft) -> None:
    _good(draft, config(more="parameters: {scan.malwares: {limit: low}}\n"))


@scenario("error/waiver-too-long", "A waiver for more than ninety days", 2, words=["waivers.yaml:", "90 days"])
def _(draft: Draft) -> None:
    _good(draft, config(more="waivers: waivers.yaml\n"))
    draft.base["waivers.yaml"] = waiver("scan.malware", "0" * 64, expires="2027-06-01")


@scenario("error/no-configuration", "A gate.yaml that only the change brings", 2, words=["there is no gate.yaml"])
def _(draft: Draft) -> None:
    _good(draft, config())
    draft.change["gate.yaml"] = draft.base.pop("gate.yaml")
    draft.has_configuration = False


@scenario("error/unknown-base", "A base that does not exist is not an empty change", 3, words=["no-such-branch"])
def _(draft: Draft) -> None:
    _good(draft, config())
    draft.against = "no-such-branch"


@scenario("error/artifact-is-not-there", "An artifact that does not exist", 3, words=["models/other"])
def _(draft: Draft) -> None:
    _good(draft, config(["summarizer: {kind: weights, path: models/other}"]))


@scenario("error/evidence-too-large", "Evidence beyond the limit", 3, words=["limits.evidence_bytes"])
def _(draft: Draft) -> None:
    _good(draft, config(more="limits: {evidence_bytes: 1KiB}\n"))


@scenario("error/parameter-of-wrong-type", "A parameter that no rule understands", 2, words=["skew_s", "duration"])
def _(draft: Draft) -> None:
    _good(draft, config(more="parameters: {evidence.fresh: {skew_s: soon}}\n"))
