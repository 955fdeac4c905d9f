"""The images that a verb measures on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..engine.errors import InputError
from ..engine.modelfile.shipped import PHOTO


def find_images(inputs: Sequence[str]) -> list[Path]:
    """Return the images that files, folders and patterns name, or the photograph that comes with the package.

    Raises:
        InputError: There is no image in them.
    """
    from ..engine.run.sources import find_sources

    if not inputs:
        return [PHOTO]
    paths = [Path(source.name) for source in find_sources(inputs) if source.kind == "image"]
    if not paths:
        raise InputError(f"no image in {', '.join(inputs)}; give images, folders or patterns")
    return paths
