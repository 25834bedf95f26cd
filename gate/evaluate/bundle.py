"""The policy: Rego modules, profiles and the catalogue of controls, under one digest."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gate import resources
from gate.errors import PolicyError
from gate.evaluate.catalogue import read_control
from gate.formats import canonical_json
from gate.model.control import ControlInfo
from gate.model.digest import Digest, sha256_digest

_CONTROLS = "gate/controls/"
_PROFILES = "gate/profiles/"


def _is_module(path: str) -> bool:
    return path.endswith(".rego") and not path.endswith("_test.rego")


@dataclass(frozen=True)
class PolicyBundle:
    """All files of a policy by path below `rego/`; `digest` is over paths and contents."""

    files: Mapping[str, bytes]
    digest: Digest

    @functools.cached_property
    def modules(self) -> Mapping[str, str]:
        """The Rego modules by path, tests left out."""
        try:
            return MappingProxyType(
                {path: data.decode("utf-8") for path, data in self.files.items() if _is_module(path)}
            )
        except UnicodeDecodeError as error:
            raise PolicyError(f"a policy file is not UTF-8: {error.reason}") from None

    @functools.cached_property
    def catalogue(self) -> Mapping[str, ControlInfo]:
        """The controls by id, from their METADATA; raises `PolicyError` for one that lacks it."""
        found = {}
        for path, text in self.modules.items():
            if path.startswith(_CONTROLS):
                control = read_control(path, text)
                found[control.id] = control
        return MappingProxyType(found)

    @functools.cached_property
    def profiles(self) -> Mapping[str, bytes]:
        """The packaged profiles' documents by name."""
        return MappingProxyType(
            {
                path.removeprefix(_PROFILES).removesuffix("/data.json"): data
                for path, data in self.files.items()
                if path.startswith(_PROFILES) and path.endswith("/data.json")
            }
        )


def make_bundle(files: Mapping[str, bytes]) -> PolicyBundle:
    """A bundle of some files; raises `PolicyError` when there is no policy in them."""
    if not any(path.startswith(_CONTROLS) and _is_module(path) for path in files):
        raise PolicyError("the policy holds no control", hint="the installation is damaged: install gate again")
    manifest = {path: sha256_digest(data) for path, data in files.items()}
    return PolicyBundle(MappingProxyType(dict(files)), sha256_digest(canonical_json.dumps(manifest)))


def packaged_bundle() -> PolicyBundle:
    """The policy that is installed with the gate."""
    return make_bundle(resources.rego_files())
