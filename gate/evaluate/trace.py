"""Which conditions of a rule hold, found out by asking the engine for them one after the other.

For each body of a rule, copies of its beginnings become rules beside it: the first statement, the first two, and so
on (`trace_rules`). What such a rule contains are the values of the variables there; an empty one never held. So an
explanation comes from the very engine that decides, and needs no debugger in it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gate.errors import PolicyError
from gate.evaluate.interface import TIME_LIMIT_S
from gate.evaluate.regorus import CompiledRules
from gate.evaluate.syntax import Module, Node, Rule, parse
from gate.evaluate.trace_rules import Plan, Planner, Step, indexes, reference
from gate.model.json import JsonValue
from gate.model.trace import BodyTrace, Condition, Operand, State


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule to trace. `only` are values of variables: other choices of them do not count."""

    path: str
    rule: Rule
    only: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict)


class Tracer:
    """Traces rules of some modules for one input document (canonical JSON).

    Tracing never raises: what cannot be traced says why. Each question to the engine has `time_limit_s` seconds.
    """

    def __init__(self, modules: Mapping[str, str], document: bytes, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._modules = modules
        self._document = document
        self._time_limit_s = time_limit_s
        self._planner = Planner(modules)
        self._parsed: dict[str, Module] = {}

    def module(self, path: str) -> Module:
        """The syntax tree of a module; raises `PolicyError` when it does not parse."""
        if path not in self._parsed:
            self._parsed[path] = parse(path, self._modules[path])
        return self._parsed[path]

    def trace(self, wanted: Sequence[Wanted]) -> list[tuple[BodyTrace, ...]]:
        """The bodies of some rules, in the order in which they were asked for. Functions have none."""
        plans = [
            self._planner.plans(self.module(item.path), item.rule) if item.rule.kind != "function" else []
            for item in wanted
        ]
        asker = self._asker([plan for group in plans for plan in group])
        return [
            tuple(self._deeper(plan, asker.trace(plan, item.only)) for plan in group)
            for item, group in zip(wanted, plans, strict=True)
        ]

    def cases(self, path: str, rule: Rule) -> list[dict[str, JsonValue]] | None:
        """The values that the variables in brackets of a rule's head take before any condition on them: its cases.

        `None` when there are no such variables, or their values cannot be told.
        """
        names = [node.word for node in indexes(rule.head)]
        plans = self._planner.plans(self.module(path), rule)
        found: dict[str, dict[str, JsonValue]] = {}
        for plan in plans:
            step = next((step for step in plan.steps if set(names) <= set(step.bound)), None)
            answer = self._asker([plan]).ask(plan, step.rule) if step is not None else None
            if step is None or not isinstance(answer, list):
                return None
            for values in answer:
                binding = dict(zip(step.bound, values, strict=True))
                case = {name: binding[name] for name in names}
                found[json.dumps(case)] = case
        return list(found.values()) if names and plans else None

    def _asker(self, plans: Sequence[Plan]) -> _Asker:
        return _Asker(self._modules, self._document, self._time_limit_s, plans)

    def _deeper(self, plan: Plan, trace: BodyTrace) -> BodyTrace:
        """A trace with the functions that its failed condition calls, with the arguments they have there."""
        if trace.failed is None:
            return trace
        step = plan.steps[trace.conditions.index(trace.failed)]
        inner = [
            deeper
            for call in step.calls
            for module, function in self._functions(plan.module, call.node)
            for deeper in self._planner.plans(module, function, f"{plan.package}.{call.rule}")
        ]
        if not inner:
            return trace
        asker = self._asker([plan, *inner])
        found = (asker.trace(deeper, {}) for deeper in inner)
        return dataclasses.replace(trace, calls=tuple(item for item in found if item.failed is not None))

    def _functions(self, module: Module, call: Node) -> Iterator[tuple[Module, Rule]]:
        """The definitions of the function that is called, if it is none of the engine's."""
        callee = call.child("fcn")
        name = callee.path if callee is not None else ()
        full = (*module.imports[name[0]], *name[1:]) if name[0] in module.imports else ("data", *module.package, *name)
        full = name if name[0] == "data" else full
        for path, source in self._modules.items():
            if f"{full[-1]}(" in source and ("data", *self.module(path).package) == full[:-1]:
                found = self.module(path)
                yield from ((found, rule) for rule in found.rules if rule.kind == "function" and rule.name == full[-1:])


class _Asker:
    """The modules together with the rules of some plans. A plan that does not compile is left out."""

    def __init__(self, modules: Mapping[str, str], document: bytes, time_limit_s: float, plans: Sequence[Plan]) -> None:
        self._modules = modules
        self._document = document
        self._time_limit_s = time_limit_s
        self._problems: dict[str, str] = {}
        self._engine = self._compile(plans) if plans else None
        if self._engine is None:
            good: list[Plan] = []
            for plan in plans:
                # A function's plan needs the rule of its call, which comes first.
                good = [*good, plan] if self._compile([*good[:1], plan], plan.source) else good
            self._engine = self._compile(good) if good else None

    def _compile(self, plans: Sequence[Plan], culprit: str = "") -> CompiledRules | None:
        sources = dict(self._modules)
        for plan in plans:
            sources[plan.module.path] += f"\n{plan.source}\n"
        try:
            return CompiledRules(sources, [rule for plan in plans for rule in plan.rules])
        except PolicyError as error:
            self._problems[culprit] = str(error)
            return None

    def ask(self, plan: Plan, rule: str) -> JsonValue:
        """What a rule of a plan contains, or the text of the error that its evaluation ended in."""
        if self._engine is None or plan.source in self._problems:
            return self._problems.get(plan.source, "")
        try:
            full = reference((*plan.module.package, rule))
            answer = self._engine.value(full, self._document, time_limit_s=self._time_limit_s)
        except PolicyError as error:
            return str(error)
        value: JsonValue = json.loads(answer if answer is not None else "[]")
        return value

    def trace(self, plan: Plan, only: Mapping[str, JsonValue]) -> BodyTrace:
        """The conditions of a plan, up to the first that does not hold for the choice `only`."""
        path = plan.module.path
        if plan.source in self._problems:
            return BodyTrace(path, plan.name, plan.line, (), self._problems[plan.source])
        conditions: list[Condition] = []
        for step in plan.steps:
            if conditions and conditions[-1].state is not State.HELD:
                conditions.append(Condition(step.text, step.line, State.UNREACHED))
            else:
                conditions.append(self._condition(plan, step, only))
        return BodyTrace(path, plan.name, plan.line, tuple(conditions))

    def _condition(self, plan: Plan, step: Step, only: Mapping[str, JsonValue]) -> Condition:
        answer = self.ask(plan, step.rule)
        bindings = tuple(
            binding for values in _lists(answer) if _fits(binding := dict(zip(step.bound, values, strict=True)), only)
        )
        if bindings:
            return Condition(step.text, step.line, State.HELD, bindings)
        operands = tuple(
            Operand(part.text, self._values(plan, part.rule, (*step.before, ""), only)) for part in step.parts
        )
        problem = answer if isinstance(answer, str) else ""
        state = State.UNKNOWN if problem else State.FAILED
        return Condition(step.text, step.line, state, (), operands, step.is_equality, problem)

    def _values(
        self, plan: Plan, rule: str, names: Sequence[str], only: Mapping[str, JsonValue]
    ) -> tuple[JsonValue, ...]:
        found = {}
        for values in _lists(self.ask(plan, rule)):
            if _fits(dict(zip(names, values, strict=True)), only):
                found[json.dumps(values[-1])] = values[-1]
        return tuple(found.values())


def _lists(answer: JsonValue) -> Iterator[Sequence[JsonValue]]:
    if isinstance(answer, list):
        yield from (item for item in answer if isinstance(item, list))


def _fits(binding: Mapping[str, JsonValue], only: Mapping[str, JsonValue]) -> bool:
    return all(binding.get(name, value) == value for name, value in only.items())
