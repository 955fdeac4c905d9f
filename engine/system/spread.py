"""Evenly spread samples of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


def spread(items: Sequence[_Item], count: int) -> list[_Item]:
    """Return at most `count` of the items, evenly spread over the list."""
    wanted = min(count, len(items))
    return [items[number * len(items) // wanted] for number in range(wanted)]
