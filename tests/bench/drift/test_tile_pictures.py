"""Pictures of the tiles with the largest drift."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drift_scenes import SIZE_PX, drift_of, drift_of_all, planted, scene
from made_depth import make_depth
from numpy.typing import NDArray

from depthrt.bench.drift.tile_pictures import LARGEST_BYTES, PANEL_H_PX, tile_picture, tile_pictures
from depthrt.bench.numbers.result import Tile
from depthrt.engine.errors import InputError
from depthrt.engine.terms import Kind


def photo(size_px: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*size_px, 3)).astype(np.uint8)


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


@pytest.mark.parametrize("size_px", [(64, 96), (480, 640), (9, 200), (300, 40)])
@pytest.mark.parametrize("kind", ["inverse", "metric"])
def test_pictures_of_noise_stay_small(size_px: tuple[int, int], kind: Kind) -> None:
    random = np.random.default_rng(6)
    reference, answer = (random.uniform(1, 2, size_px).astype(np.float32) for _ in range(2))
    drift = drift_of(reference, answer, kind=kind)
    depths = (make_depth(reference, kind=kind), make_depth(answer, kind=kind))
    for tile in drift.tiles:
        jpeg = tile_picture(tile, photo(size_px), *depths)
        assert len(jpeg) <= LARGEST_BYTES
        assert decoded(jpeg).shape[0] >= PANEL_H_PX // 2


def test_a_picture_shows_photograph_reference_subject_and_difference() -> None:
    reference = scene(0, (240, 320))
    answer = planted(reference, 2.0, slice(60, 90), slice(120, 150))
    photograph = np.full((240, 320, 3), (0, 200, 0), np.uint8)
    tile = drift_of(reference, answer).tiles[0]
    picture = decoded(tile_picture(tile, photograph, *(make_depth(one, kind="inverse") for one in (reference, answer))))
    width = picture.shape[1]
    panels = [picture[24:, part * width // 4 + 8 : (part + 1) * width // 4 - 8].astype(int) for part in range(4)]
    assert np.abs(np.median(panels[0], axis=(0, 1)) - (0, 200, 0)).max() < 8
    assert np.abs(panels[1] - panels[2]).max() > 60  # the error shows
    assert np.abs(panels[1] - panels[2])[-20:].max() < 30  # where there is none, both have one colour
    assert panels[3].max() > 200
    assert np.median(panels[3]) < 30


def test_every_tile_of_a_drift_gets_its_picture() -> None:
    answers = {f"n{seed}": (scene(seed), scene(seed) + np.float32(0.1)) for seed in range(2)}
    references, found = zip(*answers.values(), strict=True)
    drift = drift_of_all(references, found, list(answers))
    pictures = tile_pictures(
        "fp16",
        drift,
        lambda name: (photo(SIZE_PX), *(make_depth(one, kind="inverse") for one in answers[name])),  # type: ignore[arg-type,return-value]
    )
    assert len(pictures) == len(drift.tiles) == 4
    assert {picture.subject for picture in pictures} == {"fp16"}
    assert all(picture.title.startswith(tile.image) for picture, tile in zip(pictures, drift.tiles, strict=True))


def test_a_subject_that_answers_nothing_finite_still_gets_a_picture() -> None:
    reference = scene()
    lost = np.full(SIZE_PX, np.nan, np.float32)
    tile = drift_of(reference, lost).tiles[0]
    depths = (make_depth(reference, kind="inverse"), make_depth(lost, kind="inverse"))
    assert decoded(tile_picture(tile, photo(SIZE_PX), *depths)).size


@pytest.mark.parametrize(
    ("size_px", "kind", "top_px", "message"),
    [
        ((64, 90), "inverse", 0, "expected one size and kind"),
        ((64, 96), "metric", 0, "expected one size and kind"),
        ((64, 96), "inverse", 60, "a tile that ends outside an image of .64, 96. px"),
    ],
)
def test_pictures_of_what_does_not_belong_together_are_refused(
    size_px: tuple[int, int], kind: Kind, top_px: int, message: str
) -> None:
    reference = make_depth(scene(), kind="inverse")
    found = make_depth(scene(0, size_px), kind=kind)
    with pytest.raises(InputError, match=message):
        tile_picture(Tile("one", top_px, 0, 8, 8, 0.1), photo(SIZE_PX), reference, found)
