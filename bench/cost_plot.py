"""The plot of bench/cost.py: one SVG file that stands alone, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

from .numbers.wording import digits
from .report.svg import Axis, fit_axis

if TYPE_CHECKING:
    from .cost import Cost

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _GAP, _BOTTOM = 520, 250, 56, 20, 84, 46, 36  # px, of one panel and its margins
_KEY_Y = 44
_COLOURS = ("#2a6fdb", "#d9822b", "#1f9d6b", "#b0397f")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #333 } .title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8884; stroke-width: 1 } path { fill: none; stroke-width: 2 } rect.paper { fill: #fff }
@media (prefers-color-scheme: dark) { text { fill: #ddd } rect.paper { fill: #16181c } }
"""


def plot_costs(costs: Sequence[Cost], *, title: str) -> str:
    """Return the SVG: time a megapixel, and GFLOP a second, over the image's side; a line a runner.

    Rings are batches, the larger the batch the larger the ring.
    """
    panels = (
        ("milliseconds a megapixel (a token is 196 pixels)", lambda one: one.ms_per_megapixel),
        ("GFLOP a second", lambda one: one.gflops),
    )
    ways = list(dict.fromkeys(one.way for one in costs))
    width, height = 2 * (_LEFT + _WIDTH) + _GAP + _RIGHT, _TOP + _HEIGHT + _BOTTOM
    parts = [f'<rect class="paper" width="{width}" height="{height}"/>', _text(_LEFT, 20, title, "title")]
    parts += [_key(number, way) for number, way in enumerate(ways)]
    batches = [str(batch) for batch in sorted({one.load.batch for one in costs if one.load.batch > 1})]
    if batches:
        parts.append(_text(width - _RIGHT, _KEY_Y, f"rings: batches of {', '.join(batches)}", anchor="end"))
    for number, (label, read) in enumerate(panels):
        left = _LEFT + number * (_LEFT + _WIDTH + _GAP)
        parts.append(f'<g transform="translate({left} {_TOP})">{_panel(costs, ways, label, read)}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _panel(costs: Sequence[Cost], ways: Sequence[str], label: str, read: Callable[[Cost], float]) -> str:
    across = Axis(0, 1.05 * max(one.load.side_px for one in costs), log=False)
    up = fit_axis([1.05 * read(one) for one in costs], log=False)

    def at(cost: Cost) -> tuple[float, float]:
        return across.at(cost.load.side_px) / 100 * _WIDTH, (1 - up.at(read(cost)) / 100) * _HEIGHT

    parts = [_text(0, -8, label)]
    for tick in up.ticks():
        y = (1 - up.at(tick) / 100) * _HEIGHT
        parts.append(f'<line class="grid" x1="0" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(-8, y + 4, digits(tick) if tick else "0", anchor="end"))
    sides = sorted({one.load.side_px for one in costs})
    parts += [_text(across.at(side) / 100 * _WIDTH, _HEIGHT + 18, f"{side} px", anchor="middle") for side in sides]
    for number, way in enumerate(ways):
        colour = _COLOURS[number % len(_COLOURS)]
        own = [one for one in costs if one.way == way]
        single = sorted((one for one in own if one.load.batch == 1), key=lambda one: one.load.side_px)
        line = " L".join(f"{x:.1f} {y:.1f}" for x, y in map(at, single))
        parts.append(f'<path d="M{line}" stroke="{colour}"/>')
        for one in own:
            x, y = at(one)
            ring = (
                f'fill="none" stroke="{colour}" r="{3 + one.load.batch}"'
                if one.load.batch > 1
                else f'fill="{colour}" r="3"'
            )
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" {ring}/>')
    return "".join(parts)


def _key(number: int, way: str) -> str:
    x = _LEFT + 180 * number
    colour = _COLOURS[number % len(_COLOURS)]
    return f'<circle cx="{x + 5}" cy="{_KEY_Y - 4}" r="5" fill="{colour}"/>{_text(x + 16, _KEY_Y, way)}'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
