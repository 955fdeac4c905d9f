"""Options of a request, texts by name, in; a checked record out. Unknown names and values are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...engine.terms import COLORMAPS, Colormap
from ..refusal import Refusal, unprocessable

Answer = Literal["npy", "npz", "png16", "png", "exr", "json"]  # preferred ones first
ANSWERS: tuple[Answer, ...] = get_args(Answer)
_LARGEST = 1e6  # of numbers: px, metres, units of depth
_SHORTEST_PX = 1e-3  # of focal lengths; with less, points lie beyond what float32 holds


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a request.

    Args:
        read: Returns the value of a text; raises ValueError.
        expected: In words.
        schema: For OpenAPI.
        about: For people.
    """

    read: Callable[[str], Any]
    expected: str
    schema: Mapping[str, Any]
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a client asks for; None where it says nothing.

    Args:
        model: Name of a served model.
        format: Of the answer; it wins over the header Accept.
        colormap: Of a png.
        value_range: (low, high) of the colours, and of a png16 of depth without a unit.
        max_side_px: The image is shrunk until its longer side has at most as many.
        focal_px: Focal length in px of the image as it is sent.
        fov_deg: Field of view from the left edge of the image to the right.
        fy_px, cx_px, cy_px: Of a point cloud, with focal_px as fx; also in px of the image as it is sent.
    """

    model: str | None = None
    format: Answer | None = None
    colormap: Colormap | None = None
    value_range: tuple[float, float] | None = None
    max_side_px: int | None = None
    focal_px: float | None = None
    fov_deg: float | None = None
    fy_px: float | None = None
    cx_px: float | None = None
    cy_px: float | None = None


def _words(words: tuple[str, ...], about: str) -> Option:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Option(read, f"one of {', '.join(words)}", {"type": "string", "enum": list(words)}, about)


def _number(least: float, most: float, about: str, *, whole: bool = False) -> Option:
    def read(text: str) -> float:
        value: float = int(text) if whole else float(text)
        if not (text.isascii() and least <= value <= most):  # false for NaN
            raise ValueError
        return value

    kind, words = ("integer", "a whole number") if whole else ("number", "a number")
    schema = {"type": kind, "minimum": least, "maximum": most}
    return Option(read, f"{words} from {least:g} to {most:g}", schema, about)


def _text(most: int, about: str) -> Option:
    def read(text: str) -> str:
        if not 1 <= len(text) <= most:
            raise ValueError
        return text

    return Option(read, f"1 to {most} characters", {"type": "string", "minLength": 1, "maxLength": most}, about)


OPTIONS: Mapping[str, Option] = {
    "model": _text(64, "Name of a served model, see /models. Default: the first."),
    "format": _words(ANSWERS, "Of the answer; wins over Accept."),
    "colormap": _words(COLORMAPS, "Of a png. Default: spectral_r."),
    "low": _number(-_LARGEST, _LARGEST, "Lowest value of the colours, with high."),
    "high": _number(-_LARGEST, _LARGEST, "Highest value of the colours, with low."),
    "max_side": _number(32, 16384, "Shrink the image to this longer side, px.", whole=True),
    "focal_px": _number(_SHORTEST_PX, _LARGEST, "Focal length of the camera, px of the image."),
    "fov": _number(0.1, 179, "Horizontal field of view, degrees."),
    "fx": _number(_SHORTEST_PX, _LARGEST, "Horizontal focal length, px of the image."),
    "fy": _number(_SHORTEST_PX, _LARGEST, "Vertical focal length, px. Default: fx."),
    "cx": _number(-_LARGEST, _LARGEST, "Column of the principal point, px. Default: the middle."),
    "cy": _number(-_LARGEST, _LARGEST, "Row of the principal point, px. Default: the middle."),
}
OF_DEPTH = ("model", "format", "colormap", "low", "high", "max_side", "focal_px", "fov")
OF_POINTS = ("model", "max_side", "fov", "fx", "fy", "cx", "cy")


def read_options(given: Iterable[tuple[str, str]], names: tuple[str, ...]) -> Options:
    """Return the options of a request.

    Args:
        given: Names and texts, of the address and of the form.
        names: Of the options that the route takes.

    Raises:
        Refusal: 422 for an unknown name, a name that stands twice, or a wrong value.
    """
    found: dict[str, Any] = {}
    for name, text in given:
        if name not in names:
            raise unprocessable("unknown_option", f"an unknown option was given, expected some of {', '.join(names)}")
        if name in found:
            raise unprocessable("wrong_option", f"option {name} was given twice")
        try:
            found[name] = OPTIONS[name].read(text)
        except ValueError:
            raise _wrong(name, OPTIONS[name].expected) from None
    low, high = found.get("low"), found.get("high")
    if (low is None) != (high is None) or (low is not None and low >= high):
        raise _wrong("low and high", "both, the lower first")
    if len({"focal_px", "fx", "fov"} & set(found)) > 1:
        raise _wrong("fov", "a focal length or a field of view, not both")
    return _record(found)


def _record(found: Mapping[str, Any]) -> Options:
    return Options(
        model=found.get("model"),
        format=found.get("format"),
        colormap=found.get("colormap"),
        value_range=(found["low"], found["high"]) if "low" in found else None,
        max_side_px=found.get("max_side"),
        focal_px=found.get("focal_px", found.get("fx")),
        fov_deg=found.get("fov"),
        fy_px=found.get("fy"),
        cx_px=found.get("cx"),
        cy_px=found.get("cy"),
    )


def _wrong(name: str, expected: str) -> Refusal:
    return unprocessable("wrong_option", f"option {name} has a wrong value, expected {expected}")
