"""The images of a run: those that can be read, those that times are taken on, and what its report says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import InputError
from ...engine.images.read import read_image
from ...engine.system.spread import spread
from ..latency.turns import Plan
from ..numbers.figures import IMAGE_NAMES, name_images

if TYPE_CHECKING:
    from .plan import BenchPlan

LATENCY_IMAGES = 4  # of those given, evenly spread; each size of input costs every candidate a preparation


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


def find_readable(
    images: Sequence[Path], *, on_step: Callable[[str, int, int], None] = lambda title, done, wanted: None
) -> tuple[list[Path], list[str]]:
    """Return the images that can be read, and a sentence for each of the others; reads them all.

    Args:
        images: Files.
        on_step: Called with a title, the images read and the images wanted.

    Raises:
        InputError: None can be read.
    """
    readable, left_out = [], []
    for number, path in enumerate(images):
        on_step("reading images", number, len(images))
        try:
            read_image(path)
        except InputError as error:  # one damaged file is no reason to measure nothing
            left_out.append(f"{path} is left out: {error}.")
        else:
            readable.append(path)
    if images and not readable:
        raise InputError(f"none of {len(images)} images can be read; {left_out[0].rstrip('.')}")
    return readable, left_out
