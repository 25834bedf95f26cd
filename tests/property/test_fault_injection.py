"""A fault in any function on the way from evidence to decision never gives ALLOW (QUALITY, Meta).

The functions are not listed here: a case is run under a profiler, and every named function and method of the gate
that it calls is replaced in turn by one that raises, and by one that returns `None`.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

import pytest

import gate
from gate.evaluate import catalogue
from gate.formats import predicates, schema, secrets
from gate.model.decision import Verdict
from gate.model.scan import Finding, Severity
from tests.support.cases import (
    BUILDER,
    EVAL,
    FILES,
    NAMED,
    PROMPT,
    PROVENANCE,
    SIGNATURE,
    STRANGER,
    Scene,
    change_of,
    embedded,
    evidence,
    good_case,
    good_prompt,
    inspection,
    judge,
    packaged,
    prompt_of,
    signers,
    summarizer,
    waiver,
)
from tests.support.evidence import (
    bundle,
    digest_of,
    envelope,
    model_signature,
    provenance,
    signer,
    statement,
    subject,
    trust_settings,
)

GATE: Final = Path(gate.__file__).parent
STAGES: Final = tuple(str(GATE / name) for name in ("verify", "normalize", "evaluate", "formats", "model", "decide.py"))
X: Final = digest_of("x")


def finding(severity: Severity) -> Scene:
    found = (Finding("r", severity, "m", "summarizer", "config.json"),)
    return good_case().replace(scans=(dataclasses.replace(inspection(summarizer()), findings=found),))


def swapped() -> bytes:
    return bundle(prompt_of(dict(zip(NAMED, reversed(NAMED.values()), strict=True))))


ALLOWED: Final[dict[str, Scene]] = {
    "good": good_case(),
    "chained": good_case().plus(bundle(prompt_of({"elsewhere": X}, "eval", depends_on=[]))),
    "superseded": good_case().plus(bundle(prompt_of({"app/system.txt": X}))),
    "rejected about others": good_case().plus(
        bundle(prompt_of({"elsewhere": X}), STRANGER), bundle(statement("slo", {"a": X}))
    ),
    "with a waiver": finding(Severity.HIGH).replace(
        waivers=(
            waiver(artifact=summarizer().digest),
            waiver(id="W-2", control="load.safe_format", artifact=summarizer().digest),
        )
    ),
}
DENIED: Final[dict[str, Scene]] = {
    "nothing": evidence(),
    "junk": good_case().plus(b"junk"),
    "a stranger": good_case().plus(envelope(prompt_of(NAMED), STRANGER)),
    "a signer of another claim": evidence(SIGNATURE, bundle(provenance(FILES)), PROMPT, EVAL),
    "a revoked key": good_case().replace(trust=trust_settings(*signers(), revoked_keys=["release"])),
    "revoked evidence": good_case().replace(trust=trust_settings(*signers(), revoked_evidence=[digest_of(PROMPT)])),
    "an expired key": good_case().replace(trust=trust_settings(signer(valid_until_s=1), *signers()[1:])),
    "a threshold": good_case().replace(
        trust=trust_settings(*signers(), signer("ann", claims=("prompt",)), thresholds={"prompt": 2})
    ),
    "an unknown predicate": good_case().plus(bundle(statement(subjects=NAMED, kind="x"))),
    "a malformed statement": good_case().plus(bundle(statement("prompt", []))),
    "another manifest": evidence(bundle(model_signature({**FILES, "x": X}, "summarizer")), PROVENANCE, PROMPT, EVAL),
    "swapped prompts": evidence(SIGNATURE, PROVENANCE, swapped(), EVAL),
    "digests that disagree": good_case().plus(
        bundle(statement("prompt", [subject("a", NAMED["app/tools.txt"], sha512="0" * 128)]))
    ),
    "a dangling chain": good_case().plus(bundle(prompt_of(NAMED, depends_on=[X]))),
    "a missing eval": good_case().without(3),
    "a stale eval": evidence(SIGNATURE, PROVENANCE, PROMPT, bundle(prompt_of(NAMED, "eval", age_s=40 * 86_400))),
    "conflicting provenance": good_case().plus(bundle(provenance(FILES, "https://builder.test/2"), BUILDER)),
    "no inspection": good_case().replace(scans=()),
    "a finding": finding(Severity.CRITICAL),
    "an expired waiver": finding(Severity.HIGH).replace(waivers=(waiver(artifact=summarizer().digest, expires_s=1),)),
    "an old statement about a deletion": good_prompt().replace(
        change=change_of(
            deleted={"app/tools.txt": "search: allowed"},
            folders={"app/tools.txt": frozenset({NAMED["app/system.txt"]})},
        )
    ),
    "an empty diff": good_case().replace(change=change_of()),
}


# Where `None` leaves the verdict what it rightly is, and why.
DESCRIPTIVE: Final = {
    "decide._coverage": "counts for people",
    "decide._subject": "names for people",
    "decide._verified": "a listing for people",
    "evaluate.catalogue._framework": "what a control supports, for people",
    "evaluate.catalogue.read_reference": "what a control supports, for people",
    "evaluate.catalogue._claim": "in METADATA: claims a control speaks of, for people",
    "formats.checked.Checked.digest": "a digest that is listed for people; a waiver without one fits nothing",
    "formats.checked._digest": "a digest that is listed for people; a waiver without one fits nothing",
    "formats.checked.Checked.texts_by_name": "what was skipped, for people",
    "formats.input_document.InputFacts.skipped": "what was skipped, for people",
    "formats.input_document._file_change": "a changed file has a say only where a waiver is for it, and none is",
    "model.control.ControlInfo.judges": "what a decision tells; where an API server asks, it would judge none",
    "normalize.sections.evidence._resources": "names of files that a statement covers, for people",
    "formats.hashes.Recipe.word": "asked of manifests of other digests, and there is none",
    "formats.schema.members": "asked for the forms of collected statements, and there is none",
    "formats.strict_yaml.Node.texts": "in METADATA: kinds of artifacts and targets, for people",
    "formats.report_document._order": "nothing to sort where there is one violation",
    "normalize.sections.groups.names_of_groups": "asked for the names of what was found, and nothing was",
    "normalize.sections.vex.judged_findings": "asked for words about what was found, and nothing was",
    "verify.binding.Binder.mentioned": "asked for rejected evidence, and there is none",
    "verify.chain.inherited": "asked for rejected evidence, and there is none",
    "formats.certificate_material._scalar": "what stands beside the signature of a key, and nothing does",
    "formats.predicates.build_provenance._flat": "asked for parameters, of which no control here says anything",
    "formats.predicates.build_provenance._source": "asked for the source, of which no control here says anything",
    "formats.predicates.build_provenance._source_v1": "asked for the source, of which no control here says anything",
    "formats.predicates.build_provenance._whole": "asked for parameters, of which no control here says anything",
    "verify.trust._fingerprint": "what a memory of signatures is for, and there is none",
    "verify.trust._Signer.proved_by": "how many people signed; nobody is one, and one is enough here",
    "verify.binding._differs": "the words of a refusal that another statement makes up for",
}


# -- which functions ---------------------------------------------------------------------------------------------------


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """The functions and methods that a module defines, seen through properties and caches."""
    for item in vars(module).values():
        members = vars(item).values() if isinstance(item, type) and item.__module__ == module.__name__ else (item,)
        for member in members:
            for name in ("fget", "func", "__func__", "__wrapped__"):
                inner = getattr(member, name, None)
                if isinstance(inner, FunctionType):
                    yield inner
            if isinstance(member, FunctionType):
                yield member


Place = tuple[str, int, str]


def place(code: CodeType) -> Place:
    """Where code stands. Code objects themselves are equal when they are alike, in whatever file."""
    return code.co_filename, code.co_firstlineno, code.co_qualname


@functools.cache
def by_place() -> dict[Place, FunctionType]:
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("gate.")]
    return {place(function.__code__): function for module in modules for function in functions_of(module)}


def cold() -> None:
    """Forgets the loaded policy, so that loading it belongs to the way."""
    packaged.cache_clear()
    embedded.cache_clear()
    catalogue.read_control.cache_clear()
    secrets._CLEAN._young.clear()
    secrets._CLEAN._old.clear()


def forget() -> None:
    """Nothing that was computed before the fault may answer for it."""
    predicates.readers.cache_clear()
    schema._validator.cache_clear()
    schema.members.cache_clear()


def called(scene: Scene, before: Callable[[], None] = lambda: None) -> list[FunctionType]:
    """The functions of the gate that a case calls, sorted by name; comprehensions and lambdas belong to them."""
    found: set[Place] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(STAGES) and "<" not in frame.f_code.co_name:
            found.add(place(frame.f_code))

    before()
    forget()
    profiler = sys.getprofile()
    sys.setprofile(note)
    try:
        judge(scene)
    finally:
        sys.setprofile(profiler)
    known = by_place()
    unknown = {name for _, _, name in found - known.keys() if "<locals>" not in name}
    assert unknown == set(), "a function that cannot be replaced"
    return sorted((known[code] for code in found & known.keys()), key=title)


def warm(scene: Scene) -> list[FunctionType]:
    """Those of a case whose policy is loaded."""
    judge(scene)
    return called(scene)


def title(function: FunctionType) -> str:
    return f"{function.__module__.removeprefix('gate.')}.{function.__qualname__}"


# -- faults ------------------------------------------------------------------------------------------------------------


Fault = Callable[[int], CodeType]
"""The code of a faulty function that has as many closed-over variables as the one it replaces."""


def breaks(cells: int) -> CodeType:
    cell = "fault"

    def closed(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError(cell)

    def plain(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError("fault")

    return (plain, closed)[cells].__code__


def refuses(cells: int) -> CodeType:
    cell = "fault"

    def closed(*_arguments: Any, **_named: Any) -> None:
        raise ValueError(cell)

    def plain(*_arguments: Any, **_named: Any) -> None:
        raise ValueError("fault")

    return (plain, closed)[cells].__code__


def says_nothing(cells: int) -> CodeType:
    cell = None

    def closed(*_arguments: Any, **_named: Any) -> None:
        return cell

    def plain(*_arguments: Any, **_named: Any) -> None:
        return None

    return (plain, closed)[cells].__code__


@contextmanager
def instead_of(function: FunctionType, fault: Fault, before: Callable[[], None]) -> Iterator[None]:
    """All references to a function share its code, so this reaches every caller."""
    original = function.__code__
    before()
    forget()
    function.__code__ = fault(len(original.co_freevars))
    try:
        yield
    finally:
        function.__code__ = original
        before()
        forget()


def outcome(scene: Scene) -> Verdict | None:
    try:
        return judge(scene).verdict
    except Exception:  # noqa: BLE001 - whatever it is, nothing was decided
        return None


def allowed(
    scene: Scene, fault: Fault, functions: list[FunctionType], before: Callable[[], None] = lambda: None
) -> set[str]:
    found = set()
    for function in functions:
        with instead_of(function, fault, before):
            if outcome(scene) is Verdict.ALLOW:
                found.add(title(function))
    return found


def promises_a_value(function: FunctionType) -> bool:
    """Whether `None` is no answer of it. For a check that returns nothing, or yes and no, it would be one."""
    annotation = str(function.__annotations__.get("return"))
    return annotation != "bool" and "None" not in annotation


@pytest.mark.parametrize("name", ALLOWED)
def test_the_allowed_cases_are_allowed_without_a_fault(name: str) -> None:
    assert judge(ALLOWED[name]).verdict is Verdict.ALLOW


@pytest.mark.parametrize("name", DENIED)
def test_the_denied_cases_are_denied_without_a_fault(name: str) -> None:
    assert judge(DENIED[name]).verdict is not Verdict.ALLOW


@pytest.mark.parametrize("name", ALLOWED)
def test_an_exception_in_any_function_never_allows(name: str) -> None:
    assert allowed(ALLOWED[name], breaks, warm(ALLOWED[name])) == set()


@pytest.mark.parametrize("name", [*ALLOWED, *DENIED])
def test_an_exception_that_some_caller_may_catch_never_allows(name: str) -> None:
    scene = (ALLOWED | DENIED)[name]
    assert allowed(scene, refuses, warm(scene)) == set()


@pytest.mark.parametrize("name", DENIED)
def test_none_from_any_function_never_allows_what_is_denied(name: str) -> None:
    functions = [function for function in warm(DENIED[name]) if promises_a_value(function)]
    assert allowed(DENIED[name], says_nothing, functions) == set()


@pytest.mark.parametrize("name", ALLOWED)
def test_none_from_any_function_never_allows(name: str) -> None:
    functions = [function for function in warm(ALLOWED[name]) if promises_a_value(function)]
    assert allowed(ALLOWED[name], says_nothing, functions) <= DESCRIPTIVE.keys()


@pytest.mark.parametrize("fault", [breaks, refuses, says_nothing])
@pytest.mark.parametrize("name", ["good", "nothing"])
def test_a_fault_while_the_policy_is_loaded_never_allows(name: str, fault: Fault) -> None:
    scene = (ALLOWED | DENIED)[name]
    cold_way, warm_way = called(scene, cold), warm(scene)
    functions = [item for item in cold_way if item not in warm_way]
    chosen = [item for item in functions if fault is not says_nothing or promises_a_value(item)]
    assert allowed(scene, fault, chosen, cold) <= (DESCRIPTIVE.keys() if fault is says_nothing else set())


def test_the_way_is_long() -> None:
    names = {title(function) for scene in (ALLOWED | DENIED).values() for function in called(scene)}
    assert len(names) >= 100
    expected = {
        "decide.decide",
        "verify.trust.TrustStore.match",
        "verify.trust.TrustStore.accept",
        "evaluate.accept.evaluate",
    }
    assert expected <= names
