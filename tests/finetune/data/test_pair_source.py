"""Batches of data sets: a number decides all, depth and regions stay on their pixels, shares are kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from made_mirror_rooms import SIZE_PX, write_rooms

from depthrt.bench.datasets.ground_truth import Pair, open_ground_truth
from depthrt.bench.datasets.true_depth import Sample, TrueDepth
from depthrt.engine.errors import InputError
from depthrt.engine.terms import Kind
from depthrt.finetune.data.pair_source import Mixed, PairSource, by_marks, resized

UNIT, SIDE = 14, 42
BLUR = 0.15  # of brightness: cubic interpolation and grain
ROOMS = 3


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, ...]:
    return open_ground_truth(write_rooms(tmp_path_factory.mktemp("data") / "rooms", ROOMS)).pairs


def source(sets: list[Mixed], *, seed: int = 0, clean_share: float | None = None, variation: float = 0.0) -> PairSource:
    return PairSource(
        sets,
        side_px=SIDE,
        unit_px=UNIT,
        batch=3,
        seed=seed,
        metric=True,
        clean_share=clean_share,
        variation=variation,
    )


def sample(kind: Kind, *, sky: bool = False) -> Sample:
    values = np.linspace(1, 2, 28 * 42, dtype=np.float32).reshape(28, 42)
    regions = np.zeros((28, 42), np.uint8)
    valid = np.ones((28, 42), bool)
    if sky:
        regions[:5], valid[:10] = 8, False
    return Sample("a", np.zeros((56, 84, 3), np.uint8), TrueDepth(values, valid, kind), regions)


def test_a_batch_depends_on_its_number_and_the_seed_alone(pairs: tuple[Pair, ...]) -> None:
    sets = [Mixed(*by_marks(pairs), 1.0)]
    first, again, other = source(sets).batch(7), source(sets).batch(7), source(sets).batch(8)
    assert torch.equal(first.images, again.images) and torch.equal(first.depth_m, again.depth_m)
    assert not torch.equal(first.images, other.images)
    assert not torch.equal(first.images, source(sets, seed=1).batch(7).images)
    varied = source(sets, variation=1.0).batch(7)
    assert torch.equal(varied.depth_m, first.depth_m) and not torch.equal(varied.images, first.images)
    assert torch.equal(varied.images, source(sets, variation=1.0).batch(7).images)


def test_whole_images_are_cut_only_as_far_as_those_of_a_batch_differ() -> None:
    wide = sample("metric")  # 28 x 42
    depth_m, valid = wide.truth.values.T, wide.truth.valid.T
    high = Sample("high", wide.image.swapaxes(0, 1), TrueDepth(depth_m, valid, "metric"))

    def shape_of(*samples: Sample) -> tuple[int, ...]:
        pairs = tuple(Pair(one.name, lambda one=one: one) for one in samples)  # type: ignore[misc]
        found = PairSource(
            [Mixed((), pairs, 1.0)], side_px=28, unit_px=UNIT, batch=8, seed=0, metric=True, whole=True
        ).batch(0)
        assert (
            found.regions is not None and found.images.shape[2:] == found.depth_m.shape[1:] == found.regions.shape[1:]
        )
        return tuple(found.depth_m.shape)

    assert shape_of(wide) == (8, 28, 42)
    assert shape_of(high) == (8, 42, 28)
    assert shape_of(wide, high) == (8, 28, 28)


def test_image_depth_and_regions_are_cut_and_mirrored_alike(pairs: tuple[Pair, ...]) -> None:
    sets, seen = [Mixed(*by_marks(pairs), 1.0)], set()
    for number in range(4):
        batch = source(sets).batch(number)
        assert batch.images.shape == (3, 3, SIDE, SIDE) and batch.regions is not None
        outside = batch.valid & (batch.regions == 0)
        expected = 0.8 / batch.depth_m + 0.025  # as the rooms are drawn
        assert float((batch.images.mean(1) - expected)[outside].abs().mean()) < BLUR / 5
        assert float((batch.images.mean(1) - expected)[outside].abs().max()) < 4 * BLUR  # next to a mirror's border
        across = batch.depth_m[:, :, 0] > batch.depth_m[:, :, -1]
        seen |= set(across[:, 0].tolist())
    assert seen == {False, True}, "some are mirrored"


@pytest.mark.parametrize(("image_px", "expected"), [((56, 70), (42, 56)), ((70, 56), (56, 42)), ((20, 20), (42, 42))])
def test_the_shorter_side_gets_the_size_and_the_other_a_multiple(
    image_px: tuple[int, int], expected: tuple[int, int]
) -> None:
    depth_m = np.ones(image_px, np.float32)
    given = Sample("a", np.zeros((*image_px, 3), np.uint8), TrueDepth(depth_m, depth_m > 0))
    cut = resized(given, SIDE, UNIT, metric=True)
    assert cut.image.shape == (*expected, 3)
    assert cut.depth_m.shape == cut.valid.shape == cut.regions.shape == expected


def test_colours_are_rgb_and_depth_is_one_of_the_file() -> None:
    image = np.zeros((*SIZE_PX, 3), np.uint8)
    image[..., 2] = 255  # red in BGR
    depth_m = np.arange(SIZE_PX[0] * SIZE_PX[1], dtype=np.float32).reshape(SIZE_PX) + 1
    cut = resized(Sample("a", image, TrueDepth(depth_m, depth_m % 7 != 0)), SIDE, UNIT, metric=True)
    assert cut.image.reshape(-1, 3).mean(0).tolist() == [1, 0, 0]
    assert not (cut.depth_m[cut.valid] % 7 == 0).any() and set(cut.depth_m[cut.valid]) <= set(depth_m.flat)


def test_a_share_of_clean_images_is_kept(pairs: tuple[Pair, ...]) -> None:
    marked, clean = by_marks(pairs)
    assert len(marked) == len(clean) == ROOMS
    for share in (0.0, 0.9):
        batches = [source([Mixed(marked, clean, 1.0)], clean_share=share).batch(number) for number in range(12)]
        flat = sum(int((batch.regions.flatten(1) != 0).any(1).sum()) for batch in batches if batch.regions is not None)
        assert flat == 36 if share == 0 else flat < 12


def test_data_sets_are_mixed_by_their_shares(pairs: tuple[Pair, ...]) -> None:
    marked, clean = by_marks(pairs)
    mixed = source([Mixed(marked, (), 3.0), Mixed((), clean, 1.0)])
    batches = [mixed.batch(number) for number in range(16)]
    flat = sum(int((batch.regions.flatten(1) != 0).any(1).sum()) for batch in batches if batch.regions is not None)
    assert 26 <= flat <= 46, "three quarters of 48"


def test_the_sky_is_infinitely_far_for_inverse_depth_only() -> None:
    relative = resized(sample("metric", sky=True), 28, UNIT, metric=False)
    assert np.isinf(relative.depth_m[:5]).all() and relative.valid[:5].all() and not relative.valid[5:10].any()
    assert not resized(sample("metric", sky=True), 28, UNIT, metric=True).valid[:10].any()


def test_depth_without_a_unit_trains_inverse_depth_only() -> None:
    assert resized(sample("inverse"), 28, UNIT, metric=False).depth_m.max() <= 1
    with pytest.raises(InputError, match="a has inverse depth without a unit, and the network answers in metres"):
        resized(sample("inverse"), 28, UNIT, metric=True)


def test_a_size_that_the_network_does_not_take_is_refused(pairs: tuple[Pair, ...]) -> None:
    with pytest.raises(InputError, match="size 40 px found, expected a multiple of 14 px, such as 42"):
        PairSource([Mixed(pairs, (), 1.0)], side_px=40, unit_px=UNIT, batch=1, seed=0, metric=True)


def test_a_damaged_mask_is_named_when_its_pair_is_read(tmp_path: Path) -> None:
    rooms = write_rooms(tmp_path / "rooms", 1)
    (rooms / "00_0_regions.png").write_bytes(b"no picture")
    marked, clean = by_marks(open_ground_truth(rooms).pairs)
    assert (len(marked), len(clean)) == (0, 2)
    with pytest.raises(InputError, match="00_0_regions"):
        for pair in clean:
            pair.read()


def test_progress_counts_the_masks(pairs: tuple[Pair, ...]) -> None:
    seen = []
    by_marks(pairs, on_progress=lambda done, wanted: seen.append((done, wanted)))
    assert seen[-1] == (2 * ROOMS, 2 * ROOMS)
    assert cv2.imread(str(pairs[0].mask), cv2.IMREAD_UNCHANGED) is not None


def test_squares_of_a_wide_image_are_cut_where_its_mirror_is() -> None:
    depth_m, regions = np.ones((28, 420), np.float32), np.zeros((28, 420), np.uint8)
    regions[8:20, 200:230] = 1
    wide = Sample("wide", np.zeros((28, 420, 3), np.uint8), TrueDepth(depth_m, depth_m > 0), regions)
    made = PairSource(
        [Mixed((Pair("wide", lambda: wide),), (), 1.0)], side_px=28, unit_px=UNIT, batch=4, seed=0, metric=True
    )
    batches = [made.batch(number).regions for number in range(8)]
    shown = sum(int((found.flatten(1) != 0).any(1).sum()) for found in batches if found is not None)
    assert shown > 16, "half of 32; a square that is cut once shows it in one of seven"
