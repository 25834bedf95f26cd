"""Which policy judges: the packaged library, own controls beside it, or a signed bundle."""

from __future__ import annotations

from gate.errors import PolicyError
from gate.evaluate.bundle import PolicyBundle, packaged_bundle, with_own_controls
from gate.formats import canonical_json
from gate.model.control import Profile
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonValue
from gate.model.policy import JudgingPolicy, PolicyOrigin
from gate.model.reuse import verifier_json
from gate.model.settings import ENVELOPE_SUFFIX, PolicySettings, Settings
from gate.verify.trust import TrustStore


def load_policy(settings: PolicySettings, trust: TrustStore) -> PolicyBundle:
    """The policy that `gate.yaml` asks for; raises `PolicyError` for one that may not judge.

    A bundle brings its own library and is verified before anything of it is read.
    """
    if settings.bundle is not None:
        from gate.app.policy_bundle import open_bundle

        if settings.envelope is None:
            raise PolicyError(
                f"nothing signs the policy bundle: there is no {settings.bundle_path}{ENVELOPE_SUFFIX}",
                hint="`gate policy bundle` writes both files; keep them side by side",
            )
        return open_bundle(settings.bundle, settings.envelope, trust, settings.serial).policy
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


def judging_policy(settings: PolicySettings, bundle: PolicyBundle) -> JudgingPolicy:
    """What a decision says of the policy that made it."""
    origin = PolicyOrigin.DIRECTORIES if settings.directories else PolicyOrigin.PACKAGED
    if settings.bundle is not None:
        origin = PolicyOrigin.BUNDLE
    return JudgingPolicy(origin, bundle.serial, bundle.own, bundle.replaced)


def rules_digest(bundle: PolicyBundle, profile: Profile, settings: Settings) -> Digest:
    """The digest of all that says how something is judged; what is judged, and when, is not in it.

    Raises `PolicyError` for parameters that have no canonical form.
    """
    rules: JsonValue = {
        "policy": bundle.digest,
        "controls": {name: mode.value for name, mode in profile.controls.items()},
        "parameters": dict(profile.parameters),
        "target": settings.target.value,
        "environment": settings.environment,
        "trust": settings.trust.digest,
        "reuse": {name: verifier_json(verifier) for name, verifier in settings.reuse.items()},
    }
    try:
        return sha256_digest(canonical_json.dumps(rules))
    except canonical_json.CanonicalJsonError as error:
        raise PolicyError(f"the parameters have no canonical form: {error}") from None
