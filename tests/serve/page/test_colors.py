"""The page paints depth as the engine does, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from page_modules import call

from depthrt.engine.depth.colour import color_table, colorize
from depthrt.engine.terms import COLORMAPS, Colormap

if TYPE_CHECKING:
    from playwright.sync_api import Page

RNG = np.random.default_rng(3)
VALUES = RNG.normal(size=(60, 90)).astype(np.float32)
HOLED = np.where(RNG.random((60, 90)) < 0.2, np.float32(np.nan), VALUES)
PAINT = """
const { colorize } = await load("colors.js");
const { width, height, data } = colorize(floats(values), shape[0], shape[1], options);
return { size: [height, width], pixels: write(data) };
"""


def painted(modules: Page, values: NDArray[np.float32], **options: object) -> NDArray[np.uint8]:
    """Return the page's picture, (H, W, 4) RGBA."""
    found = call(modules, PAINT, values=values, shape=list(values.shape), options=options)
    return np.frombuffer(found["pixels"], np.uint8).reshape(*found["size"], 4)


def test_the_page_has_the_engines_maps(modules: Page) -> None:
    code = 'const colors = await load("colors.js"); return { names: colors.COLORMAPS, invalid: colors.INVALID };'
    assert call(modules, code)["names"] == list(COLORMAPS)
    code = 'const { colorTable } = await load("colors.js"); return write(colorTable(name, flipped));'
    for name in COLORMAPS:
        for flipped in (False, True):
            expected = color_table(name, flipped=flipped)[:, ::-1].tobytes().hex()
            found: bytes = call(modules, code, name=name, flipped=flipped)
            assert found.hex() == expected, f"write this into color_tables.js for {name}, flipped {flipped}: {expected}"


@pytest.mark.parametrize("colormap", COLORMAPS)
@pytest.mark.parametrize("larger_is_nearer", [True, False], ids=["inverse", "metric"])
def test_the_picture_is_the_engines(modules: Page, colormap: Colormap, larger_is_nearer: bool) -> None:
    for values in (VALUES, HOLED, VALUES * np.float32(1e30), np.full_like(VALUES, 2.5), HOLED * np.float32(np.nan)):
        for value_range in (None, (-0.3, 0.7)):
            expected = colorize(
                values,
                np.isfinite(values),
                larger_is_nearer=larger_is_nearer,
                colormap=colormap,
                value_range=value_range,
            )
            found = painted(modules, values, colormap=colormap, range=value_range, nearIsLarge=larger_is_nearer)
            np.testing.assert_array_equal(found[..., 2::-1], expected)
            assert (found[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colormap": "jet"}, "colormap jet found, expected one of spectral_r, inferno, turbo, gray"),
        ({"range": [1, 1]}, "range 1 to 1 found, expected two finite numbers, the lower first"),
        ({"range": [0, 1e39]}, "expected two finite numbers"),
    ],
    ids=str,
)
def test_an_unknown_option_is_refused(modules: Page, options: dict[str, object], message: str) -> None:
    with pytest.raises(Exception, match=message):
        painted(modules, VALUES, nearIsLarge=True, **options)


def test_a_difference_is_orange_where_farther_and_clear_where_equal(modules: Page) -> None:
    code = """
    const { colorizeDifference } = await load("colors.js");
    return write(colorizeDifference(floats(v), 1, 5, 2).data);
    """
    found = (
        np.frombuffer(call(modules, code, v=np.array([4, 1, 0, -2, np.nan], np.float32)), np.uint8)
        .reshape(5, 4)
        .astype(int)
    )
    assert found[:, 3].tolist() == [255, 128, 0, 255, 0]
    assert found[0, 0] > found[0, 2] and found[3, 2] > found[3, 0]
