"""The nine metrics against values worked out by hand and against loops written from the published formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from accuracy_maps import maps
from numpy.typing import NDArray

from depthrt.bench.accuracy.accuracy_meter import (
    LEAST_PIXELS,
    AccuracyMeter,
    Rules,
    crop_mask,
    image_metrics,
)
from depthrt.bench.accuracy.alignment import NEAREST_M
from depthrt.bench.datasets.true_depth import TrueDepth
from depthrt.bench.numbers.result import METRICS, Metric
from depthrt.engine.errors import InputError
from depthrt.engine.terms import KINDS, Alignment, Kind

EXACT = 1e-9  # two ways to add up a few hundred float64 numbers
FLOAT32 = 1e-5  # values pass through float32 once
CLEAR = 0.05  # an error that is no rounding
CAP_M = 10.0

Mask = NDArray[np.bool_]
Map64 = NDArray[np.float64]


def by_loops(depth: Map64, truth: Map64, valid: Mask) -> dict[str, float]:
    """The metrics as the papers write them, one pixel at a time."""
    pixels = [(float(d), float(t)) for d, t, known in zip(depth.flat, truth.flat, valid.flat, strict=True) if known]
    count = len(pixels)
    logs = [math.log(d) - math.log(t) for d, t in pixels]
    found = {
        "abs_rel": math.fsum(abs(d - t) / t for d, t in pixels) / count,
        "sq_rel": math.fsum((d - t) ** 2 / t for d, t in pixels) / count,
        "rmse": math.sqrt(math.fsum((d - t) ** 2 for d, t in pixels) / count),
        "rmse_log": math.sqrt(math.fsum(log * log for log in logs) / count),
        "log10": math.fsum(abs(math.log10(d) - math.log10(t)) for d, t in pixels) / count,
        "silog": math.sqrt(math.fsum(log * log for log in logs) / count - 0.5 * (math.fsum(logs) / count) ** 2),
    }
    for name, limit in (("delta1", 1.25), ("delta2", 1.5625), ("delta3", 1.953125)):
        found[name] = sum(max(d / t, t / d) < limit for d, t in pixels) / count
    return found


def everywhere(values: NDArray[np.floating]) -> Mask:
    return np.ones(values.shape, np.bool_)


def truth_of(values: NDArray[np.floating], valid: Mask | None = None, *, kind: Kind = "metric") -> TrueDepth:
    known = everywhere(values) if valid is None else valid
    return TrueDepth(values.astype(np.float32), known, kind)


def judge(
    values: NDArray[np.floating], truth: TrueDepth, rules: Rules, *, kind: Kind = "metric"
) -> dict[Metric, float]:
    meter = AccuracyMeter("made", rules)
    meter.add("one", values.astype(np.float32), truth, kind=kind)
    return dict(meter.result().metrics)


def test_the_metrics_are_those_worked_out_by_hand() -> None:
    depth, truth = np.array([[2.0, 4.0]]), np.array([[1.0, 4.0]])
    log2 = math.log(2)
    assert image_metrics(depth, truth, everywhere(truth)) == pytest.approx(
        {
            "abs_rel": 0.5,
            "sq_rel": 0.5,
            "rmse": math.sqrt(0.5),
            "rmse_log": log2 / math.sqrt(2),
            "log10": math.log10(2) / 2,
            "silog": log2 * math.sqrt(1 / 2 - 1 / 8),
            "delta1": 0.5,
            "delta2": 0.5,
            "delta3": 0.5,
        },
        abs=EXACT,
    )


def test_a_ratio_that_is_the_limit_is_over_it() -> None:
    found = image_metrics(np.array([[1.25]]), np.array([[1.0]]), np.array([[True]]))
    assert (found["delta1"], found["delta2"]) == (0.0, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_metrics_agree_with_loops_from_the_formulas(seed: int) -> None:
    depth, truth, valid = maps(seed)
    found = image_metrics(depth, truth, valid)
    assert tuple(found) == METRICS
    assert found == pytest.approx(by_loops(depth, truth, valid), abs=EXACT)


def test_what_is_not_valid_has_no_say() -> None:
    depth, truth, valid = maps(9)
    spoilt, hidden = np.where(valid, depth, np.nan), np.where(valid, truth, 0.0)
    assert image_metrics(spoilt, hidden, valid) == image_metrics(depth, truth, valid)


@pytest.mark.parametrize(
    ("depth", "truth", "valid", "message"),
    [
        ([[1.0]], [[1.0, 2.0]], [[True]], r"depth \(1, 1\), truth \(1, 2\), valid \(1, 1\) found, expected one shape"),
        ([[1.0]], [[1.0]], [[False]], "no valid pixel found"),
        ([[0.0]], [[1.0]], [[True]], "depth from 0 to 0 m found, expected positive and finite"),
        ([[1.0]], [[np.inf]], [[True]], "truth from inf to inf m found, expected positive and finite"),
    ],
)
def test_maps_without_metrics_are_refused(depth: object, truth: object, valid: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        image_metrics(np.array(depth), np.array(truth), np.array(valid))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("alignment", "scale", "shift"), [("scale", 3.0, 0.0), ("log", 0.2, 0.0), ("scale-and-shift", 4.0, 0.7)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_an_alignment_undoes_its_own_kind_of_error(
    alignment: Alignment, scale: float, shift: float, kind: Kind
) -> None:
    _, truth, valid = maps(3)
    answer = scale * (1 / truth if kind == "inverse" else truth) + shift
    rules = Rules(alignment, cap_m=CAP_M)
    found = judge(answer, truth_of(truth, valid), rules, kind=kind)
    assert found["abs_rel"] < FLOAT32
    assert found["delta1"] == 1


def test_a_whole_measurement_agrees_with_loops() -> None:
    random = np.random.default_rng(4)
    _, truth, valid = maps(4)
    answer = 0.3 / truth + 0.05 + random.normal(0, 0.01, truth.shape)
    judged = valid & (truth <= CAP_M) & (truth >= NEAREST_M)
    answer, truth = (values.astype(np.float32).astype(np.float64) for values in (answer, truth))
    scale, shift = np.polyfit(answer[judged], 1 / truth[judged], 1)
    depth = 1 / np.clip(scale * answer + shift, 1 / CAP_M, 1 / NEAREST_M)
    expected = by_loops(depth, truth, judged)
    found = judge(answer, truth_of(truth, valid), Rules("scale-and-shift", cap_m=CAP_M), kind="inverse")
    assert found == pytest.approx(expected, rel=EXACT)


def test_a_cap_hides_farther_truth_and_cuts_predictions() -> None:
    truth = np.full((4, 8), 5.0)
    truth[:, 4:] = 50.0
    found = judge(np.full((4, 8), 80.0), truth_of(truth), Rules(cap_m=CAP_M))
    assert found["abs_rel"] == 1.0  # 10 m for 5 m, and the far half is not judged


def test_without_a_cap_predictions_are_cut_at_the_farthest_truth() -> None:
    truth = np.full((4, 8), 2.0)
    truth[0] = 4.0
    answer = np.full((4, 8), 0.5)
    answer[0] = -1.0  # behind infinity
    found = judge(answer, truth_of(truth), Rules("scale"), kind="inverse")
    assert found["abs_rel"] == 0.0


def test_a_missing_answer_is_a_wrong_one() -> None:
    truth = np.full((4, 8), 2.0)
    answer = truth.copy()
    answer[0, :4] = [np.nan, np.inf, -np.inf, 0.0]
    found = judge(answer, truth_of(truth), Rules(cap_m=CAP_M))
    near, far = 1 - NEAREST_M / 2, 4.0
    assert found["abs_rel"] == pytest.approx((3 * near + far) / 32, rel=FLOAT32)


def test_predictions_are_resized_to_the_truth_as_torch_does() -> None:
    small, truth, valid = maps(5, (12, 16))[0].astype(np.float32), *maps(5)[1:]
    whole = torch.nn.functional.interpolate(
        torch.from_numpy(small)[None, None], truth.shape, mode="bilinear", align_corners=True
    )[0, 0].numpy()
    rules = Rules(cap_m=CAP_M)
    assert judge(small, truth_of(truth, valid), rules) == pytest.approx(
        judge(whole, truth_of(truth, valid), rules), rel=FLOAT32
    )


@pytest.mark.parametrize(
    ("crop", "size_px", "box"),
    [
        ("none", (375, 1242), (0, 375, 0, 1242)),
        ("garg", (375, 1242), (153, 371, 44, 1197)),
        ("eigen", (375, 1242), (124, 342, 44, 1197)),
        ("eigen", (480, 640), (45, 471, 41, 601)),
    ],
)
def test_crops_are_the_published_ones(crop: str, size_px: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    mask = crop_mask(size_px, crop)  # type: ignore[arg-type]
    rows, columns = np.nonzero(mask)
    top, bottom, left, right = box
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == box
    assert mask.sum() == (bottom - top) * (right - left)


def test_a_crop_keeps_the_rest_out_of_metrics_and_alignment() -> None:
    depth, truth, valid = maps(6, (40, 60))
    inside = crop_mask((40, 60), "garg")
    spoilt = np.where(inside, depth, 100.0)
    rules = Rules("scale", cap_m=CAP_M, crop="garg")
    expected = judge(depth, truth_of(truth, valid & inside), Rules("scale", cap_m=CAP_M))
    assert judge(spoilt, truth_of(truth, valid), rules) == expected


def test_images_with_few_known_pixels_are_left_out_and_counted() -> None:
    depth, truth, _ = maps(7)
    few = np.zeros(truth.shape, np.bool_)
    few[0, : LEAST_PIXELS - 1] = True
    meter = AccuracyMeter("made", Rules())
    meter.add("few", depth.astype(np.float32), truth_of(truth, few), kind="metric")
    with pytest.raises(InputError, match="none of 1 images of made has 10 known pixels"):
        meter.result()
    few[0, LEAST_PIXELS - 1] = True
    meter.add("enough", depth.astype(np.float32), truth_of(truth, few), kind="metric")
    assert meter.skipped == 1
    assert [(image.image, image.pixels) for image in meter.result().images] == [("enough", LEAST_PIXELS)]


def test_a_data_set_is_the_mean_of_its_images() -> None:
    meter = AccuracyMeter("made", Rules("log", cap_m=CAP_M))
    for seed in range(3):
        depth, truth, valid = maps(seed)
        meter.add(f"image {seed}", depth.astype(np.float32), truth_of(truth, valid), kind="metric")
    found = meter.result()
    assert (found.dataset, found.alignment, found.cap_m, found.crop) == ("made", "log", CAP_M, "none")
    assert [image.image for image in found.images] == ["image 0", "image 1", "image 2"]
    for name in METRICS:
        assert found.metrics[name] == pytest.approx(sum(image.metrics[name] for image in found.images) / 3, rel=EXACT)


def test_truth_without_a_unit_judges_the_same_whatever_its_scale() -> None:
    depth, truth, valid = maps(8)
    rules = Rules("scale-and-shift")
    one, other = (judge(1 / depth, truth_of(k / truth, valid, kind="inverse"), rules, kind="inverse") for k in (1, 64))
    assert one == pytest.approx(other, rel=FLOAT32)
    expected = judge(1 / depth, truth_of(truth / np.median(truth[valid]), valid), rules, kind="inverse")
    assert one == pytest.approx(expected, rel=2e-2)  # an even number has two middle pixels, and 1 / mean is no mean


def test_affine_depth_is_aligned_in_depth_and_not_in_its_inverse() -> None:
    _, truth, valid = maps(6)
    nearest, farthest = truth[valid].min(), truth[valid].max()
    answer = (truth - nearest) / (farthest - nearest)  # 0 where it is nearest
    measured, rules = truth_of(truth, valid), Rules("scale-and-shift", cap_m=CAP_M)
    assert judge(answer, measured, rules, kind="affine")["abs_rel"] < FLOAT32
    assert judge(answer, measured, rules, kind="inverse")["abs_rel"] > CLEAR
    # "scale" cannot undo the shift.
    assert judge(answer, measured, Rules("scale", cap_m=CAP_M), kind="affine")["abs_rel"] > CLEAR


def test_truth_without_a_scale_is_judged_in_medians_of_the_image() -> None:
    depth, truth, valid = maps(7)
    rules = Rules("scale")
    one, other = (judge(depth, truth_of(k * truth, valid, kind="scale"), rules, kind="scale") for k in (1, 64))
    assert one == pytest.approx(other, rel=FLOAT32)
    expected = judge(depth, truth_of(truth / np.median(truth[valid]), valid), rules, kind="metric")
    assert one == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize(
    ("kind", "truth_kind", "rules", "message"),
    [
        ("inverse", "metric", Rules(), "the model gives inverse depth without a unit, which must be aligned"),
        ("metric", "inverse", Rules(), "made has inverse depth without a unit, which must be aligned"),
        ("inverse", "inverse", Rules("scale", cap_m=10), "made has depth without a unit, a cap of 10 m found"),
        ("affine", "metric", Rules(), "the model gives affine-invariant depth without a unit, which must be aligned"),
        ("scale", "metric", Rules(), "the model gives scale-invariant depth without a unit, which must be aligned"),
        ("metric", "scale", Rules(), "made has scale-invariant depth without a unit, which must be aligned"),
        ("scale", "scale", Rules("scale", cap_m=10), "made has depth without a unit, a cap of 10 m found"),
    ],
)
def test_what_has_no_unit_is_not_judged_in_metres(kind: Kind, truth_kind: Kind, rules: Rules, message: str) -> None:
    depth, truth, _ = maps(0)
    with pytest.raises(InputError, match=message):
        judge(depth, truth_of(truth, kind=truth_kind), rules, kind=kind)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alignment": "affine"}, "alignment 'affine' found, expected one of none, scale, scale-and-shift, log"),
        ({"crop": "center"}, "crop 'center' found, expected one of none, eigen, garg"),
        ({"cap_m": 0.0}, "a cap of 0.0 m found, expected a finite depth above 0.001 m"),
        ({"cap_m": math.inf}, "a cap of inf m found"),
        ({"cap_m": math.nan}, "a cap of nan m found"),
    ],
)
def test_rules_that_cannot_be_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Rules(**options)  # type: ignore[arg-type]
