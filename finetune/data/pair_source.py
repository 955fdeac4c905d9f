"""Batches cut from data sets: resized, cropped, mirrored and varied; a batch depends only on its number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...bench.datasets.ground_truth import Pair
from ...bench.datasets.regions import FLAT, region
from ...bench.datasets.true_depth import Sample
from ...engine.errors import InputError
from .appearance import Appearance, vary_appearance
from .batches import MEAN, STD, Batch, Rgb

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
_Values = TypeVar("_Values", np.uint8, np.float32, np.bool_)

_MIRRORED = 0.5  # share of images that are mirrored. Source: Depth Anything V2, metric_depth/train.py
_TRIES = 8  # to cut a square that shows some of a flat region
_SKY = "sky"


@dataclass(frozen=True, slots=True)
class Mixed:
    """A data set and its share in a training.

    Args:
        marked: Pairs with a flat region.
        clean: Pairs without.
        share: Of all images, over the sum of all shares.
    """

    marked: tuple[Pair, ...]
    clean: tuple[Pair, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Cut:
    """An image with its depth at one size.

    Args:
        image: (h, w, 3) float32, RGB, [0, 1] and a bit beyond, as cubic interpolation leaves it.
        depth_m: (h, w) float32; infinite for the sky.
        valid: (h, w) bool.
        regions: (h, w) uint8, bits.
    """

    image: Floats
    depth_m: Floats
    valid: NDArray[np.bool_]
    regions: Bytes

    def window(self, top: int, left: int, size_px: tuple[int, int], *, mirrored: bool) -> Cut:
        """Return a part of a size (h, w), mirrored or not."""
        height, width = size_px
        step = -1 if mirrored else 1

        def cut(part: NDArray[_Values]) -> NDArray[_Values]:
            return np.ascontiguousarray(part[top : top + height, left : left + width][:, ::step])

        return Cut(cut(self.image), cut(self.depth_m), cut(self.valid), cut(self.regions))


class PairSource:
    """Random squares of data sets, or whole images, at the size that a network is trained at.

    As upstream: the shorter side is resized to the crop's (cubic, depth nearest), then a square is cut at random, and
    half of the squares are mirrored. Source: Depth Anything V2, metric_depth/dataset/transform.py and train.py.
    If an image has a flat region, a square without any of it is cut again, a few times: of a wide image of a street
    most squares would show none.

    Args:
        sets: Data sets with their shares; each has a pair or more.
        side_px: Side of the square, a multiple of unit_px.
        unit_px: Unit of the network's input sides.
        batch: Images in a batch.
        seed: Of the choice of pairs, crops and appearance.
        metric: Whether the network answers in metres: depth of another kind is then refused, and the sky has no depth.
        clean_share: Share of images without a flat region; None as the data sets have them.
        variation: Factor of the strengths of Appearance; 0 leaves images unchanged, as upstream.
        whole: Take whole images, cut only as far as those of a batch differ in shape.
        mean, std: As in Batch.
    """

    def __init__(
        self,
        sets: Sequence[Mixed],
        *,
        side_px: int,
        unit_px: int,
        batch: int,
        seed: int,
        metric: bool,
        clean_share: float | None = None,
        variation: float = 0.0,
        whole: bool = False,
        mean: Rgb = MEAN,
        std: Rgb = STD,
    ) -> None:
        check_side(side_px, unit_px)
        self._sets, self._side_px, self._unit_px, self._batch, self._seed = sets, side_px, unit_px, batch, seed
        self._metric, self._clean_share, self._mean, self._std = metric, clean_share, mean, std
        self._whole = whole
        self._strength = Appearance().milder(variation) if variation else None
        self._ends = list(accumulate(mixed.share for mixed in sets))
        self._pairs = [(*mixed.marked, *mixed.clean) for mixed in sets]

    def batch(self, index: int) -> Batch:
        """Return batch number `index`.

        Raises:
            InputError: A pair cannot be read, or its depth is of a kind that the network does not answer in.
        """
        rng = np.random.default_rng([self._seed, index])
        pairs = [self._draw(rng) for _ in range(self._batch)]
        wholes = [resized(pair.read(), self._side_px, self._unit_px, metric=self._metric) for pair in pairs]
        size_px = (self._side_px, self._side_px)
        if self._whole:
            heights, widths = zip(*(image.depth_m.shape for image in wholes), strict=True)
            size_px = (min(heights), min(widths))
        cuts = [_cut(image, size_px, rng) for image in wholes]
        images, depth_m, valid, regions = (
            torch.from_numpy(np.stack([getattr(cut, name) for cut in cuts]))
            for name in ("image", "depth_m", "valid", "regions")
        )
        images = images.permute(0, 3, 1, 2).contiguous()  # (N, 3, h, w)
        if self._strength is not None:
            generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
            near_m = torch.where(valid & depth_m.isfinite(), depth_m, 0.0)
            images = vary_appearance(images.clamp(0, 1), generator, depth_m=near_m, strength=self._strength)
        return Batch(images, depth_m, valid, regions=regions, mean=self._mean, std=self._std)

    def _draw(self, rng: np.random.Generator) -> Pair:
        place = rng.random() * self._ends[-1]
        number = min(int(np.searchsorted(self._ends, place, side="right")), len(self._sets) - 1)
        mixed, pairs, clean = self._sets[number], self._pairs[number], rng.random()
        if self._clean_share is not None and mixed.marked and mixed.clean:
            pairs = mixed.clean if clean < self._clean_share else mixed.marked
        return pairs[int(rng.integers(len(pairs)))]


def _cut(image: Cut, size_px: tuple[int, int], rng: np.random.Generator) -> Cut:
    """Return a part of a size (h, w) at random, mirrored or not, with some of a flat region if the image has one."""
    mirrored, flat = rng.random() < _MIRRORED, is_flat(image.regions)
    for _ in range(_TRIES):
        top, left = (int(rng.integers(side - cut + 1)) for side, cut in zip(image.depth_m.shape, size_px, strict=True))
        part = image.window(top, left, size_px, mirrored=mirrored)
        if not flat.any() or is_flat(part.regions).any():
            break
    return part


def check_side(side_px: int, unit_px: int) -> None:
    """Raise InputError unless a side of an image is a multiple of the network's unit."""
    if side_px % unit_px:
        near_px = max(1, round(side_px / unit_px)) * unit_px
        raise InputError(f"size {side_px} px found, expected a multiple of {unit_px} px, such as {near_px}")


def resized(sample: Sample, side_px: int, unit_px: int, *, metric: bool) -> Cut:
    """Return a sample whose shorter side is resized to side_px and the longer one in proportion, to a multiple.

    Args:
        sample: Image and depth, which may differ in size.
        side_px: Of the shorter side, a multiple of unit_px.
        unit_px: Unit of both sides.
        metric: As in PairSource.

    Raises:
        InputError: The network answers in metres, and the depth has no unit.
    """
    truth = sample.truth
    if metric and truth.kind != "metric":
        raise InputError(
            f"{sample.name} has {truth.kind} depth without a unit, and the network answers in metres; train a network "
            "of inverse depth on it"
        )
    height_px, width_px = sample.image.shape[:2]
    scale = side_px / min(height_px, width_px)
    size = tuple(max(side_px, round(side * scale / unit_px) * unit_px) for side in (width_px, height_px))  # (w, h)
    image = cv2.resize(sample.image[..., ::-1].astype(np.float32) / 255, size, interpolation=cv2.INTER_CUBIC)

    def nearest(maps: Bytes | Floats) -> NDArray[Any]:
        # Upstream's INTER_NEAREST takes a pixel's corner: depth would lie up to half a pixel off.
        return cv2.resize(maps, size, interpolation=cv2.INTER_NEAREST_EXACT)

    regions = np.zeros(truth.shape, np.uint8) if sample.regions is None else sample.regions
    valid = truth.valid
    depth_m: Floats = np.where(valid, truth.values, np.float32(1)).astype(np.float32)
    if truth.kind == "inverse":
        depth_m = (1 / depth_m).astype(np.float32)
    if not metric:
        sky = region(regions, _SKY) & ~valid
        depth_m, valid = np.where(sky, np.float32(np.inf), depth_m).astype(np.float32), valid | sky
    known = nearest(valid.astype(np.uint8)) != 0
    return Cut(
        np.asarray(image, np.float32),
        np.asarray(nearest(depth_m), np.float32),
        np.asarray(known, np.bool_),
        np.asarray(nearest(regions), np.uint8),
    )


def by_marks(
    pairs: Sequence[Pair], *, on_progress: Callable[[int, int], None] | None = None
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Return the pairs with a flat region and those without; region masks are read, a pair without one has none.

    Args:
        pairs: Of a data set.
        on_progress: Called with (pairs done, all pairs).
    """
    marked: list[Pair] = []
    clean: list[Pair] = []
    with ThreadPoolExecutor() as pool:
        for done, (pair, flat) in enumerate(zip(pairs, pool.map(_has_flat, pairs), strict=True), 1):
            (marked if flat else clean).append(pair)
            if on_progress is not None:
                on_progress(done, len(pairs))
    return tuple(marked), tuple(clean)


def is_flat(regions: Bytes) -> NDArray[np.bool_]:
    """Return the pixels of flat regions, of the same shape."""
    flat: NDArray[np.bool_] = np.logical_or.reduce([region(regions, name) for name in FLAT])
    return flat


def _has_flat(pair: Pair) -> bool:
    if pair.mask is None:
        return False
    mask = cv2.imread(str(pair.mask), cv2.IMREAD_UNCHANGED)  # a damaged mask is an error when the pair is read
    if mask is None or mask.dtype != np.uint8:
        return False
    return bool(is_flat(np.asarray(mask, np.uint8)).any())
