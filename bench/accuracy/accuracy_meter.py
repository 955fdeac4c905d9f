"""Nine metrics of predicted depth against measured depth, after masks, caps, crops and alignment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.images.resize.bilinear import resize_bilinear
from ...engine.terms import ALIGNMENTS, CROPS, MEANINGS, Alignment, Crop, Kind
from ..datasets.true_depth import TrueDepth
from ..numbers.result import METRICS, Accuracy, ImageAccuracy, Metric
from .alignment import NEAREST_M, Float64, align, as_depth, target_of

DELTA = 1.25  # Source: Eigen et al. 2014
SILOG_FOCUS = (
    0.5  # share of the squared mean that silog leaves out. Source: Eigen et al. 2014, eq. 4; Depth Anything V2
)
_OPPOSED = 0.3  # correlation against the answer; a network that found nothing is near 0
LEAST_PIXELS = 10  # images with fewer judged pixels are skipped. Source: Depth Anything V2, metric_depth/train.py

# Top, bottom, left, right as shares of the side. Source: monodepth (Godard et al. 2017), utils/evaluate_kitti.py
_GARG = (0.40810811, 0.99189189, 0.03594771, 0.96405229)
_EIGEN_KITTI = (0.3324324, 0.91351351, 0.0359477, 0.96405229)
_NYU_SIZE_PX = (480, 640)
_EIGEN_NYU_PX = (45, 471, 41, 601)  # Source: BTS (Lee et al. 2019), eval_with_pngs.py


@dataclass(frozen=True, slots=True)
class Rules:
    """How depth is judged.

    Args:
        alignment: Of inverse depth for models that answer it, of depth for the others.
        cap_m: Depth beyond it is not judged, and predictions are clipped there. None judges everything and clips
            predictions at the image's largest measured depth.
        crop: "eigen" is NYU's for images of 480x640 px, KITTI's for all others.

    Raises:
        InputError: A choice is unknown, or the cap is not above NEAREST_M.
    """

    alignment: Alignment = "none"
    cap_m: float | None = None
    crop: Crop = "none"

    def __post_init__(self) -> None:
        if self.alignment not in ALIGNMENTS:
            raise InputError(f"alignment {self.alignment!r} found, expected one of {', '.join(ALIGNMENTS)}")
        if self.crop not in CROPS:
            raise InputError(f"crop {self.crop!r} found, expected one of {', '.join(CROPS)}")
        if self.cap_m is not None and not NEAREST_M < self.cap_m < np.inf:
            raise InputError(f"a cap of {self.cap_m} m found, expected a finite depth above {NEAREST_M} m")


class AccuracyMeter:
    """Collects the metrics of images, one image after the other; holds only numbers. Not thread-safe."""

    def __init__(self, dataset: str, rules: Rules) -> None:
        self.dataset = dataset
        self.rules = rules
        self.skipped = 0  # images with fewer than LEAST_PIXELS judged pixels
        self.flat = 0  # aligned images with one depth everywhere
        self.opposed = 0  # images whose depth grows where the answer says nearer
        self._images: list[ImageAccuracy] = []

    def add(self, name: str, values: NDArray[np.float32], truth: TrueDepth, *, kind: Kind) -> ImageAccuracy | None:
        """Judge one image; return None if it has fewer than LEAST_PIXELS judged pixels.

        Args:
            name: Of the image.
            values: (h, w) float32, the model's answer; resized to the truth's size if they differ.
            truth: Measured depth.
            kind: Of values.

        Raises:
            InputError: As check.
        """
        self.check(kind, truth.kind)
        truth_m = measured_depth(truth)
        valid = judged_pixels(truth_m, truth.valid, self.rules)
        pixels = int(np.count_nonzero(valid))
        if pixels < LEAST_PIXELS:
            self.skipped += 1
            return None
        with np.errstate(invalid="ignore"):  # infinite values become NaN
            resized = resize_bilinear(values, truth.shape, mode="bilinear_corners")  # as upstream's evaluation
        judged_m, answer = truth_m[valid], resized[valid].astype(np.float64)
        self.flat += int(self.rules.alignment == "scale-and-shift" and judged_m.min() == judged_m.max())
        self.opposed += int(_agreement(answer, target_of(judged_m, kind)) < -_OPPOSED)
        aligned = align(answer, judged_m, kind, self.rules.alignment, np.ones(pixels, np.bool_))
        farthest_m = float(judged_m.max()) if self.rules.cap_m is None else self.rules.cap_m
        found = ImageAccuracy(name, _metrics(as_depth(aligned, kind, farthest_m), judged_m), pixels)
        self._images.append(found)
        return found

    def check(self, kind: Kind, truth_kind: Kind) -> None:
        """Refuse kinds of depth that the rules do not fit.

        Raises:
            InputError: Values or truth have no unit and the rules do not align, or the truth has none and they cap.
        """
        for owner, meaning in (("the model gives", MEANINGS[kind]), (f"{self.dataset} has", MEANINGS[truth_kind])):
            if not meaning.unit and self.rules.alignment == "none":
                raise InputError(
                    f"{owner} {meaning.name} without a unit, which must be aligned; choose another alignment"
                )
        if not MEANINGS[truth_kind].unit and self.rules.cap_m is not None:
            raise InputError(f"{self.dataset} has depth without a unit, a cap of {self.rules.cap_m} m found; take None")

    def notes(self) -> Iterator[str]:
        """Yield what a reader must know of the images, one clause each."""
        if self.skipped:
            yield f"{self.skipped} images of {self.dataset} have too few measured pixels"
        if self.opposed > len(self._images) / 2:
            yield (
                f"in {self.opposed} of {len(self._images)} images of {self.dataset} the measured depth grows where the "
                "answer comes nearer; check that it is depth, and not disparity or inverse depth"
            )

    def result(self) -> Accuracy:
        """Return the mean over images of every metric.

        Raises:
            InputError: No image could be judged.
        """
        if not self._images and not self.skipped:
            raise InputError(f"no image of {self.dataset} could be read; check its files")
        if not self._images:
            raise InputError(
                f"none of {self.skipped} images of {self.dataset} has {LEAST_PIXELS} known pixels within the cap and "
                "the crop; raise the cap, or choose another crop"
            )
        means = {name: float(np.mean([image.metrics[name] for image in self._images])) for name in METRICS}
        rules = self.rules
        return Accuracy(self.dataset, rules.alignment, rules.cap_m, rules.crop, means, tuple(self._images))


def image_metrics(
    depth_m: NDArray[np.floating], truth_m: NDArray[np.floating], valid: NDArray[np.bool_]
) -> dict[Metric, float]:
    """Return METRICS over the valid pixels of one image; nothing is aligned, clipped or left out.

    With d = log depth - log truth, silog is sqrt(mean(d^2) - 0.5 mean(d)^2), not times 100; log10 is the mean of
    |d| / log 10; delta1 to delta3 are the shares of pixels whose ratio is under 1.25, 1.25^2, 1.25^3.

    Source: Eigen et al. 2014, section 4; DepthAnything/Depth-Anything-V2, metric_depth/util/metric.py.

    Args:
        depth_m, truth_m: (H, W), positive where valid.
        valid: (H, W) bool, at least one True.

    Raises:
        InputError: The shapes differ, nothing is valid, or a depth is not positive and finite.
    """
    if not depth_m.shape == truth_m.shape == valid.shape:
        raise InputError(f"depth {depth_m.shape}, truth {truth_m.shape}, valid {valid.shape} found, expected one shape")
    if not valid.any():
        raise InputError("no valid pixel found, expected one or more; leave the image out")
    depth, truth = depth_m[valid].astype(np.float64), truth_m[valid].astype(np.float64)
    for name, values in (("depth", depth), ("truth", truth)):
        if not (np.isfinite(values).all() and values.min() > 0):
            raise InputError(f"{name} from {values.min():g} to {values.max():g} m found, expected positive and finite")
    return _metrics(depth, truth)


def crop_mask(size_px: tuple[int, int], crop: Crop) -> NDArray[np.bool_]:
    """Return (H, W) bool, True for the pixels inside a crop."""
    height, width = size_px
    if crop == "none":
        return np.ones(size_px, np.bool_)
    if crop == "eigen" and size_px == _NYU_SIZE_PX:
        top, bottom, left, right = _EIGEN_NYU_PX
    else:
        shares = _GARG if crop == "garg" else _EIGEN_KITTI
        sides = (height, height, width, width)
        top, bottom, left, right = (int(share * side) for share, side in zip(shares, sides, strict=True))
    mask = np.zeros(size_px, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def measured_depth(truth: TrueDepth) -> Float64:
    """Return (H, W) depth, in metres; without a unit, in medians of the image; 1 where it is not known."""
    values = np.where(truth.valid, truth.values, 1).astype(np.float64)
    meaning = MEANINGS[truth.kind]
    if meaning.unit or not truth.valid.any():
        return values
    middle = np.median(values[truth.valid])
    depth: Float64 = middle / values if meaning.larger_is_nearer else values / middle
    return depth


def judged_pixels(truth_m: Float64, valid: NDArray[np.bool_], rules: Rules) -> NDArray[np.bool_]:
    """Return (H, W) bool: known pixels inside the crop, from NEAREST_M to the cap, both included."""
    within = valid & (truth_m >= NEAREST_M) & crop_mask((truth_m.shape[0], truth_m.shape[1]), rules.crop)
    return within if rules.cap_m is None else within & (truth_m <= rules.cap_m)


def _agreement(answer: Float64, target: Float64) -> float:
    """Return the correlation of an answer with the measured values of its kind; 0 if one of them is constant."""
    known = np.isfinite(answer)
    first, second = answer[known], target[known]
    if not first.size or first.min() == first.max() or second.min() == second.max():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _metrics(depth: Float64, truth: Float64) -> dict[Metric, float]:
    """Return METRICS of (N,) positive depths."""
    off, off_log = depth - truth, np.log(depth) - np.log(truth)
    ratio = np.maximum(depth / truth, truth / depth)
    left_out = SILOG_FOCUS * float(off_log.mean()) ** 2
    return {
        "abs_rel": float(np.mean(np.abs(off) / truth)),
        "sq_rel": float(np.mean(off**2 / truth)),
        "rmse": float(np.sqrt(np.mean(off**2))),
        "rmse_log": float(np.sqrt(np.mean(off_log**2))),
        "log10": float(np.mean(np.abs(np.log10(depth) - np.log10(truth)))),
        "silog": float(np.sqrt(max(0.0, float(np.mean(off_log**2)) - left_out))),
        "delta1": float(np.mean(ratio < DELTA)),
        "delta2": float(np.mean(ratio < DELTA**2)),
        "delta3": float(np.mean(ratio < DELTA**3)),
    }
