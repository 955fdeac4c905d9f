"""A frame and a number in, its augmented files out: the same whenever and wherever it is made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .edit.canvas import Image
from .edit.kinds import KINDS, apply
from .edit.materials import Materials
from .geometry.find_planes import find_planes
from .geometry.plane import Float64
from .options import Options
from .paint.gallery import Gallery
from .sample_files import SamplePaths, sidecar, write_sample
from .source import Frame, Loaded, load


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all samples are made from.

    Args:
        frames: Of the data set.
        options: Of the augmentation.
        gallery: Pictures for art.
        directory: Where the files go.
    """

    frames: Sequence[Frame]
    options: Options
    gallery: Gallery
    directory: Path


def make_sample(workshop: Workshop, number: int, copy: int, paths: SamplePaths, *, with_preview: bool) -> None:
    """Make and write the copy of a number of a frame.

    Raises:
        InputError: The frame cannot be read, or its files cannot be written.
    """
    frame, options = workshop.frames[number], workshop.options
    rng = _generator(options.seed, copy, frame.name)
    kind = KINDS[int(rng.choice(len(KINDS), p=options.shares))]
    loaded = load(frame)
    canvas = loaded.canvas
    before = canvas.inverse.copy() if with_preview else None
    planes = find_planes(canvas.inverse, rng)
    materials = Materials(
        planes,
        workshop.gallery,
        number if options.pictures is None else None,
        lambda draws: _beyond(workshop, number, loaded, draws),
        options.study,
    )
    edits = apply(kind, canvas, materials, rng)
    about = sidecar(frame, copy, options.seed, kind, loaded, planes, edits)
    write_sample(paths, loaded, about, frame=frame, before=before)


def _generator(seed: int, copy: int, name: str) -> np.random.Generator:
    """Return the random numbers of a sample, which no other sample has any part in."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng([seed, copy, *np.frombuffer(digest[:16], np.uint32).tolist()])


def _beyond(
    workshop: Workshop, number: int, loaded: Loaded, rng: np.random.Generator
) -> tuple[str, Image, Float64] | None:
    """Return another frame in the sizes of this; None without another whose depth is of the same kind."""
    count = len(workshop.frames)
    other = (number + 1 + int(rng.integers(max(1, count - 1)))) % count
    if other == number:
        return None
    found = load(workshop.frames[other])
    if found.truth.kind != loaded.truth.kind:
        return None
    image, inverse = found.canvas.image, found.canvas.inverse
    height, width = loaded.canvas.image.shape[:2]
    if image.shape[:2] != (height, width):
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    height, width = loaded.canvas.size_px
    if inverse.shape != (height, width):
        inverse = np.asarray(cv2.resize(inverse, (width, height), interpolation=cv2.INTER_NEAREST), np.float64)
    return workshop.frames[other].name, image, inverse
