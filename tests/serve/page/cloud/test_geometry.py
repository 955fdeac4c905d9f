"""The grid that is drawn: exact depths, triangles cut at jumps only, sharp reliefs in which planes stay planes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from page_modules import call, floats

if TYPE_CHECKING:
    from playwright.sync_api import Page

ANGLE = 1 / 500  # radians between two pixels of a usual photograph
CLOSE = 1e-5  # float32 depths
GRID = """
const found = await load("cloud/geometry.js");
const grid = found.sampleGrid(floats(values), shape[0], shape[1], options);
const packed = (array) => write(new Uint8Array(array.buffer));
"""


def run(modules: Page, code: str, values: NDArray[Any], **options: object) -> Any:  # noqa: ANN401 (what JavaScript returns)
    """Run code that sees `found`, the module, `grid` of the values, and `packed`."""
    given = {"metric": True, **options}
    return call(modules, GRID + code, values=values.astype(np.float32), shape=list(values.shape), options=given)


def triangles(modules: Page, values: NDArray[Any], *, step: int = 1) -> set[tuple[int, ...]]:
    code = f"return packed(found.trianglesOf(grid, {ANGLE}, {step}));"
    places = np.frombuffer(run(modules, code, values), np.uint32).reshape(-1, 3)
    return {tuple(sorted(place)) for place in places.tolist()}


def street(height: int = 40, width: int = 12) -> NDArray[np.float64]:
    """Return the metres of a floor that runs to the horizon, seen by the lens of ANGLE from 1.5 m above it."""
    rows = np.arange(1, height + 1)[:, None] + 10.0  # px below the horizon
    return np.broadcast_to(1.5 / (rows * ANGLE), (height, width))[::-1]


def test_a_thinned_grid_holds_depths_of_single_pixels(modules: Page) -> None:
    values = np.random.default_rng(2).uniform(1, 9, (31, 50))
    values[4, 7], values[16, 22] = np.nan, -1
    code = "return { ...grid, depths: packed(grid.depths) };"
    found = run(modules, code, values, most=200)
    first, stride, rows, columns = (found[name] for name in ("first", "stride", "rows", "columns"))
    assert rows * columns <= 200 and stride == 3
    depths = floats(found["depths"]).reshape(rows, columns)
    expected = values[first::stride, first::stride][:rows, :columns]
    np.testing.assert_array_equal(depths, np.where(expected > 0, expected, 0).astype(np.float32))
    assert (depths == 0).any()


def test_a_floor_to_the_horizon_stays_whole_and_a_jump_is_cut(modules: Page) -> None:
    floor = street()
    height, width = floor.shape
    every = 2 * (height - 1) * (width - 1)
    assert len(triangles(modules, floor)) == every
    assert len(triangles(modules, floor, step=2)) == 2 * (height // 2 - 1) * (width // 2 - 1)
    post = floor.copy()
    post[:, 5:7] = 3.0  # nearer than the floor behind it
    across = {place for place in triangles(modules, post) if len({post[divmod(p, width)] == 3 for p in place}) == 2}
    same_depth = {place for place in across if np.ptp([post[divmod(p, width)] for p in place]) < 0.1}
    assert across == same_depth
    holed = floor.copy()
    holed[10, 4] = np.nan
    assert len(triangles(modules, holed)) == every - 6


def test_seams_lie_at_cuts_and_at_the_edge(modules: Page) -> None:
    values = np.full((6, 8), 4.0)
    values[:, 4:] = 2.0
    places = np.frombuffer(run(modules, f"return packed(found.seamsOf(grid, {ANGLE}));", values), np.uint32)
    is_seam = np.zeros(48, bool)
    is_seam[places] = True
    expected = np.ones((6, 8), bool)
    expected[1:-1, [1, 2, 5, 6]] = False
    np.testing.assert_array_equal(is_seam.reshape(6, 8), expected)


def test_points_in_the_air_are_marked_and_others_are_not(modules: Page) -> None:
    values = np.full((5, 9), 2.0)
    values[:, 5:] = 6.0
    values[:, 4] = 3.5  # between both
    values[1:4, :2], values[2, 0] = np.nan, 9.0  # a lonely point
    marked = floats(run(modules, f"return packed(found.markTorn(grid, {ANGLE}));", values)).reshape(5, 9)
    np.testing.assert_array_equal(marked < 0, np.arange(9)[None] == np.full((5, 1), 4))
    np.testing.assert_array_equal(np.abs(marked), np.nan_to_num(values).astype(np.float32))


def test_a_soft_outline_of_a_relief_becomes_sharp_and_slopes_stay(modules: Page) -> None:
    code = f"found.sharpen(grid, {ANGLE}); return packed(grid.depths);"
    soft = np.interp(np.arange(30), [12, 18], [2.0, 4.0]) * np.ones((9, 1))
    sharp = floats(run(modules, code, soft)).reshape(soft.shape)[1:-1, 1:-1]
    assert set(np.unique(sharp)) == {2.0, 4.0}
    assert (np.diff(sharp, axis=1) >= 0).all()
    slope = np.linspace(2, 2.5, 30) * np.ones((9, 1))
    np.testing.assert_array_equal(floats(run(modules, code, slope)).reshape(9, 30), slope.astype(np.float32))


def test_a_plane_stays_a_plane_in_a_relief(modules: Page) -> None:
    """Its inverse depth is linear in the image, whatever the model's scale and shift."""
    column, row = np.meshgrid(np.arange(20), np.arange(15))
    inverse = 7.0 + 0.3 * column - 0.2 * row
    code = "return packed(grid.depths);"
    for scale in (1.0, 40.0):
        depths = floats(run(modules, code, scale * inverse - 5, metric=False, nearIsLarge=True)).reshape(inverse.shape)
        unclipped = 1 / depths[2:-2, 2:-2]
        np.testing.assert_allclose(np.diff(unclipped, 2, axis=1), 0, atol=CLOSE)
        assert (np.diff(depths[5]) < 0).all(), "what is larger is nearer"
    far = floats(run(modules, code, inverse, metric=False, nearIsLarge=False)).reshape(inverse.shape)
    assert (np.diff(far[5]) > 0).all(), "what is larger is farther"
    flat = floats(run(modules, code, np.full((3, 3), 5.0), metric=False, nearIsLarge=True))
    assert np.isfinite(flat).all() and np.ptp(flat) == 0


def test_the_extent_leaves_out_what_has_no_depth(modules: Page) -> None:
    values = np.array([[2.0, np.nan, 4.0], [2.0, 4.0, 4.0]])
    code = "return found.extentOf(grid, { fx: 2, fy: 2, cx: 1, cy: 0.5 });"
    found = run(modules, code, values)
    assert found["count"] == 5 and found["middle"] == 5 / (2 / 2 + 3 / 4)
    np.testing.assert_allclose(found["z"], np.percentile([2, 4, 2, 4, 4], [2, 98]))
    np.testing.assert_allclose(found["x"], np.percentile([-1, 2, -1, 0, 2], [2, 98]))
    assert run(modules, code, values * np.nan)["count"] == 0
