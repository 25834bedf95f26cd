"""Which policy judges: the packaged library, own controls beside it, or a signed bundle."""

from __future__ import annotations

from gate.evaluate.bundle import PolicyBundle, packaged_bundle, with_own_controls
from gate.model.settings import PolicySettings


def load_policy(settings: PolicySettings) -> PolicyBundle:
    """The policy that `gate.yaml` asks for; raises `PolicyError` for one that may not judge."""
    library = packaged_bundle()
    if not settings.directories:
        return library
    directories = [
        {
            path.removeprefix(f"{directory}/"): data
            for path, data in settings.files.items()
            if path.startswith(f"{directory}/")
        }
        for directory in settings.directories
    ]
    return with_own_controls(library, directories, settings.replaces)
