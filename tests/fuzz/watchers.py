"""Targets: logs of runtime monitors, answers of plugins, and what inspectors of other packages may answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from unittest import mock

from hypothesis import strategies as st

from gate.formats.signals import BUILT_IN, load_plugin
from gate.formats.signals.answer import AnswerError, from_json, to_json
from gate.inspect import plugins
from gate.inspect.context import CapError, Context
from gate.inspect.source import Source, SourceError
from gate.model.digest import Digest
from gate.model.scan import Category, FileInspection, Finding, Severity
from gate.model.signal import Events, Observation, SignalLog
from tests.fuzz import inspectors
from tests.fuzz.mutation import edited, mutated, scaled
from tests.fuzz.target import Sample, Target

_VECTORS: Final = Path(__file__).resolve().parents[1] / "vectors" / "signals"
_IMAGE: Final = Digest("sha256:" + "b2" * 32)
_USUAL: Final = ("process_exec", "process_exit", "rate_limit_info", "process_throttle")


def _serious(observation: Observation) -> int:
    """How many events there are that are more than usual."""
    return sum(item.count for item in observation.events.values() if item.severity is not Severity.NONE)


def look_at_log(sample: Sample) -> Observation:
    return load_plugin(sample.name)(SignalLog(sample.data, _IMAGE))


def judge_log(sample: Sample, answer: object) -> None:
    assert isinstance(answer, Observation)
    assert from_json(json.dumps(to_json(answer)).encode()) == answer, "what a plugin of the gate says is an answer"
    if sample.dangerous:
        assert answer.problems, "a part of a log passes for the whole"
    assert _serious(answer) >= sample.least, "an event got lost"


def _is_event(plugin: str, line: bytes) -> bool:
    record = json.loads(line)
    if plugin == "falco":
        return not str(record.get("rule")).startswith("Falco internal")
    return not any(kind in record for kind in _USUAL)


@st.composite
def _logs(draw: st.DrawFn, whole: Sample) -> Sample:
    """A log that is cut inside a line, or changed in lines that tell of no event."""
    if draw(st.booleans()):
        end = draw(st.integers(1, len(whole.data) - 1))
        return Sample(whole.name, whole.data[:end], dangerous=whole.data[end - 1 : end] != b"\n")
    lines = whole.data.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        if not lines[at].strip() or _is_broken(lines[at]) or _is_event(whole.name, lines[at]):
            continue
        match draw(st.integers(0, 3)):
            case 0:
                lines[at] = b""
            case 1:
                lines.insert(at, lines[at] * draw(st.sampled_from((1, 2000))))
            case 2:
                lines.insert(at, draw(st.binary(max_size=20)) + b"\n")
            case _:
                lines[at] = json.dumps(draw(edited(json.loads(lines[at])))[0]).encode() + b"\n"
    return Sample(whole.name, b"".join(lines), least=_serious(look_at_log(whole)))


def _is_broken(line: bytes) -> bool:
    try:
        return not isinstance(json.loads(line), dict)
    except ValueError:
        return True


def _signal_target(plugin: str) -> Target:
    [path] = _VECTORS.glob(f"{plugin}.json*")
    whole = Sample(plugin, path.read_bytes())
    others = _logs(whole)
    if path.suffix == ".json":
        document = json.loads(whole.data)
        others = (edited(document).map(lambda item: item[0]) | scaled(document)).map(
            lambda item: Sample(plugin, json.dumps(item).encode())
        )
    made = others | mutated(st.just(whole), (whole,))
    return Target(f"signal.{plugin}", frozenset({f"signal:{plugin}"}), (whole,), made, look_at_log, judge_log)


# --- answers of plugins for signals -----------------------------------------------------------------------------------

_ANSWERS: Final = (
    Observation(1, 5, 2, 1, 0, {"rule": Events(Severity.HIGH, 2, 1, 3)}, ("a problem",)),
    Observation(),
)
_ANSWER_SEEDS: Final = tuple(Sample("answer", json.dumps(to_json(item)).encode()) for item in _ANSWERS)


def _look_at_answer(sample: Sample) -> Observation | None:
    try:
        return from_json(sample.data)
    except AnswerError:
        return None


def _judge_answer(_sample: Sample, answer: object) -> None:
    if answer is not None:
        assert isinstance(answer, Observation)
        assert from_json(json.dumps(to_json(answer)).encode()) == answer


def _edited_answers() -> st.SearchStrategy[Sample]:
    documents = st.sampled_from([json.loads(sample.data) for sample in _ANSWER_SEEDS])
    return documents.flatmap(edited).map(lambda item: Sample("answer", json.dumps(item[0]).encode()))


_ANSWER: Final = Target(
    "signal.answer", frozenset({"signal:answer"}), _ANSWER_SEEDS,
    _edited_answers() | mutated(st.sampled_from(_ANSWER_SEEDS), _ANSWER_SEEDS), _look_at_answer, _judge_answer,
)  # fmt: skip


# --- inspectors of other packages -------------------------------------------------------------------------------------


class _Plugin:
    """An inspector that does what the file says; each byte is one way to misbehave."""

    def recognises(self, _path: str, head: bytes, /) -> bool:
        if head[:1] == b"r":
            raise OSError
        return head[:1] != b"n"

    def inspect(self, _path: str, source: Source, _context: Context, /) -> FileInspection:
        what = source.read_at(1, 1)
        errors: dict[bytes, Exception] = {
            b"v": ValueError(), b"s": SourceError("short"), b"c": CapError("cap"), b"m": MemoryError(), b"a": KeyError()
        }  # fmt: skip
        if what in errors:
            raise errors[what]
        finding = Finding("plugin.bad", Severity.HIGH, "bad", category=Category.UNSAFE)
        answers: dict[bytes, Any] = {
            b"b": FileInspection("x", inspected=True, findings=(finding,)),
            b"N": None,
            b"1": FileInspection("x", inspected=1),  # type: ignore[arg-type]
            b"f": FileInspection("x", inspected=False),
        }
        answer: FileInspection = answers.get(what, FileInspection("x", inspected=True))
        return answer


def _look_through_plugins(sample: Sample) -> FileInspection:
    with mock.patch.object(plugins, "installed", return_value=(("one", _Plugin()), ("two", _Plugin()))):
        return inspectors.look_at(sample)


def _judge_plugins(sample: Sample, answer: object) -> None:
    assert isinstance(answer, FileInspection)
    if answer.format == "one+two":
        assert answer.inspected or answer.reason
        assert answer.inspected is not True or sample.data[1:2] not in {*b"vscmaN1f"}
    elif answer.inspected:
        inspectors.judge(sample, answer)


_PLUGIN_SEEDS: Final = tuple(Sample("a.xyz", bytes((1, number)) + b"\x02") for number in b"vscmabN1fz")
_PLUGINS: Final = Target(
    "plugins", frozenset({"inspect:plugins"}), _PLUGIN_SEEDS, mutated(st.sampled_from(_PLUGIN_SEEDS), _PLUGIN_SEEDS),
    _look_through_plugins, _judge_plugins,
)  # fmt: skip

WATCHERS: Final = {target.name: target for target in (*map(_signal_target, BUILT_IN), _ANSWER, _PLUGINS)}
