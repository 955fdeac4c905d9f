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
from depthrt.engine.depth.depth import Depth
from depthrt.engine.errors import InputError
from depthrt.engine.terms import Kind

LEAST_CONTRAST = 4.5  # of text. Source: WCAG 2.2, success criterion 1.4.3


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


@pytest.mark.parametrize("value", [np.nan, 2.0])
def test_a_tile_where_the_reference_is_unknown_or_flat_gets_its_picture(value: float) -> None:
    reference, answer = scene(0, (240, 320)), scene(1, (240, 320))
    reference[:200] = value
    tile = Tile("a.jpg", 0, 0, 30, 30, 0.5)
    depths = (make_depth(values, kind="inverse") for values in (reference, answer))
    assert decoded(tile_picture(tile, photo((240, 320)), *depths)).shape[0] >= PANEL_H_PX


def test_an_image_is_asked_for_once_and_the_pictures_stay_in_the_order_of_the_tiles() -> None:
    answers = {f"n{seed}": (scene(seed), scene(seed) + np.float32(0.1 + seed)) for seed in range(3)}
    references, found = zip(*answers.values(), strict=True)
    drift = drift_of_all(references, found, list(answers))
    asked: list[str] = []

    def answer(name: str) -> tuple[NDArray[np.uint8], Depth, Depth]:
        asked.append(name)
        reference, subject = (make_depth(values, kind="inverse") for values in answers[name])
        return photo(SIZE_PX), reference, subject

    pictures = tile_pictures("fp16", drift, answer)
    assert sorted(asked) == sorted({tile.image for tile in drift.tiles}) and len(asked) < len(drift.tiles)
    assert [picture.title.split(":")[0] for picture in pictures] == [tile.image for tile in drift.tiles]


def test_the_title_names_image_drift_and_place() -> None:
    values = scene()
    drift = drift_of(values, planted(values, 1.0, slice(16, 24), slice(40, 48)))
    depth = make_depth(values, kind="inverse")
    (picture,) = tile_pictures("fp16", drift, lambda name: (photo(SIZE_PX), depth, depth))
    tile = drift.tiles[0]
    assert f"{tile.left_px}, {tile.top_px} px" in picture.title
    assert "%" in picture.title


def test_the_frame_is_around_the_tile() -> None:
    values = scene(0, (90, 90))
    depth = make_depth(values, kind="inverse")
    picture = decoded(tile_picture(Tile("one", 40, 40, 10, 10, 0.1), np.zeros((90, 90, 3), np.uint8), depth, depth))
    panel = picture[-PANEL_H_PX:, :PANEL_H_PX]  # the photograph, black; the tile is in the middle third
    bright_rows, bright_columns = (np.flatnonzero((panel > 200).any(axis=(axis, 2))) for axis in (1, 0))
    third = PANEL_H_PX // 3
    for bright in (bright_rows, bright_columns):
        assert abs(bright[0] - third) <= 1 and abs(bright[-1] - 2 * third) <= 1


def test_a_label_is_read_above_every_panel() -> None:
    values = scene(0, (90, 90))
    depth = make_depth(values, kind="inverse")
    picture = decoded(tile_picture(Tile("one", 40, 40, 10, 10, 0.1), photo((90, 90)), depth, depth))
    strip = picture[:-PANEL_H_PX]
    for panel in np.array_split(strip, 4, axis=1):
        luminance = luminance_of(panel)
        assert (luminance.max() + 0.05) / (luminance.min() + 0.05) >= LEAST_CONTRAST
        assert np.median(luminance) > 0.9  # dark letters on a bright strip


def luminance_of(panel: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the relative luminance of BGR pixels. Source: WCAG 2.2, "relative luminance"."""
    channels = panel / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.0722, 0.7152, 0.2126), np.float64)


def test_reference_and_subject_are_painted_in_one_scale() -> None:
    slope = np.repeat(np.linspace(0, 1, 90)[:, None], 90, axis=1).astype(np.float32)
    depths = make_depth(1 + slope, kind="inverse"), make_depth(1 + slope / np.float32(2), kind="inverse")
    tile = Tile("one", 30, 30, 30, 30, 0.1)
    picture = decoded(tile_picture(tile, np.zeros((90, 90, 3), np.uint8), *depths))[-PANEL_H_PX:].astype(int)
    starts = [number * (picture.shape[1] - PANEL_H_PX) // 3 for number in range(4)]  # four square panels
    reference, found = (picture[:, start + 4 : start + 40] for start in starts[1:3])  # beside the frame
    assert np.abs(reference - found).mean() > 20
    assert np.abs(reference[: PANEL_H_PX // 2] - found[::2]).mean() < 8  # half the slope; JPEG differs a little
