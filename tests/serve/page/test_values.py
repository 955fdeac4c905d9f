"""The page reads every .npy file of the service, finds numpy's percentiles, and compares two models honestly."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made_depth import make_depth
from numpy.typing import NDArray
from page_modules import call, floats

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLOSE = 1e-6  # numpy interpolates in float32, the page in float64
RNG = np.random.default_rng(7)
VALUES = RNG.normal(size=(9, 14)).astype(np.float32)
HOLED = np.where(RNG.random((9, 14)) < 0.2, np.float32(np.nan), VALUES)

READ = """
const { readNpy } = await load("values.js");
const { values, height, width } = readNpy(file);
return { height, width, values: write(new Uint8Array(values.buffer)) };
"""
DIFFER = """
const { difference } = await load("values.js");
const { values, ...rest } = difference(floats(a), floats(b), kindA, kindB);
return { ...rest, values: write(new Uint8Array(values.buffer)) };
"""


def npy(array: NDArray[Any], version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


def test_every_npy_file_comes_back(modules: Page) -> None:
    arrays = [VALUES, HOLED, VALUES[:1, :1], np.asfortranarray(HOLED), VALUES.astype(">f4"), VALUES.astype(np.float64)]
    files = [npy(array, version) for array in arrays for version in ((1, 0), (2, 0), (3, 0))]
    files.append(make_depth(HOLED, kind="inverse").encode("npy"))  # what the service writes
    for array, file in zip([each for each in arrays for _ in range(3)] + [HOLED], files, strict=True):
        found = call(modules, READ, file=file)
        assert (found["height"], found["width"]) == array.shape
        np.testing.assert_array_equal(floats(found["values"]).reshape(array.shape), array.astype(np.float32))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"<!doctype html> of an error", "is not an .npy file"),
        (b"", "is not an .npy file"),
        (npy(VALUES)[:-1], r"cut short: 503 bytes of values found, expected 504"),
        (npy(VALUES)[:40], "header of the .npy file is damaged"),
        (npy(VALUES).replace(b"'descr'", b"'other'"), "header of the .npy file is damaged"),
        (npy(VALUES.astype(np.int16)), "holds i2, expected f4 or f8"),
        (npy(VALUES[0]), r"has the shape \(14,\), expected \(height, width\)"),
        (npy(VALUES[:0]), r"has the shape \(0, 14\)"),
    ],
)
def test_what_is_no_depth_is_refused(modules: Page, file: bytes, message: str) -> None:
    with pytest.raises(Exception, match=message):
        call(modules, READ, file=file)


def test_the_range_is_that_of_numpys_percentiles(modules: Page) -> None:
    code = 'const { rangeOf } = await load("values.js"); return rangeOf(floats(values), low, high);'
    wide = RNG.normal(size=50_000).astype(np.float32) * np.float32(1e3)
    infinite = np.concatenate([VALUES.ravel(), np.array([np.inf, -np.inf, np.nan], np.float32)])
    few = np.array([-3, 0, -0.0, 5e-42, 2], np.float32)
    for values in (wide, HOLED, infinite, few, VALUES[:1, :1]):
        for shares in ((0.02, 0.98), (0, 1), (0.5, 0.5)):
            expected = np.percentile(values[np.isfinite(values)].astype(np.float64), [100 * share for share in shares])
            found = call(modules, code, values=values, low=shares[0], high=shares[1])
            np.testing.assert_allclose(found, expected, rtol=CLOSE, atol=CLOSE * np.abs(expected).max())
    assert np.isnan(call(modules, code, values=np.array([np.nan], np.float32), low=0, high=1)).all()


def test_metres_are_subtracted(modules: Page) -> None:
    found = call(
        modules,
        DIFFER,
        a=np.array([3, 2, np.nan, 5], np.float32),
        b=np.array([1, 2.5, 1, np.nan], np.float32),
        kindA="metric",
        kindB="metric",
    )
    np.testing.assert_array_equal(floats(found["values"]), np.array([2, -0.5, np.nan, np.nan], np.float32))
    assert found["unit"] == "m" and "metres" in found["note"]


@pytest.mark.parametrize(
    ("kinds", "other", "unknown"),
    [
        (("inverse", "inverse"), 3 * VALUES - 7, "scale and shift"),
        (("affine", "affine"), 0.1 * VALUES + 2, "scale and shift"),
        (("scale", "scale"), 5 * VALUES, "scale"),
        (("scale", "metric"), 5 * VALUES, "scale"),
    ],
    ids=str,
)
def test_an_unknown_scale_and_shift_make_no_difference(
    modules: Page, kinds: tuple[str, str], other: NDArray[np.float32], unknown: str
) -> None:
    found = call(modules, DIFFER, a=VALUES, b=other, kindA=kinds[0], kindB=kinds[1])
    np.testing.assert_allclose(floats(found["values"]), 0, atol=10 * CLOSE)
    assert found["unit"] == "" and f"{unknown} w" in found["note"], found["note"]


@pytest.mark.parametrize(("kind", "sign"), [("inverse", -1), ("affine", 1)])
def test_a_positive_difference_is_farther_in_the_first(modules: Page, kind: str, sign: int) -> None:
    changed = VALUES.copy()
    changed[0, 0] += 4
    found = floats(call(modules, DIFFER, a=changed, b=VALUES, kindA=kind, kindB=kind)["values"])
    low, high = np.percentile(changed, [2, 98])
    slope, shift = np.polyfit(VALUES.ravel().astype(np.float64), changed.ravel(), 1)
    expected = sign * (changed - (slope * VALUES + shift)) / (high - low)
    np.testing.assert_allclose(found, expected.ravel(), atol=10 * CLOSE)
    assert np.sign(found[0]) == sign


def test_metres_meet_inverse_depth_as_inverse_depth(modules: Page) -> None:
    metres = np.exp(VALUES)
    for a, b, kinds in (
        (metres, 2 / metres + 1, ("metric", "inverse")),
        (2 / metres + 1, metres, ("inverse", "metric")),
    ):
        found = call(modules, DIFFER, a=a, b=b, kindA=kinds[0], kindB=kinds[1])
        np.testing.assert_allclose(floats(found["values"]), 0, atol=10 * CLOSE)
        assert "turned into inverse depth" in found["note"]


def test_what_cannot_be_compared_is_refused(modules: Page) -> None:
    with pytest.raises(Exception, match="unknown shift cannot be compared"):
        call(modules, DIFFER, a=VALUES, b=VALUES, kindA="inverse", kindB="affine")
    with pytest.raises(Exception, match="126 and of 125 pixels found, expected one size"):
        call(modules, DIFFER, a=VALUES, b=VALUES.ravel()[1:], kindA="metric", kindB="metric")
    found = call(
        modules,
        DIFFER,
        a=np.array([np.nan, 1], np.float32),
        b=np.array([1, np.nan], np.float32),
        kindA="inverse",
        kindB="inverse",
    )
    assert np.isnan(floats(found["values"])).all() and found["note"] == "No pixel has a depth in both."
