"""What two sections of `gate.yaml` say of a registry: how far the gate goes to reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.config.nodes import Source, flag, host, read, relative_path, seconds
from gate.formats.image_reference import parse_repository
from gate.formats.strict_yaml import Node
from gate.model.registry import RegistryAccess

ACCESS: Final = ("insecure", "private", "ca", "token_host", "timeout_s")


def read_access(fields: Mapping[str, Node], source: Source, timeout_s: int) -> RegistryAccess:
    """The keys of `ACCESS` among some fields; `timeout_s` is used where none is given."""
    insecure = flag(fields.get("insecure"))
    if insecure and "ca" in fields:
        raise fields["ca"].error("over plain HTTP there is no certificate to check: give ca, or insecure")
    return RegistryAccess(
        insecure=insecure,
        private=flag(fields.get("private")),
        ca_path=relative_path(fields["ca"]) if "ca" in fields else None,
        ca=read(source, fields["ca"], "ca") if "ca" in fields else None,
        token_host=host(fields["token_host"]) if "token_host" in fields else None,
        timeout_s=seconds(fields["timeout_s"]) if "timeout_s" in fields else timeout_s,
    )


def read_repository(node: Node) -> str:
    """A repository, without tag and digest."""
    try:
        return str(parse_repository(node.text()))
    except ValueError as error:
        raise node.error(str(error)) from None
