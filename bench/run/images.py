"""The images of a run: which are timed, and how the report names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...engine.system.spread import spread
from ..latency.turns import Rounds
from ..numbers.figures import IMAGE_NAMES, name_images
from .measurement import Measurement

TIMED_IMAGES = 4  # evenly spread over all; each input size costs every subject a preparation


def choose_timed(images: Sequence[Path], rounds: Rounds | None) -> list[Path]:
    """Return the images that are timed: a few, since their arrays and every subject's inputs are held at once.

    Args:
        images: Files.
        rounds: Of the latency; no more images than they reach. None if latency is not measured.
    """
    reached = TIMED_IMAGES if rounds is None else max(1, rounds.count * rounds.calls)
    return spread(images, min(TIMED_IMAGES, reached))


def image_settings(images: Sequence[Path], measurement: Measurement) -> dict[str, str]:
    """Return the settings of a report that name the images of drift, and how many of them are timed."""
    timed = f"{len(choose_timed(images, measurement.rounds))} of {len(images)} images"
    return {
        "images": f"{len(images)}, first {images[0].name}",
        **({"times on": timed} if measurement.rounds or measurement.frame_rate else {}),
        IMAGE_NAMES: name_images(images),
    }
