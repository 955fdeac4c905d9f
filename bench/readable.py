"""Leaves damaged images out of a run before anything is measured on the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..engine.errors import InputError
from ..engine.images.read import read_image


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
