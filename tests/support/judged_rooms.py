"""A made room of planes with a mirror, a picture and a window, and models that answer what they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from made import make_contract
from numpy.typing import NDArray

from depthrt.bench.accuracy.accuracy_meter import Rules
from depthrt.bench.datasets.ground_truth import GroundTruth
from depthrt.bench.datasets.manifest import MANIFEST, Entry, write_manifest
from depthrt.bench.datasets.pair import Pair
from depthrt.bench.datasets.regions import join_regions, write_regions
from depthrt.bench.datasets.true_depth import Sample, TrueDepth
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.write import write_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import Kind
from depthrt.finetune.evaluation.figures.scene_view import SceneView, view_scene

SIZE_PX = (96, 128)
WALL_M = 3.0
CAP_M = 20.0
MIRROR, ART, WINDOW = np.s_[20:50, 12:52], np.s_[24:56, 78:118], np.s_[62:90, 20:60]
RULES = Rules("scale-and-shift", CAP_M)

Float64 = NDArray[np.float64]
Look = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # takes an image (h, w, 3), gives (h, w)


def inside(place: tuple[slice, slice]) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE_PX, np.bool_)
    mask[place] = True
    return mask


def room_inverse(*, tilt: float = 0.0) -> Float64:
    """Return inverse depth (H, W): a wall, frontal unless it is tilted, a box in front, and what a window shows."""
    rows, columns = np.mgrid[: SIZE_PX[0], : SIZE_PX[1]]
    inverse: Float64 = 1 / WALL_M * (1 + tilt * (columns / SIZE_PX[1] - 0.5) + tilt * (rows / SIZE_PX[0] - 0.5))
    inverse[70:96, 80:120] = 1 / 1.5
    inverse[WINDOW] = 1 / 9
    return inverse


def room_sample(name: str = "room", *, tilt: float = 0.0, image: NDArray[np.uint8] | None = None) -> Sample:
    """Return the room; its mirror and its picture show a course from dark to bright that is no plane."""
    if image is None:
        image = np.full((*SIZE_PX, 3), 90, np.uint8)
        image[MIRROR] = shown(30, 40)[..., None]
        image[ART] = shown(32, 40)[..., None]
    truth = TrueDepth((1 / room_inverse(tilt=tilt)).astype(np.float32), np.ones(SIZE_PX, np.bool_))
    regions = join_regions({"mirror": inside(MIRROR), "art": inside(ART), "window": inside(WINDOW)})
    return Sample(name, image, truth, regions)


def shown(height: int, width: int) -> NDArray[np.uint8]:
    """Return what a picture shows, (height, width) uint8: a bowl."""
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    bowl: NDArray[np.uint8] = (40 + 90 * (x**2 + y**2)).astype(np.uint8)
    return bowl


def room_view(*, tilt: float = 0.0, rules: Rules = RULES) -> SceneView:
    return view_scene(room_sample(tilt=tilt), rules)


def rooms(count: int = 6, *, frames: int = 1) -> GroundTruth:
    """Return a data set of rooms of different tilts, some frames of each scene."""
    samples = [room_sample(f"room {n}", tilt=0.02 * n) for n in range(count)]
    pairs = [Pair(one.name, lambda one=one: one, f"scene {n // frames}") for n, one in enumerate(samples)]  # type: ignore[misc]
    return GroundTruth("rooms", tuple(pairs), CAP_M)


def write_rooms(folder: Path, count: int = 3) -> Path:
    """Write rooms with a manifest and masks; the first is of the split "test"."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for n in range(count):
        sample = room_sample(tilt=0.05 * n)
        assert sample.regions is not None
        write_image(folder / f"room {n}.png", sample.image)
        np.save(folder / f"room {n}.npy", sample.truth.values)
        write_regions(folder / f"mask {n}.png", sample.regions)
        entries.append(Entry(f"room {n}.png", f"room {n}.npy", f"scene {n}", f"mask {n}.png", "train" if n else "test"))
    write_manifest(folder / MANIFEST, entries)
    return folder


class LookingRunner:
    """Answers what it is told for the image that it sees."""

    name, provider, precision = "looking", "cpu", "fp32"
    notes: tuple[str, ...] = ()

    def __init__(self, look: Look) -> None:
        self.look = look
        self.seen: list[tuple[int, int]] = []

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        image = np.rint(batch[0].transpose(1, 2, 0)[..., ::-1] * 255).clip(0, 255).astype(np.uint8)  # RGB to BGR
        self.seen.append((image.shape[0], image.shape[1]))
        return self.look(image)[None].astype(np.float32)

    def close(self) -> None:
        """Hold nothing."""


def looking(name: str, look: Look, kind: Kind = "inverse") -> Subject:
    """Return a subject that sees images in the size of the rooms."""
    contract = make_contract(size=SizeRule(SIZE_PX, 1, "square"))
    contract = replace(
        contract, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), kind=kind, max_depth_m=CAP_M if kind == "metric" else None
    )
    return Subject(name, lambda: DepthModel(LookingRunner(look), contract, limits=Limits()), {"file": name})  # type: ignore[arg-type]


def brightness(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Answer the depth that a picture has by itself: bright is near."""
    return np.asarray(cv2.blur(image[..., 0].astype(np.float32), (3, 3)) / 255 + 0.1, np.float32)


def flat(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Answer the wall everywhere."""
    return np.full(image.shape[:2], 1 / WALL_M, np.float32)
