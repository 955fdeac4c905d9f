"""The images of a run: which can be read, which are timed, and how the report names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...engine.errors import InputError
from ...engine.images.read import read_image
from ...engine.system.spread import spread
from ...engine.terms import OnStep
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


def find_readable(
    images: Sequence[Path], *, on_step: OnStep = lambda title, done, wanted: None
) -> tuple[list[Path], list[str]]:
    """Read all images; return those that can be read, and a sentence for each of the others.

    Args:
        images: Files.
        on_step: Called with a title, the images read and the images wanted.

    Raises:
        InputError: No image can be read.
    """
    readable, left_out = [], []
    for number, path in enumerate(images):
        on_step("reading images", number, len(images))
        try:
            read_image(path)
        except InputError as error:  # one damaged file must not stop the run
            left_out.append(f"{path} is left out: {error}.")
        else:
            readable.append(path)
    if images and not readable:
        raise InputError(f"none of {len(images)} images can be read; {left_out[0].rstrip('.')}")
    return readable, left_out
