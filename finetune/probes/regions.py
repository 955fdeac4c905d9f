"""Finds the regions that the figure of a probe compares, from the instances of a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from ..scenes.settings.apart import LAYERS
from ..scenes.settings.stage import OTHER, SUBJECT, SURFACE
from .align import Mask

Things = NDArray[np.int32]  # instance of each pixel; -1 is the sky
Regions = Callable[[Things], Mapping[str, Mask]]
_BESIDE_PX = 24  # of a picture SIZE_PX wide: reach of "beside a thing" to each side
_RING_PX = 40  # width of the wall that is taken around a mirror or picture
_EDGE_PX = 3  # at an edge, which a picture blurs


def whole(thing: Things) -> dict[str, Mask]:
    """Return all pixels with depth."""
    return {"known": thing >= 0}


def sky_and_land(thing: Things) -> dict[str, Mask]:
    """Return the sky and the rest, without the edge between them."""
    return {"sky": _inner(thing < 0), "land": thing >= 0}


def subject_and_other(thing: Things) -> dict[str, Mask]:
    """Return SUBJECT and OTHER."""
    return {"subject": thing == SUBJECT, "other": thing == OTHER}


def things(thing: Things) -> dict[str, Mask]:
    """Return every instance but 0."""
    return {str(number): thing == number for number in np.unique(thing) if number > 0}


def layers(thing: Things) -> dict[str, Mask]:
    """Return the houses of a distant background."""
    return {str(number): thing == number for number in range(SUBJECT, SUBJECT + LAYERS)}


def stem_and_person(thing: Things) -> dict[str, Mask]:
    """Return the part of OTHER that has SUBJECT beside it, and the part of SUBJECT beside OTHER."""
    person, stem = thing == SUBJECT, thing == OTHER
    return {"stem": stem & _wider(person, _BESIDE_PX, 0), "person": person & _wider(stem, _BESIDE_PX, 0)}


def blades_and_gaps(thing: Things) -> dict[str, Mask]:
    """Return SUBJECT, and what is seen between its parts: inside its convex outline, and neither SUBJECT nor OTHER."""
    blades = thing == SUBJECT
    outline = np.zeros(thing.shape, np.uint8)
    if blades.any():
        points = np.argwhere(blades)[:, ::-1].astype(np.int32)  # (x, y) for OpenCV
        cv2.fillConvexPoly(outline, cv2.convexHull(points), 1)
    return {"blades": blades, "gaps": (outline > 0) & (thing >= 0) & ~blades & (thing != OTHER)}


def floor(thing: Things) -> dict[str, Mask]:
    """Return SURFACE without its edges."""
    return {"floor": _inner(thing == SURFACE)}


def flat_and_wall(thing: Things) -> dict[str, Mask]:
    """Return SUBJECT without its edge, and SURFACE around it."""
    flat = thing == SUBJECT
    return {"inside": _inner(flat), "around": (thing == SURFACE) & _wider(flat, _RING_PX, _RING_PX)}


def parts_and_pillar(thing: Things) -> dict[str, Mask]:
    """Return the parts of SUBJECT left and right of OTHER, and the part of OTHER between them."""
    subject, pillar = thing == SUBJECT, thing == OTHER
    columns = np.arange(thing.shape[1])
    middle = float(np.median(np.argwhere(pillar)[:, 1])) if pillar.any() else 0.0
    return {
        "left": subject & (columns < middle),
        "right": subject & (columns > middle),
        "pillar": pillar & subject.any(axis=1)[:, None],
    }


def _wider(mask: Mask, across_px: int, down_px: int) -> Mask:
    """Return a mask grown by a rectangle."""
    kernel = np.ones((2 * down_px + 1, 2 * across_px + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)


def _inner(mask: Mask) -> Mask:
    """Return a mask without its edges; the border of the picture is none."""
    return ~_wider(~mask, _EDGE_PX, _EDGE_PX)
