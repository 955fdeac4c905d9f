"""Drift against values worked out by hand, the canary's definition, and planted errors in known places."""

from __future__ import annotations

import numpy as np
import pytest
from drift_scenes import SIZE_PX, Map, drift_of, drift_of_all, planted, scene, span

from depthrt.bench.drift.drift_meter import BANDS, TILES_OF_ONE_IMAGE, WORST_TILES, DriftMeter
from depthrt.engine.errors import InputError
from depthrt.engine.modelfile.canary import drift as canary_drift
from depthrt.engine.terms import KINDS, Kind

EXACT = 1e-9
FLOAT32 = 1e-6  # the canary takes its range in float32


def test_the_same_answer_has_no_drift() -> None:
    found = drift_of(scene(), scene())
    assert (found.mean, found.p99, found.worst, found.nonfinite, found.tiles) == (0, 0, 0, 0, ())
    assert found.edge_f1 == 1
    assert all(band.drift == 0 for band in found.bands)


def test_the_mean_is_the_canary_s_drift() -> None:
    random = np.random.default_rng(1)
    references = [scene(seed) for seed in range(3)]
    answers = [(one + random.normal(0, 0.02, one.shape)).astype(np.float32) for one in references]
    found = drift_of_all(references, answers, ["a", "b", "c"])
    singles = [canary_drift(answer, one) for answer, one in zip(answers, references, strict=True)]
    assert found.mean == pytest.approx(np.mean(singles), rel=FLOAT32)
    assert found.worst == pytest.approx(max(singles), rel=FLOAT32)
    assert found.worst_image == "abc"[int(np.argmax(singles))]
    assert (found.images, found.reference) == (3, "fp32")


@pytest.mark.parametrize("size", [0.01, 0.2])
def test_a_planted_offset_is_found_in_full(size: float) -> None:
    reference = scene()
    shifted = (reference.astype(np.float64) + size * span(reference)).astype(np.float32)
    found = drift_of(reference, shifted)
    assert found.mean == pytest.approx(size, rel=1e-4)  # float32 holds an offset of 1 % of 5 to 1e-5
    assert found.p99 == pytest.approx(size, rel=1e-4)
    assert all(band.drift == pytest.approx(size, rel=1e-4) for band in found.bands)


def test_the_tail_is_the_99th_percentile() -> None:
    reference = scene()
    random = np.random.default_rng(2)
    answer = (reference + random.normal(0, 0.1, SIZE_PX)).astype(np.float32)
    ordered = np.sort(np.abs(answer.astype(np.float64) - reference).ravel()) / span(reference)
    place = 0.99 * (ordered.size - 1)
    expected = np.interp(place, np.arange(ordered.size), ordered)
    assert drift_of(reference, answer).p99 == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_bands_go_from_far_to_near(kind: Kind) -> None:
    nearness = scene()
    reference = nearness if kind == "inverse" else (1 / nearness).astype(np.float32)
    rank = nearness.ravel().argsort().argsort().reshape(SIZE_PX)
    farthest = rank < rank.size // BANDS
    answer = np.where(farthest, reference + np.float32(0.1), reference)
    found = drift_of(reference, answer, kind=kind)
    assert [(band.low, band.high) for band in found.bands] == [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]
    assert [band.share for band in found.bands] == pytest.approx([0.25] * 4, abs=1e-3)
    assert found.bands[0].drift == pytest.approx(0.1 / span(reference), rel=1e-3)
    assert max(band.drift for band in found.bands[1:]) < 1e-3 * found.bands[0].drift


def test_bands_add_up_to_the_mean() -> None:
    random = np.random.default_rng(3)
    references = [scene(seed, size_px) for seed, size_px in enumerate([(64, 96), (80, 70)])]
    answers = [(one * random.normal(1, 0.1, one.shape)).astype(np.float32) for one in references]
    found = drift_of_all(references, answers, ["a", "b"])
    assert sum(band.share for band in found.bands) == pytest.approx(1, rel=EXACT)
    assert sum(band.share * band.drift for band in found.bands) == pytest.approx(found.mean, rel=EXACT)


def test_equal_values_stay_in_one_band() -> None:
    reference = scene()
    reference[:40] = 0  # a sky larger than a quarter
    found = drift_of(reference, planted(reference, 1.0, slice(0, 40), slice(None)))
    shares = [band.share for band in found.bands]
    assert shares[:2] == pytest.approx([40 / 64, 0])
    assert found.bands[1].drift == 0


def test_the_worst_tiles_are_where_the_error_was_planted() -> None:
    reference = scene()
    side = min(SIZE_PX) // 8
    answer = planted(reference, 0.5, slice(2 * side, 3 * side), slice(5 * side, 6 * side))
    answer[-1, -1] += np.float32(0.5)
    found = drift_of(reference, answer)
    expected = 0.5 / span(reference)
    first, second = found.tiles
    assert (first.top_px, first.left_px, first.height_px, first.width_px) == (2 * side, 5 * side, side, side)
    assert first.drift == pytest.approx(expected, rel=1e-5)
    assert (second.top_px, second.left_px) == (56, 88)
    assert second.drift == pytest.approx(expected / side**2, rel=1e-5)


def test_tiles_cover_an_image_of_any_size() -> None:
    reference = scene(0, (67, 101))
    answer = reference.copy()
    answer[66, 100] += np.float32(1)
    (tile,) = drift_of(reference, answer).tiles
    assert (tile.top_px + tile.height_px, tile.left_px + tile.width_px) == (67, 101)
    assert tile.drift == pytest.approx(1 / span(reference) / (tile.height_px * tile.width_px), rel=1e-5)


def test_tiles_of_one_image_leave_room_for_others() -> None:
    meter = DriftMeter("fp32", kind="inverse")
    for number in range(5):
        meter.add(f"image {number}", scene(), scene() + np.float32(0.1 * (number + 1)))
    tiles = meter.result().tiles
    assert len(tiles) == WORST_TILES
    assert [tile.drift for tile in tiles] == sorted((tile.drift for tile in tiles), reverse=True)
    names = [tile.image for tile in tiles]
    assert names[0] == "image 4"
    assert max(names.count(name) for name in names) == TILES_OF_ONE_IMAGE


def test_metric_drift_is_measured_in_metres() -> None:
    reference = (1 / scene()).astype(np.float32)
    answer = planted(reference, 0.05, slice(0, 8), slice(None))
    found = drift_of(reference, answer, kind="metric")
    assert found.mean == pytest.approx(canary_drift(answer, reference), rel=FLOAT32)
    assert found.mean == pytest.approx(0.05 * 8 / 64 / span(reference), rel=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_counted_and_infinitely_far(value: float) -> None:
    reference, answer = scene(), scene()
    answer[:2, 0] = value
    found = drift_of_all([reference] * 2, [reference, answer], ["good", "bad"])
    assert found.nonfinite == 2
    assert (found.mean, found.p99, found.worst) == (np.inf, np.inf, np.inf)
    assert found.worst_image == "bad"
    assert (found.tiles[0].image, found.tiles[0].top_px, found.tiles[0].left_px) == ("bad", 0, 0)
    assert [band.drift for band in found.bands] == [np.inf, 0, 0, 0]  # the far ones
    assert found.edge_f1 == 1


def test_a_reference_that_is_not_finite_makes_the_drift_infinite() -> None:
    reference = scene()
    reference[0, 0] = np.nan
    found = drift_of(reference, scene())
    assert (found.mean, found.nonfinite) == (np.inf, 0)
    assert drift_of(np.full(SIZE_PX, np.nan, np.float32), scene()).mean == np.inf


def test_a_flat_reference_forgives_nothing() -> None:
    flat = np.ones(SIZE_PX, np.float32)
    assert drift_of(flat, flat).mean == 0
    assert drift_of(flat, planted(flat, 1e-6, slice(0, 1), slice(0, 1))).mean == np.inf
    assert drift_of(flat, flat).edge_f1 is None


def test_flicker_is_told_from_a_steady_error() -> None:
    frames = [scene(seed) + np.float32(0.2 * seed) for seed in range(4)]
    steady = [frame + np.float32(0.5) for frame in frames]
    flicker = [frame + np.float32(0.5 * (-1) ** number) for number, frame in enumerate(frames)]
    names = [f"frame {number}" for number in range(4)]
    measured = [drift_of_all(frames, answers, names, video=True) for answers in (steady, flicker)]
    assert measured[0].mean == pytest.approx(measured[1].mean, rel=1e-5)
    assert measured[0].temporal == pytest.approx(0, abs=1e-6)
    expected = float(np.mean([1.0 / span(frame) for frame in frames[1:]]))
    assert measured[1].temporal == pytest.approx(expected, rel=1e-5)


def test_pictures_that_are_no_video_have_no_flicker() -> None:
    frames = [scene(0), scene(1)]
    assert drift_of_all(frames, frames, ["a", "b"]).temporal is None
    meter = DriftMeter("fp32", kind="inverse", video=True)
    for name, frame in (("a", scene()), ("b", scene(0, (70, 80)))):  # two videos
        meter.add(name, frame, frame)
    assert meter.result().temporal is None


@pytest.mark.parametrize(
    ("reference", "found", "names", "message"),
    [
        ([], [], [], "drift of no images found"),
        ([scene()], [scene()[:9]], ["a"], r"a: reference \(64, 96\), found \(9, 96\); expected one shape"),
        ([scene()] * 2, [scene()] * 2, ["a", "a"], "two images are named 'a'"),
    ],
)
def test_maps_that_do_not_belong_together_are_refused(
    reference: list[Map], found: list[Map], names: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        drift_of_all(reference, found, names)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="kind 'disparity' found, expected one of inverse, metric"):
        DriftMeter("fp32", kind="disparity")  # type: ignore[arg-type]
