"""Measures the obstacle gate on drawn rooms with exact depth: python docs/gate_table.py [--write | --picture].

The table is printed; with --write it is put into docs/robots.md. --picture writes docs/gate.jpg instead: three rooms as
the camera sees them, what the gate keeps of their exact depth, and of depth with smooth noise. Takes two minutes on one
core.
"""

# ruff: noqa: T201
from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from depthrt import Depth, Intrinsics, NoFloor, ObstacleGate, Provenance
from depthrt.engine.depth.provenance import Timings
from depthrt.finetune.scenes.rays.camera import Cameras
from depthrt.finetune.scenes.render import render_scenes, scene_cameras
from depthrt.finetune.scenes.scene import Scenes
from depthrt.finetune.scenes.settings.compose import draft_scene

DOCS = Path(__file__).parent / "robots.md"
HEADING = "| camera height, LOW, depth | floor found | obstacles found | their points | false points on the floor |"
_TABLE = re.compile(rf"{re.escape(HEADING)}\n(\|.*\n)+")

ROOMS, FIRST_SEED, TEXTURES = 200, 90_000_000, 9000
SIZE_PX = (240, 320)  # (h, w)
FOV_RAD, PITCH_RAD = 1.31, 0.17  # 75 degrees across, 10 down
LOWS_M = {0.4: (0.05,), 1.0: (0.05, 0.15)}  # of gates, by the height of the camera
HIGH_M = 1.5
FLOOR_M = 0.01  # what is lower is floor: a rug is 8 mm thick
LEAST_PX = 25  # of an obstacle that counts
FOUND = 0.3  # share of its points that are kept, for an obstacle to count as found
NOISE = 0.05
SHOWN = (0, 1, 3)  # rooms of the picture

Float32 = NDArray[np.float32]
Noise = Callable[[Float32, np.random.Generator], Float32]


@dataclass(frozen=True)
class Room:
    """A room as a robot sees it.

    Args:
        image: (H, W, 3) uint8, BGR.
        depth_m: (H, W); NaN for the sky.
        height_m: (H, W), of each point over the floor.
        thing: (H, W), number of the object.
        camera: Of the image.
    """

    image: NDArray[np.uint8]
    depth_m: Float32
    height_m: Float32
    thing: NDArray[np.int32]
    camera: Intrinsics


@dataclass
class Tally:
    """What the gate did in all rooms."""

    rooms: int = 0
    floors: int = 0
    things: int = 0
    found: int = 0
    points: int = 0
    kept: int = 0
    floor_px: int = 0
    false_px: int = 0

    def row(self, name: str) -> str:
        """Return the row of the table."""
        cells = (
            name,
            f"{self.floors} of {self.rooms}",
            f"{self.found / self.things:.1%} of {self.things}",
            f"{self.kept / self.points:.1%}",
            f"{self.false_px / self.floor_px:.2%}",
        )
        return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, put it into docs/robots.md, or write the picture."""
    if "--picture" in sys.argv[1:]:
        cv2.imwrite(str(DOCS.with_name("gate.jpg")), picture(), [cv2.IMWRITE_JPEG_QUALITY, 88])
        return
    rows = [HEADING, "|---|---|---|---|---|"]
    for height_m, lows_m in LOWS_M.items():
        tallies = {(low_m, name): Tally() for low_m in lows_m for name in NOISES}
        for number, room in enumerate(rooms(ROOMS, height_m)):
            for name, noise in NOISES.items():
                depth_m = noise(room.depth_m, np.random.default_rng(number))
                for low_m in lows_m:
                    judge(tallies[low_m, name], room, depth_m, ObstacleGate(low_m, HIGH_M, camera_height_m=height_m))
        rows += [tally.row(f"{height_m:g} m, {low_m:g} m, {name}") for (low_m, name), tally in tallies.items()]
    table = "\n".join(rows) + "\n"
    if "--write" not in sys.argv[1:]:
        print(table, end="")
        return
    text, found = _TABLE.subn(lambda match: table, DOCS.read_text(encoding="utf-8"))
    assert found == 1, f"{DOCS} has {found} tables that begin with {HEADING}"
    DOCS.write_text(text, encoding="utf-8")


def picture() -> NDArray[np.uint8]:
    """Return rows of an image, what is kept of its exact depth, and of noisy depth."""
    height_m = 0.4
    gate = ObstacleGate(LOWS_M[height_m][0], HIGH_M, camera_height_m=height_m)
    shown = []
    for number, room in enumerate(rooms(max(SHOWN) + 1, height_m)):
        if number in SHOWN:
            noisy = of_patches(room.depth_m, np.random.default_rng(number))
            kept = [gate.apply(depth_of(depth_m), room.camera).valid for depth_m in (room.depth_m, noisy)]
            shown.append(np.hstack([room.image, *(painted(room.image, one) for one in kept)]))
    return np.vstack(shown)


def painted(image: NDArray[np.uint8], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return an image with red obstacles, the rest dark."""
    found = image // 2
    found[kept] += np.array([0, 0, 120], np.uint8)
    return found


def rooms(count: int, height_m: float) -> Iterator[Room]:
    """Yield furnished rooms, each seen by a camera at a height that looks a little down."""
    seeds = [seed for seed in range(FIRST_SEED, FIRST_SEED + 4 * count) if draft_scene(seed, "indoor")[0] == "room"]
    for first in range(0, count, 8):
        group = seeds[first : min(first + 8, count)]
        cameras = robots_cameras(group, height_m)
        scenes = render_scenes(
            group, height_px=SIZE_PX[0], width_px=SIZE_PX[1], setting="indoor", cameras=cameras, texture_seed=TEXTURES
        )
        for number in range(len(group)):
            yield room_of(scenes, number)


def robots_cameras(seeds: list[int], height_m: float) -> Cameras:
    """Return the cameras of scenes at a robot's height, looking the same way, a little down."""
    cameras = scene_cameras(seeds, setting="indoor")
    position, rotation = cameras.position.clone(), cameras.rotation.clone()
    position[:, 2] = height_m
    forward = rotation[:, :, 2].clone()
    yaw = torch.atan2(-forward[:, 0], forward[:, 1])
    for number, angle in enumerate(yaw):
        rotation[number] = turned(float(angle))
    return Cameras(position, rotation, torch.full_like(cameras.fov_rad, FOV_RAD))


def turned(yaw: float) -> torch.Tensor:
    """Return the rotation, world from camera, of a level camera that looks down by PITCH_RAD."""
    right = np.array([np.cos(yaw), np.sin(yaw), 0])
    ahead = np.array([-np.sin(yaw) * np.cos(PITCH_RAD), np.cos(yaw) * np.cos(PITCH_RAD), -np.sin(PITCH_RAD)])
    return torch.from_numpy(np.stack([right, np.cross(ahead, right), ahead], axis=1))


def room_of(scenes: Scenes, number: int) -> Room:
    """Return a rendered room with the height of each point."""
    depth = scenes.depth_m[number].double().numpy()
    fx, fy, cx, cy = (float(value) for value in scenes.intrinsics[number])
    camera = Intrinsics(fx, fy, cx, cy, SIZE_PX)
    rows, columns = np.mgrid[: SIZE_PX[0], : SIZE_PX[1]]
    rays = np.stack([(columns - cx) / fx, (rows - cy) / fy, np.ones(SIZE_PX)], axis=-1)
    up = scenes.cameras.rotation[number, 2].numpy()  # the world's z in the camera
    height = float(scenes.cameras.position[number, 2]) + depth * (rays @ up)
    seen = scenes.valid[number].numpy()
    image = scenes.image[number].permute(1, 2, 0).numpy()[..., ::-1]
    return Room(
        np.ascontiguousarray(image),
        np.where(seen, depth, np.nan).astype(np.float32),
        np.where(seen, height, np.nan).astype(np.float32),
        scenes.thing[number].numpy(),
        camera,
    )


def judge(tally: Tally, room: Room, depth_m: Float32, gate: ObstacleGate) -> None:
    """Count what the gate keeps of a room."""
    tally.rooms += 1
    try:
        kept = gate.apply(depth_of(depth_m), room.camera).valid
    except NoFloor:
        return
    tally.floors += 1
    obstacle = (room.height_m > gate.low_m) & (room.height_m < gate.high_m)
    floor = np.abs(room.height_m) < FLOOR_M
    things = np.unique(room.thing[obstacle & (room.thing > 0)])
    for thing in things:
        own = obstacle & (room.thing == thing)
        if np.count_nonzero(own) >= LEAST_PX:
            tally.things += 1
            tally.found += bool(np.mean(kept[own]) >= FOUND)
    tally.points += int(np.count_nonzero(obstacle))
    tally.kept += int(np.count_nonzero(obstacle & kept))
    tally.floor_px += int(np.count_nonzero(floor))
    tally.false_px += int(np.count_nonzero(floor & kept))


def depth_of(values: Float32) -> Depth:
    """Return metric depth."""
    height, width = values.shape
    provenance = Provenance(
        "drawn", "0" * 64, "none", "none", "fp32", SIZE_PX, (height, width), "none", (), Timings(0.0, 0.0, 0.0)
    )
    return Depth(values, "metric", np.isfinite(values), provenance)


def of_pixels(depth_m: Float32, random: np.random.Generator) -> Float32:
    """Return depth with noise of its own in each pixel."""
    return np.asarray(depth_m * (1 + NOISE * random.standard_normal(depth_m.shape)), np.float32)


def of_patches(depth_m: Float32, random: np.random.Generator) -> Float32:
    """Return depth with smooth noise, as networks have it: an eighth of the picture has about one error."""
    height, width = depth_m.shape
    coarse = random.standard_normal((9, 9)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)  # (w, h), as OpenCV has it
    return np.asarray(depth_m * (1 + NOISE * smooth / smooth.std()), np.float32)


NOISES: dict[str, Noise] = {
    "exact": lambda depth_m, random: depth_m,
    "10 % too far": lambda depth_m, random: depth_m * np.float32(1.1),
    "noise of 5 % in each pixel": of_pixels,
    "smooth noise of 5 %": of_patches,
}

if __name__ == "__main__":
    main()
