"""JUnit XML, as test runners write it.

`pass_rate` is the passed test cases among those that ran, those that ended in an error included. Evaluated samples
are the cases that passed or failed; expected are all. Cases are counted, never taken from attributes; a file whose
attributes promise more than it holds was cut, and is an error. So is an outcome where none is expected, such as a
`failure` that is not directly inside its case, in another spelling or of another namespace: nobody could tell whose
it is, and it is never a pass.

The parser is the standard library's expat, told to refuse a document type and with it every entity (SECURITY 17).
"""

from __future__ import annotations

from collections import Counter
from typing import Final
from xml.parsers import expat

from gate.formats.results.common import Results, ResultsError, Samples, make_results, ratio

_MAX_BYTES: Final = 16 << 20
_MAX_DEPTH: Final = 32
_SUITES: Final = frozenset({"testsuites", "testsuite"})
_OUTCOMES: Final = {"failure": 2, "error": 3, "skipped": 1}
"""What a test case may hold, graver ones higher: a case counts once."""
_STATUS: Final = {
    "fail": "failure",
    "failed": "failure",
    "failure": "failure",
    "error": "error",
    "skipped": "skipped",
    "disabled": "skipped",
    "notrun": "skipped",
    "suppressed": "skipped",
}
"""What some runners say in an attribute of the case (`status`, `result`), and not in an element."""
_PROMISES: Final = {"tests": ("passed", "skipped", "failure", "error"), "failures": ("failure",), "errors": ("error",)}


def read(data: bytes) -> Results:
    """The results; raises `ResultsError`."""
    if len(data) > _MAX_BYTES:
        raise ResultsError(f"{len(data)} bytes of XML, more than the {_MAX_BYTES} that are read")
    counts = _Reader().read(data)
    ran = counts["passed"] + counts["failure"] + counts["error"]
    metrics = {"pass_rate": ratio(counts["passed"], ran, "pass_rate")}
    return make_results(metrics, Samples(ran - counts["error"], counts.total()), "junit")


class _Reader:
    """Counts the outcomes of test cases, and holds each suite against its attributes when it ends."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.suites: list[tuple[dict[str, str], Counter[str]]] = []
        self.outcome = "passed"
        self.counts: Counter[str] = Counter()

    def read(self, data: bytes) -> Counter[str]:
        """The number of cases by outcome; raises `ResultsError`."""
        parser = expat.ParserCreate()
        parser.XmlDeclHandler = _check_encoding
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            data.decode("utf-8")
            parser.Parse(data, True)
        except UnicodeDecodeError as error:
            raise ResultsError(f"not UTF-8 at byte {error.start}") from None
        except expat.ExpatError as error:
            raise ResultsError(f"not XML at line {error.lineno}, column {error.offset}: {error}") from None
        return self.counts

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self.open[-1] if self.open else None
        if len(self.open) >= _MAX_DEPTH:
            raise ResultsError(f"more than {_MAX_DEPTH} levels of nesting")
        if ":" in name:
            raise ResultsError(f"{name[:60]!r} has a prefix; elements of a namespace are not read")
        if name.lower() in _OUTCOMES and (name not in _OUTCOMES or parent != "testcase"):
            raise ResultsError(
                f"{name} stands inside {(parent or 'nothing')[:60]}, expected {name.lower()} inside testcase"
            )
        if parent is None and name not in _SUITES:
            raise ResultsError(f"the root is {name[:60]!r}, expected testsuites or testsuite")
        if (name in _SUITES and parent not in {None, *_SUITES}) or (name == "testcase" and parent not in _SUITES):
            raise ResultsError(f"{name} stands inside {str(parent)[:60]}")
        self.open.append(name)
        if name in _SUITES:
            self.suites.append((attributes, Counter()))
        elif name == "testcase":
            said = (attributes.get(key, "").lower() for key in ("status", "result"))
            self.outcome = max((_STATUS.get(word, "passed") for word in said), key=_gravity)
        elif name in _OUTCOMES:
            self.outcome = max(self.outcome, name, key=_gravity)

    def _end(self, name: str) -> None:
        self.open.pop()
        if name == "testcase":
            self.suites[-1][1][self.outcome] += 1
        elif name in _SUITES:
            attributes, counts = self.suites.pop()
            _check_promises(attributes, counts)
            (self.suites[-1][1] if self.suites else self.counts).update(counts)


def _gravity(outcome: str) -> int:
    return _OUTCOMES.get(outcome, 0)


def _check_promises(attributes: dict[str, str], counts: Counter[str]) -> None:
    label = attributes.get("name", "")[:60]
    for key, outcomes in _PROMISES.items():
        text = attributes.get(key, "0")
        found = sum(counts[outcome] for outcome in outcomes)
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise ResultsError(f"{key} of suite {label!r} is {text[:40]!r}, not a number of tests")
        if int(text) > found:
            raise ResultsError(f"suite {label!r} says {text} {key}, and holds {found}")


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() != "utf-8":
        raise ResultsError(f"encoding {encoding[:40]!r}; only UTF-8 is read")


def _refuse_doctype(*_: object) -> None:
    raise ResultsError("a document type declaration; XML with one is not read")
