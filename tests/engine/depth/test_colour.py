"""Depth is painted as upstream paints it."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from made_depth import holed, surface
from numpy.typing import NDArray
from refusal import refusal

from depthrt.engine.depth.colour import INVALID_BGR, color_table, value_extremes
from depthrt.engine.terms import COLORMAPS, KINDS, Colormap, Kind

OPENCV_LEVELS = 1  # OpenCV's inferno and matplotlib's differ by the rounding of one level


def painted_upstream(values: NDArray[np.float32], name: str) -> NDArray[np.uint8]:
    """Paint as the published run.py does: min-max, truncation, matplotlib's map on the uint8 index, BGR."""
    scaled = (values - values.min()) / (values.max() - values.min()) * 255.0
    picture = (mpl.colormaps[name](scaled.astype(np.uint8))[:, :, :3] * 255)[:, :, ::-1]
    return np.asarray(picture.astype(np.uint8))


@pytest.mark.parametrize(("flipped", "name"), [(False, "Spectral_r"), (True, "Spectral")])
def test_the_spectral_table_equals_matplotlibs_bytes(flipped: bool, name: str) -> None:
    expected = mpl.colormaps[name](np.arange(256), bytes=True)[:, 2::-1]
    assert np.array_equal(color_table("spectral_r", flipped=flipped), expected)


@pytest.mark.parametrize(("kind", "name"), [("inverse", "Spectral_r"), ("metric", "Spectral"), ("affine", "Spectral")])
def test_a_picture_equals_upstreams_byte_for_byte(kind: Kind, name: str) -> None:
    values = np.random.default_rng(2).gamma(2, 3, (200, 300)).astype(np.float32)
    assert np.array_equal(surface(kind, values).colorize(), painted_upstream(values, name))


def test_inferno_equals_matplotlibs() -> None:
    expected = mpl.colormaps["inferno"](np.arange(256), bytes=True)[:, 2::-1].astype(int)
    assert np.abs(color_table("inferno") - expected).max() <= OPENCV_LEVELS


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_near_has_one_colour_for_all_kinds(colormap: Colormap) -> None:
    for kind in KINDS:
        depth = surface(kind)
        nearest = depth.values.max() if kind == "inverse" else depth.values.min()
        assert (depth.colorize(colormap=colormap)[depth.values == nearest] == color_table(colormap)[255]).all()


def test_gray_is_brighter_where_nearer() -> None:
    picture = surface("metric").colorize(colormap="gray")
    assert picture[0].mean() > picture[-1].mean()
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_invalid_pixels_are_gray_and_do_not_count_for_the_range() -> None:
    depth, values = holed(), surface().values.copy()
    values[~depth.valid] = values[5, 5]  # within the range of the others
    picture = depth.colorize()
    assert (picture[~depth.valid] == INVALID_BGR).all()
    assert np.array_equal(picture[depth.valid], surface(values=values).colorize()[depth.valid])


@pytest.mark.parametrize("valid", [True, False])
def test_a_constant_or_wholly_invalid_depth_is_painted_in_one_colour(valid: bool) -> None:
    depth = surface(values=np.full((3, 4), 2.5, np.float32), valid=np.full((3, 4), valid))
    expected = color_table("spectral_r")[0] if valid else INVALID_BGR
    assert (depth.colorize() == expected).all()


def test_a_fixed_range_makes_two_frames_comparable() -> None:
    values = surface().values
    near, far = surface(values=values), surface(values=values[:12])
    assert not np.array_equal(near.colorize()[:12], far.colorize())
    ends = (2.0, 4.0)
    assert np.array_equal(near.colorize(value_range=ends)[:12], far.colorize(value_range=ends))
    painted = near.colorize(value_range=ends)
    assert (painted[values <= 2.0] == color_table("spectral_r")[0]).all()
    assert (painted[values >= 4.0] == color_table("spectral_r")[255]).all()


@pytest.mark.parametrize("ends", [(4.0, 2.0), (1.0, 1.0), (float("nan"), 1.0), (0.0, float("inf")), (0.0, 1e39)])
def test_an_empty_or_infinite_range_is_refused(ends: tuple[float, float]) -> None:
    assert "expected two finite numbers, the lower first" in refusal(lambda: surface().colorize(value_range=ends))


def test_an_unknown_colormap_is_refused_with_the_choices() -> None:
    message = refusal(lambda: surface().colorize(colormap="jet"))  # type: ignore[arg-type]
    assert message == "colormap 'jet' found, expected one of spectral_r, inferno, turbo, gray"


def test_a_table_is_shared_and_cannot_be_written() -> None:
    table = color_table("turbo")
    assert table is color_table("turbo") and table.shape == (256, 3)
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 0


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_a_flipped_table_starts_with_the_last_colour(colormap: Colormap) -> None:
    plain, flipped = color_table(colormap).astype(int), color_table(colormap, flipped=True).astype(int)
    assert np.abs(plain[::-1] - flipped).max() <= 1  # matplotlib's reversed() rounds a few entries otherwise
    assert np.abs(plain - flipped).max() > 100


def test_extremes_are_those_of_the_valid_values() -> None:
    values, valid = np.array([[1, 2, 9]], np.float32), np.array([[True, True, False]])
    assert [float(end) for end in value_extremes(values, valid, None)] == [1, 2]
    assert [float(end) for end in value_extremes(values, valid & False, None)] == [0, 0]
    assert [float(end) for end in value_extremes(values, valid, (0.5, 7.0))] == [0.5, 7]
