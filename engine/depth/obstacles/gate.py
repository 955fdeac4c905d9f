"""Metric depth in; the same depth with only what stands on the floor as high as a robot can hit out."""

from __future__ import annotations

import logging
from dataclasses import KW_ONLY, dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...system.field_types import NotNegative, Positive
from ..depth import Depth
from ..intrinsics import Intrinsics
from .floor import Floor, fit_floor

logger = logging.getLogger("depthrt")

NOISE = 2.5  # standard deviations of the floor's points that `low_m` should be above


@dataclass(frozen=True, slots=True)
class ObstacleGate:
    """Keeps points between two heights over a flat floor.

    Args:
        low_m, high_m: Heights over the floor.
        camera_height_m: Of the camera over the floor.

    Raises:
        InputError: The heights are not 0 <= low < high, or the camera is not above the floor.
    """

    low_m: NotNegative
    high_m: Positive
    _: KW_ONLY
    camera_height_m: Positive

    def __post_init__(self) -> None:
        if not 0 <= self.low_m < self.high_m < np.inf:
            raise InputError(
                f"a gate from {self.low_m:g} to {self.high_m:g} m found, expected 0 <= low < high; "
                "give heights over the floor, such as 0.05 and 1.5"
            )
        if not 0 < self.camera_height_m < np.inf:
            raise InputError(
                f"a camera height of {self.camera_height_m:g} m found, expected one above 0; measure from the floor to "
                "the lens"
            )

    def floor(self, depth: Depth, intrinsics: Intrinsics | None = None) -> Floor:
        """Return the floor in a depth.

        Args:
            intrinsics: As in `Depth.points`.

        Raises:
            NoFloor: No plane in it can be the floor under the camera.
            InputError: The depth is not metric, or no camera is known, or it is one of other images.
        """
        return fit_floor(_known(depth), depth.camera(intrinsics), self.camera_height_m)

    def apply(self, depth: Depth, intrinsics: Intrinsics | None = None, *, floor: Floor | None = None) -> Depth:
        """Return the depth with only obstacles valid, for `points`, `cloud` and `save`; a note in it names the floor.

        Args:
            intrinsics: As in `Depth.points`.
            floor: Of another image of a camera that is fixed to the robot; None fits it in this depth.

        Raises:
            NoFloor: No plane in it can be the floor under the camera.
            InputError: The depth is not metric, or no camera is known, or it is one of other images.
        """
        depth_m, camera = _known(depth), depth.camera(intrinsics)
        floor = fit_floor(depth_m, camera, self.camera_height_m) if floor is None else floor
        heights = floor.heights(depth_m, camera)
        inside = (heights > self.low_m) & (heights < self.high_m)
        note = f"only points {self.low_m:g} to {self.high_m:g} m over the floor are valid; the floor is {floor.place}"
        if self.low_m < NOISE * floor.spread_m:
            note = f"{note}; {_too_low(self)}"
        notes = (*depth.provenance.notes, note)
        return replace(depth, valid=inside, provenance=replace(depth.provenance, notes=notes, camera=camera))


@cache
def _too_low(gate: ObstacleGate) -> str:
    """Return what is wrong with a lower height in the noise of the floor; say it once."""
    found = f"parts of the floor seem higher than {gate.low_m:g} m, as the depth is noisy; raise the lower height"
    logger.warning("depthrt: %s", found)
    return found


def _known(depth: Depth) -> NDArray[np.float32]:
    """Return the depth in metres, NaN where there is none."""
    return np.where(depth.valid, depth.metres, np.float32(np.nan))
