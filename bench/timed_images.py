"""Of the images of a run, those that times are taken on, and what its report says of them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .candidates import LATENCY_IMAGES, spread
from .latency import Plan
from .same_images import IMAGE_NAMES, name_images

if TYPE_CHECKING:
    from .measure import BenchPlan


def choose_timed(images: Sequence[Path], plan: Plan | None) -> list[Path]:
    """Return the images that times are taken on: a few, since their arrays and every subject's inputs are all held.

    Args:
        images: Files.
        plan: Of the latency; no more images than its rounds reach. None where it is not measured.
    """
    reached = LATENCY_IMAGES if plan is None else max(1, plan.rounds * plan.calls)
    return spread(images, min(LATENCY_IMAGES, reached))


def image_facts(images: Sequence[Path], plan: BenchPlan) -> dict[str, str]:
    """Return the settings of a report that say which images drift is of, and how many of them times are taken on."""
    timed = f"{len(choose_timed(images, plan.latency))} of {len(images)} images"
    return {
        "images": f"{len(images)}, first {images[0].name}",
        **({"times on": timed} if plan.latency or plan.rate else {}),
        IMAGE_NAMES: name_images(images),
    }
