"""An evaluation as a drawing: a bar for each threat, and the matrix as a map. One file, without scripts or network.

The colours tell nothing that text or a pattern does not, and follow the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from gate.model.scenario import Evaluated, Result, ScenarioSet
from gate.report.escape import terminal
from gate.report.scenarios import Cell, by_threat, cells, tally
from gate.report.scenarios_text import scenarios_summary

_LEFT: Final = 220
_ROW: Final = 26
_CELL: Final = 64
_GAP: Final = 18
_STYLE: Final = """\
text{font:13px sans-serif;fill:#1b1b1b}.h{font-weight:bold;font-size:15px}.s{font-size:11px}.n{fill:#fff}
.refused{fill:#1a5fb4}.unseen{fill:#8f6400}.hole{fill:#a51d2d}.good{fill:#26762f}.wrong{fill:#a51d2d}
.none{fill:none;stroke:#888;stroke-dasharray:3 3}rect.back{fill:#fff}
@media(prefers-color-scheme:dark){rect.back{fill:#1b1b1b}text{fill:#eee}text.n{fill:#fff}.s{fill:#ccc}}"""
_BARS: Final = (
    (Result.TRUE_REFUSAL, "refused", "attacks refused"),
    (Result.UNSEEN, "unseen", "attacks not seen statically"),
    (Result.FALSE_ALLOW, "hole", "attacks let through"),
    (Result.TRUE_ALLOW, "good", "good twins allowed"),
    (Result.FALSE_REFUSAL, "wrong", "good twins refused"),
)


def scenarios_svg(found: Evaluated) -> str:
    """The drawing; its description is what the last line of the table says."""
    parts: list[str] = []
    width = _LEFT + max(len(found.set.kinds) * _block(found.set), 11 * _CELL)
    bottom = _draw_bars(found, parts, 70, width - _LEFT - _GAP)
    bottom = _draw_matrix(found, parts, bottom + 40)
    title, told = _text(found.set.title), _text(scenarios_summary(found))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom}" width="{width}" height="{bottom}" '
        f'role="img" aria-labelledby="title summary">\n<title id="title">{title}</title>\n'
        f'<desc id="summary">{told}</desc>\n<style>{_STYLE}</style>\n'
        f'<rect class="back" width="{width}" height="{bottom}"/>\n'
        f'<text class="h" x="16" y="28">{title}</text>\n<text x="16" y="48">{told}</text>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _block(told: ScenarioSet) -> int:
    """How wide the cells of one kind are together."""
    return len(told.targets) * _CELL + _GAP


def _draw_bars(found: Evaluated, parts: list[str], top: int, room: int) -> int:
    groups = by_threat(found)
    most = max((len(ended) for ended in groups.values()), default=1)
    unit = room / most
    parts += _legend(top)
    y = top + 22
    for name, ended in groups.items():
        results, x = tally(ended), float(_LEFT)
        parts.append(f'<text x="16" y="{y + 15}">{_text(name)}</text>')
        for result, kind, words in _BARS:
            count = results[result]
            if count:
                parts.append(_box(x, y, count * unit, _ROW - 6, kind, f"{name}: {count} {words}"))
                parts.append(f'<text class="n s" x="{x + 4:.1f}" y="{y + 14}">{count}</text>')
                x += count * unit
        y += _ROW
    return y


def _legend(y: int) -> Iterator[str]:
    x = _LEFT
    for _, kind, words in _BARS:
        yield f'<rect class="{kind}" x="{x}" y="{y - 10}" width="10" height="10"/>'
        yield f'<text class="s" x="{x + 14}" y="{y}">{words}</text>'
        x += 34 + 6 * len(words)


def _draw_matrix(found: Evaluated, parts: list[str], top: int) -> int:
    told = found.set
    parts.append(f'<text class="h" x="16" y="{top}">Attacks refused, of all attacks, by what they arrive in</text>')
    y = top + 24
    block = _block(told)
    for place, kind in enumerate(told.kinds):
        parts.append(f'<text x="{_LEFT + place * block}" y="{y}">{_text(kind)}</text>')
        for number, target in enumerate(told.targets):
            x = _LEFT + place * block + number * _CELL
            parts.append(f'<text class="s" x="{x}" y="{y + 16}">{_text(target)}</text>')
    y += 24
    by_place = {(cell.kind, cell.threat, cell.target): cell for cell in cells(found)}
    for threat in told.threats_crossed:
        parts.append(f'<text x="16" y="{y + 18}">{_text(threat)}</text>')
        for place, kind in enumerate(told.kinds):
            for number, target in enumerate(told.targets):
                x = _LEFT + place * block + number * _CELL
                parts += _draw_cell(by_place[kind, threat, target], x, y)
        y += 32
    return y + 10


def _draw_cell(cell: Cell, x: int, y: int) -> Iterator[str]:
    what = f"{cell.threat} in {cell.kind} for {cell.target}: {cell.refused} of {cell.attacks} refused"
    if cell.unseen:
        what += f", {cell.unseen} not seen statically"
    if cell.attacks == 0:
        what = f"{cell.threat} in {cell.kind} for {cell.target}: {cell.reason or 'no scenario'}"
    kind = "none" if cell.attacks == 0 else "hole" if not cell.is_held else "unseen" if cell.unseen else "refused"
    yield _box(x, y, _CELL - 6, 26, kind, what)
    if cell.attacks:
        mark = ("" if cell.is_held else "!") + ("?" if cell.unseen else "")
        yield f'<text class="n s" x="{x + 5}" y="{y + 17}">{cell.refused}/{cell.attacks}{mark}</text>'


def _box(x: float, y: float, width: float, height: float, kind: str, what: str) -> str:
    place = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}"'
    return f'<rect class="{kind}" {place} rx="2"><title>{_text(what)}</title></rect>'


def _text(text: str) -> str:
    return escape(terminal(text), {'"': "&quot;"})
