"""The options of the obstacle gate, which `depthrt bag` and `depthrt bridge` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..params import together

if TYPE_CHECKING:
    from ...engine.depth.obstacles.gate import ObstacleGate

Heights = tuple[float, float]

gate_options = together(
    click.option(
        "--gate",
        type=float,
        nargs=2,
        metavar="LOW HIGH",
        help="Of the --points, write only those LOW to HIGH metres over a flat floor; the floor is found in each image "
        "by the --camera-height, and an image that shows none has no points.",
    ),
    click.option(
        "--camera-height", "camera_height_m", type=float, metavar="M", help="Of the lens over the floor, for --gate."
    ),
)


def gate_of(gate: Heights | None, camera_height_m: float | None, *, points: bool) -> ObstacleGate | None:
    """Return the gate that the options ask for.

    Raises:
        UsageError: An option that another needs is missing.
        InputError: The heights are none.
    """
    if (gate is None) != (camera_height_m is None):
        given, missing = ("--gate", "--camera-height") if camera_height_m is None else ("--camera-height", "--gate")
        raise click.UsageError(f"{given} needs {missing} too, such as --gate 0.05 1.5 --camera-height 0.4.")
    if gate is None or camera_height_m is None:
        return None
    if not points:
        raise click.UsageError("--gate chooses points; give --points too.")
    from ...engine.depth.obstacles.gate import ObstacleGate

    return ObstacleGate(*gate, camera_height_m=camera_height_m)
