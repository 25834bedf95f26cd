"""The sections `policy` and `engine` of `gate.yaml`: which controls judge, and what evaluates them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from gate.config.nodes import Source, read, relative_path
from gate.formats.strict_yaml import Node
from gate.model.settings import ENVELOPE_SUFFIX, EngineSettings, PolicySettings

_CONTROL: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,2}")
_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/?")
_MAX_SERIAL: Final = 1 << 53
_MAX_TIMEOUT_S: Final = 300


def read_policy(node: Node | None, source: Source) -> PolicySettings:
    """The `policy` section; without one the packaged library judges."""
    if node is None:
        return PolicySettings()
    fields = node.fields("directories", "replaces", "bundle", "serial")
    if "bundle" in fields:
        for name in ("directories", "replaces"):
            if name in fields:
                raise fields[name].error(f"a bundle holds the whole policy: give it, or {name}")
        if "serial" not in fields:
            raise node.error("a bundle needs the serial that it must at least have, so that no older one comes back")
        path = relative_path(fields["bundle"])
        return PolicySettings(
            bundle_path=path,
            bundle=read(source, fields["bundle"], "bundle"),
            envelope=source.read(path + ENVELOPE_SUFFIX),
            serial=_number(fields["serial"], 1, _MAX_SERIAL),
        )
    if "serial" in fields:
        raise fields["serial"].error("only a bundle has a serial")
    return _directories(node, fields.get("directories"), fields.get("replaces"), source)


def _directories(node: Node, listed: Node | None, replaced: Node | None, source: Source) -> PolicySettings:
    if listed is None or not listed.items():
        raise node.error("policy needs directories, or a bundle")
    directories: list[str] = []
    files: dict[str, bytes] = {}
    for item in listed.items():
        directory = relative_path(item)
        if any(f"{one}/".startswith(f"{other}/") for one, other in _both_ways(directory, directories)):
            raise item.error(f"{directory!r} is listed twice, or lies in another directory that is listed")
        found = source.folder(directory, is_policy_file)
        if found is None:
            raise item.error(f"there is no directory {directory!r} in {source.name}")
        directories.append(directory)
        files |= {f"{directory}/{path}": data for path, data in found.items()}
    replaces = tuple(dict.fromkeys(replaced.texts())) if replaced is not None else ()
    for item in replaced.items() if replaced is not None else ():
        if not _CONTROL.fullmatch(item.text()):
            raise item.error("replaces lists the ids of controls, such as scan.malware")
    return PolicySettings(tuple(directories), replaces, files)


def is_policy_file(path: str) -> bool:
    """Whether a file of a policy directory belongs to the policy: Rego, and the data that a bundle would load."""
    return path.endswith(".rego") or path.rpartition("/")[2] in {"data.json", "data.yaml", "data.yml"}


def _both_ways(directory: str, others: list[str]) -> list[tuple[str, str]]:
    return [pair for other in others for pair in ((directory, other), (other, directory))]


def read_engine(node: Node | None, source: Source) -> EngineSettings:
    """The `engine` section; without one the embedded engine evaluates."""
    if node is None:
        return EngineSettings()
    fields = node.fields("name", "isolation", "url", "ca", "token_file", "timeout_s")
    name = fields["name"].choice("regorus", "opa") if "name" in fields else "regorus"
    alien = ("url", "ca", "token_file") if name == "regorus" else ("isolation",)
    for key in alien:
        if key in fields:
            raise fields[key].error(f"the engine {name} has no {key}")
    if name == "opa" and "url" not in fields:
        raise node.error("the engine opa needs the url of the server")
    return EngineSettings(
        name=name,
        isolated=fields["isolation"].choice("none", "process") == "process" if "isolation" in fields else None,
        url=_url(fields["url"]) if "url" in fields else None,
        ca_path=relative_path(fields["ca"]) if "ca" in fields else None,
        ca=read(source, fields["ca"], "ca") if "ca" in fields else None,
        token_file=fields["token_file"].text() if "token_file" in fields else None,
        timeout_s=_number(fields["timeout_s"], 1, _MAX_TIMEOUT_S) if "timeout_s" in fields else 10,
    )


def _url(node: Node) -> str:
    problem = url_problem(node.text())
    if problem is not None:
        raise node.error(problem)
    return node.text().rstrip("/")


def url_problem(text: str) -> str | None:
    """What is wrong with the address of an OPA server: `http` only on this machine, no path, user or query."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "not an address"
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return "expected https://<host>:<port>, or http:// on this machine"
    if parts.path not in {"", "/"} or not _URL.fullmatch(text):
        return "expected scheme, host and port only: the gate always asks for the same path"
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        return "http is for this machine only: another one is asked over https"
    return None


def _number(node: Node, least: int, most: int) -> int:
    value = node.value
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise node.error(f"expected a whole number from {least} to {most}")
    return value
