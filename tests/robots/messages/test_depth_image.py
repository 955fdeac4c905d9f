"""Metric depth is metres or millimetres as ROS has them; other depth has another name and is never millimetres."""

from __future__ import annotations

import numpy as np
import pytest
from made_bags import header
from made_depth import make_depth
from numpy.typing import NDArray

from depthrt import InputError
from depthrt.engine.terms import KINDS
from depthrt.robots.messages.depth_image import depth_image, depth_topic, info_topic, namespace_of, points_topic
from depthrt.robots.messages.types import Image, decode, encode

NEAR, FAR, SKY, UNKNOWN, BEHIND, LARGEST = 0.5, 70.0, 99.0, np.nan, -1.0, 20.0  # metres; make_depth's model ends at 20
VALUES = np.array([[NEAR, 12.3456, SKY], [UNKNOWN, BEHIND, LARGEST]], np.float32)
VALID = np.array([[True, True, False], [False, False, True]])


def pixels(message: Image) -> NDArray[np.generic]:
    """Read a depth image as a subscriber does: through its bytes, by its encoding and step."""
    found = decode(bytes(encode(message)), Image)
    assert not found.is_bigendian and found.data.size == found.step * found.height
    dtype = {"32FC1": "<f4", "16UC1": "<u2"}[found.encoding]
    return np.frombuffer(found.data.tobytes(), dtype).reshape(found.height, found.width)


def test_metres_are_exact_the_sky_and_the_end_of_the_range_are_infinite_and_the_unknown_is_nan() -> None:
    found = pixels(depth_image(make_depth(VALUES, kind="metric", valid=VALID), header(0)))
    expected = np.array([[NEAR, np.float32(12.3456), np.inf], [np.nan, np.nan, np.inf]], np.float32)
    assert np.array_equal(found, expected, equal_nan=True)


def test_millimetres_are_rounded_and_0_is_none() -> None:
    values = np.array([[NEAR, 12.3456, SKY], [UNKNOWN, FAR, 65.535]], np.float32)
    valid = np.array([[True, True, False], [False, True, True]])
    found = pixels(depth_image(make_depth(values, kind="metric", valid=valid), header(0), encoding="16UC1"))
    assert found.tolist() == [[500, 12346, 0], [0, 0, 65535]]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "metric"])
def test_depth_without_a_unit_keeps_its_values_and_is_refused_as_millimetres(kind: str) -> None:
    depth = make_depth(VALUES, kind=kind, valid=VALID)  # type: ignore[arg-type]
    found = pixels(depth_image(depth, header(0)))
    assert np.array_equal(found[VALID], VALUES[VALID]) and np.isnan(found[~VALID]).all()
    with pytest.raises(InputError, match=r"16UC1, which is whole millimetres, found for .* no unit"):
        depth_image(depth, header(0), encoding="16UC1")


def test_the_header_is_the_images_own() -> None:
    found = decode(bytes(encode(depth_image(make_depth(VALUES, kind="metric"), header(7)))), Image)
    assert found.header == header(7)


@pytest.mark.parametrize(
    ("topic", "space"),
    [
        ("/front/image_raw", "/front"),
        ("/front/image_raw/compressed", "/front"),
        ("/robot/front/color/image_rect", "/robot/front/color"),
        ("/image", ""),
    ],
)
def test_depth_lies_in_the_namespace_of_its_image(topic: str, space: str) -> None:
    assert namespace_of(topic) == space
    assert depth_topic(topic, "metric") == f"{space}/depth/image_rect"
    assert depth_topic(topic, "inverse") == f"{space}/inverse_depth"
    assert (info_topic(space), points_topic(space)) == (f"{space}/camera_info", f"{space}/points")


def test_only_metric_depth_is_named_depth() -> None:
    names = {depth_topic("/front/image_raw", kind).removeprefix("/front/") for kind in KINDS}
    assert names == {"depth/image_rect", "inverse_depth", "affine_invariant_depth", "scale_invariant_depth"}
