"""A depth says its kind and unit, and refuses arrays that contradict each other."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from made_depth import HEIGHT_PX, PROVENANCE, WIDTH_PX, surface
from refusal import refusal

from depthrt.engine.depth.depth import Depth, valid_pixels
from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.engine.terms import Kind


def test_the_kind_decides_unit_and_direction() -> None:
    inverse, metric = surface("inverse"), surface("metric")
    assert (inverse.unit, inverse.larger_is_nearer, inverse.max_depth_m) == ("", True, None)
    assert (metric.unit, metric.larger_is_nearer, metric.max_depth_m) == ("m", False, 20.0)
    assert inverse.shape == (HEIGHT_PX, WIDTH_PX)
    for farther in (surface("affine"), surface("scale")):
        assert (farther.unit, farther.larger_is_nearer, farther.max_depth_m) == ("", False, None)


def test_values_that_are_not_finite_become_invalid() -> None:
    values = surface().values.copy()
    values[1, 1:4] = np.nan, np.inf, -np.inf
    depth = surface(values=values)
    assert not depth.valid[1, 1:4].any()
    assert depth.valid.sum() == values.size - 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros((4, 5))}, "values: (4, 5) float64 found, expected non-empty (H, W) float32"),
        ({"values": np.zeros((1, 4, 5), np.float32)}, "values: (1, 4, 5) float32 found"),
        ({"values": np.zeros((0, 5), np.float32)}, "values: (0, 5) float32 found"),
        ({"values": [[1.0]]}, "values: list found, expected a numpy array"),
        ({"valid": np.ones((4, 5), np.uint8)}, "valid: (4, 5) uint8 found, expected non-empty (H, W) bool"),
        ({"valid": np.ones((5, 4), np.bool_)}, "values (4, 5) and valid (5, 4) found, expected one shape"),
        ({"kind": "disparity"}, "kind 'disparity' found, expected one of inverse, metric"),
    ],
)
def test_a_depth_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {
        "values": np.zeros((4, 5), np.float32),
        "kind": "inverse",
        "valid": np.ones((4, 5), np.bool_),
        "provenance": PROVENANCE,
    }
    assert message in refusal(lambda: Depth(**{**fields, **changes}))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("inverse", "gives inverse depth, whose scale and shift are unknown and differ from image to image"),
        ("affine", "gives affine-invariant depth, whose scale and shift are unknown and differ from image to image"),
        ("scale", "gives scale-invariant depth, whose scale is unknown and differs from image to image"),
    ],
)
def test_depth_without_a_unit_has_no_metres_and_says_why(kind: Kind, reason: str) -> None:
    expected = f"depth-anything-v2-vits {reason}, so it has no metres; use a metric model"
    depth = surface(kind)
    camera = Intrinsics.from_fov(60, *depth.shape)
    for use in (lambda: depth.metres, lambda: depth.points(camera), lambda: depth.save("d.npy", unit="m")):
        assert refusal(use) == expected


def test_a_depth_has_the_camera_of_its_image_at_its_own_size() -> None:
    camera = Intrinsics(500.0, 510.0, 18.0, 11.5, (HEIGHT_PX, WIDTH_PX))
    depth = surface("metric")
    assert depth.intrinsics is None
    taken = dataclasses.replace(depth, provenance=dataclasses.replace(PROVENANCE, camera=camera))
    assert taken.intrinsics == camera
    assert np.array_equal(taken.points(), depth.points(camera))
    assert np.array_equal(taken.cloud().points, depth.cloud(camera).points)
    double = dataclasses.replace(
        taken, values=taken.values.repeat(2, 0).repeat(2, 1), valid=taken.valid.repeat(2, 0).repeat(2, 1)
    )
    assert double.intrinsics == camera.scaled(2 * HEIGHT_PX, 2 * WIDTH_PX)
    part = dataclasses.replace(taken, values=taken.values[:9, :9], valid=taken.valid[:9, :9])
    assert "a camera of 24x37 px (HxW) found for 9x9 px, whose aspect differs" in refusal(part.points)


def test_metric_depth_needs_no_bound() -> None:
    depth = dataclasses.replace(surface("metric"), max_depth_m=None)
    assert depth.unit == "m" and depth.metres is depth.values


def test_a_depth_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        surface().kind = "metric"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("inverse", [True, True, True, False, False]),
        ("metric", [False, False, True, False, False]),
        ("affine", [True, True, True, False, False]),
        ("scale", [False, False, True, False, False]),
    ],
)
def test_a_value_is_valid_if_it_is_finite_and_above_0_where_0_is_the_camera(kind: Kind, expected: list[bool]) -> None:
    values = np.array([[-1.0, 0.0, 1e-6, np.inf, np.nan]], np.float32)
    assert valid_pixels(values, kind)[0].tolist() == expected
