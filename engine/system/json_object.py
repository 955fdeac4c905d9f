"""Parses text that may be hostile into a JSON object; anything wrong with it is an error of one line."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ContractError, DepthrtError

_LONGEST_INTEGER = 20  # digits; 2**64 has 20


def parse_object(
    text: str | bytes, *, name: str, remedy: str, failure: type[DepthrtError] = ContractError
) -> dict[str, Any]:
    """Return the JSON object that a text holds.

    Refused as well: keys that stand twice in an object, NaN and Infinity, integers of more than 20 digits, and
    nesting that Python's stack cannot hold.

    Args:
        text: UTF-8 if it is bytes.
        name: Of the object, for the error: "contract".
        remedy: What to do about a wrong text, for the error.
        failure: The error raised.
    """
    try:
        found = json.loads(
            text, object_pairs_hook=_refuse_twins, parse_constant=_refuse_constant, parse_int=_short_integer
        )
    except RecursionError as error:
        raise failure(f"{name} is JSON that is nested too deeply; {remedy}") from error
    except ValueError as error:  # of json, of UTF-8 and of the functions below
        raise failure(f"{name} is not JSON ({' '.join(str(error).split())}); {remedy}") from error
    if not isinstance(found, dict):
        raise failure(f"{name} is not a JSON object; {remedy}")
    return found


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _refuse_constant(text: str) -> Any:  # noqa: ANN401 (never returns)
    raise ValueError(f"{text} is not a JSON number")


def _short_integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"an integer has {len(text)} digits")
    return int(text)
