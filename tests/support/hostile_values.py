"""Values that no record of finetune takes in more than a few of its fields."""

from __future__ import annotations

import math
from typing import Any

HOSTILE: tuple[Any, ...] = (
    *(None, True, False, [], {}, [None], [[1]], {"a": 1}, [1, 2, 3, 4, 5], [[]] * 50),
    *(math.nan, math.inf, -math.inf, -1.0, 0.5, 2.5, 1e308),
    *(-(2**70), -(10**40), -1, 0, 2**31, 10**40),
    *("", " ", "x", "1", "null", "a\nb", "\x1b[2J", "\x00", "\u202e", "\ud800", "x" * 300, "../../mine"),
)  # fmt: skip
