"""The header Accept of a request in, the form of the answer out."""

from __future__ import annotations

from collections.abc import Mapping

from ..decode.options import ANSWERS, Answer
from ..refusal import Refusal

# The 16-bit PNG shares the type of the other one; a parameter, or the option format, asks for it.
MEDIA_TYPES: Mapping[Answer, str] = {
    "npy": "application/x-npy",
    "npz": "application/x-npz",
    "png16": "image/png;bits=16",
    "png": "image/png",
    "exr": "image/x-exr",
    "json": "application/json",
}
_LONGEST = 1000  # characters of a header that are looked at


def choose_answer(accept: str, *, otherwise: Answer = "npy") -> Answer:
    """Return the form that a client likes best; among equals the first of ANSWERS, JSON only where it is named.

    Args:
        accept: The header; "" accepts anything.
        otherwise: For a client that accepts anything.

    Raises:
        Refusal: 406 if it accepts none.
    """
    ranges = [_read_range(part) for part in accept[:_LONGEST].split(",") if part.strip()]
    if not ranges:
        return otherwise
    best = max(ANSWERS, key=lambda answer: (_quality(answer, ranges, otherwise), -ANSWERS.index(answer)))
    if _quality(best, ranges, otherwise)[0] <= 0:
        raise Refusal(406, "not_acceptable", f"Accept takes none of {', '.join(MEDIA_TYPES.values())}")
    return best


def _quality(answer: Answer, ranges: list[tuple[str, str, float]], otherwise: Answer) -> tuple[float, int]:
    """Return how much a client likes a form, by the most exact range that holds it, and how exact that is."""
    kind, _, bits = MEDIA_TYPES[answer].partition(";")
    found = (0.0, 0)
    for wanted, parameter, quality in ranges:
        if wanted == kind and parameter == bits:
            exact = 3
        elif bits or parameter:
            continue
        elif wanted == f"{kind.partition('/')[0]}/*" and answer != "json":
            exact = 2
        elif wanted == "*/*" and (answer != "json" or answer == otherwise):
            exact = 1 if answer != otherwise else 2
        else:
            continue
        if exact > found[1]:
            found = (quality, exact)
    return found


def _read_range(part: str) -> tuple[str, str, float]:
    """Return type, bits=... and quality of one range; a broken quality is 0."""
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality, bits = 1.0, ""
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
        elif parameter.startswith("bits="):
            bits = parameter
    return kind, bits, quality
