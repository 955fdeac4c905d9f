"""Objects that are drawn into a draft for tests: many of a kind, each from another seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random

from seen_scenes import extent

from depthrt.finetune.scenes.draft import THING, Draft
from depthrt.finetune.scenes.textures.materials import Palette

DRAWS = 30
FLOOR = 0.02  # metres that an object may reach into the floor


def drawn(draw: Callable[[Draft, Palette], None], *, draws: int = DRAWS) -> Iterator[Draft]:
    """Yield a draft of an object at the origin for each seed, after checks that hold for every object.

    They are: it has solids of finite numbers and positive size, it leaves the current frame, it depends only on its
    seed, and seeds differ.
    """
    seen = set()
    for seed in range(draws):
        first, again = (_draft(draw, seed) for _ in range(2))
        assert first.solids and first.solids == again.solids
        assert all(math.isfinite(value) for row in first.solids for value in row)
        assert all(min(row[13:16]) > 0 for row in first.solids)
        assert first.place(0, 0, 0) == (0, 0, 0)
        seen.add(tuple(first.solids))
        yield first
    assert len(seen) == draws


def _draft(draw: Callable[[Draft, Palette], None], seed: int) -> Draft:
    draft = Draft(Random(seed))
    draft.thing = 1
    draw(draft, Palette(draft.rng))
    return draft


def height_of(draft: Draft) -> tuple[float, float]:
    """Return the lowest and highest point of the boxes around the solids."""
    low, high = extent(draft.solids)
    return low[2], high[2]


def reach_of(draft: Draft) -> tuple[float, float]:
    """Return the farthest points from the origin along x and y, of the boxes around the solids."""
    low, high = extent(draft.solids)
    return max(-low[0], high[0]), max(-low[1], high[1])


def things_of(draft: Draft) -> set[float]:
    """Return the instances of the solids."""
    return {row[THING] for row in draft.solids}
