"""The section `record` of `gate.yaml`: where decisions are recorded, and what signs its checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.config.nodes import Source, read, relative_path
from gate.formats.checkpoint import is_origin
from gate.formats.strict_yaml import Node
from gate.model.settings import ArtifactSettings, CheckpointSettings, RecordSettings

_SERVICE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MOST: Final = 1_000_000


def read_record(
    node: Node | None, source: Source, artifacts: Mapping[str, ArtifactSettings] | None = None
) -> RecordSettings | None:
    """Where decisions are recorded; `None` without the section: then they are not."""
    if node is None:
        return None
    fields = node.fields("sqlite", "postgres", "checkpoint")
    service, dsn_file = _postgres(fields["postgres"]) if "postgres" in fields else (None, None)
    checkpoint = _checkpoint(fields["checkpoint"], source) if "checkpoint" in fields else None
    if ("sqlite" in fields) == ("postgres" in fields):
        raise node.error("a record needs either sqlite or postgres")
    sqlite = _path(fields["sqlite"], artifacts or {}) if "sqlite" in fields else None
    return RecordSettings(sqlite, service, dsn_file, checkpoint)


def _path(node: Node, artifacts: Mapping[str, ArtifactSettings]) -> str:
    """A path below the root, or an absolute one."""
    path = node.text()
    if path.endswith("/") or (path.startswith("/") and ".." in path.split("/")):
        raise node.error("expected the path of a file")
    if path.startswith("/"):
        return path
    path = relative_path(node)
    for artifact in artifacts.values():
        if artifact.path is not None and f"{path}/".startswith(f"{artifact.path}/"):
            raise node.error(f"the log would be a part of the artifact {artifact.name}, which is judged")
    return path


def _postgres(node: Node) -> tuple[str | None, str | None]:
    fields = node.fields("service", "dsn_file")
    if len(fields) != 1:
        raise node.error("postgres needs either a service or a dsn_file")
    if "dsn_file" in fields:
        return None, fields["dsn_file"].text()
    if not _SERVICE.fullmatch(fields["service"].text()):
        raise fields["service"].error("expected the name of a service in pg_service.conf")
    return fields["service"].text(), None


def _checkpoint(node: Node, source: Source) -> CheckpointSettings:
    fields = node.fields("key", "every", "origin", "public_keys")
    for key in ("key", "origin"):
        if key not in fields:
            raise node.error(f"a checkpoint needs {key!r}")
    every = fields["every"].value if "every" in fields else 100
    if not isinstance(every, int) or isinstance(every, bool) or not 1 <= every <= _MOST:
        raise fields["every"].error(f"expected a whole number from 1 to {_MOST}")
    if not is_origin(fields["origin"].text()):
        raise fields["origin"].error("expected a name such as acme.example/gate, without spaces and plus")
    keys = fields["public_keys"].items() if "public_keys" in fields else ()
    return CheckpointSettings(
        key=fields["key"].text(),
        origin=fields["origin"].text(),
        every=every,
        public_keys={relative_path(item): read(source, item, "public_keys") for item in keys},
    )
