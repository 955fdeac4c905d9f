"""A few items, evenly spread over many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


def spread(items: Sequence[_Item], count: int) -> list[_Item]:
    """Return at most `count` of the items, evenly spread over all of them."""
    wanted = min(count, len(items))
    return [items[number * len(items) // wanted] for number in range(wanted)]
