"""The topics of a bridge: named as those of a bag, and never metres that are none."""

from __future__ import annotations

import pytest

from depthrt import InputError, ObstacleGate
from depthrt.robots.bridge.request import BridgeRequest, Topics, topics_of


def test_topics_are_named_as_those_of_a_bag() -> None:
    request = BridgeRequest("/front/image_raw/compressed")
    assert topics_of(request, "metric") == Topics(
        "/front/image_raw/compressed",
        "/front/camera_info",
        "/front/depth/image_rect",
        "/front/depth/camera_info",
        None,
    )
    inverse = topics_of(request, "inverse")
    assert (inverse.depth, inverse.info) == ("/front/inverse_depth", None)


def test_what_is_published_beside_the_depth_lies_in_its_namespace() -> None:
    request = BridgeRequest("/front/image_raw", output="/near/depth", camera_info="/left/info", points=True)
    found = topics_of(request, "metric")
    assert (found.camera, found.info, found.points) == ("/left/info", "/near/camera_info", "/near/points")


@pytest.mark.parametrize("output", ["/front/depth", "/front/depth/image_rect", "/depth/near", "/front/depth_raw"])
def test_depth_without_metres_is_not_called_depth(output: str) -> None:
    with pytest.raises(InputError, match=f"--out {output} found.*inverse depth.*/front/inverse_depth"):
        topics_of(BridgeRequest("/front/image_raw", output=output), "inverse")


@pytest.mark.parametrize("output", ["/front/nearness", "/front/inverse_depth", "/front/inverse_depth/image"])
def test_other_names_are_given_to_it(output: str) -> None:
    assert topics_of(BridgeRequest("/front/image_raw", output=output), "inverse").depth == output


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (BridgeRequest("/front/image_raw", output="/front/depth"), "/front/camera_info would be read and published"),
        (BridgeRequest("/front/image_raw", output="/front/image_raw"), "/front/image_raw would be read and published"),
        (BridgeRequest("image_raw"), "--in 'image_raw' found"),
        (BridgeRequest("/image_raw", output="depth"), "--out 'depth' found"),
        (BridgeRequest("/image_raw", camera_info="/a b"), "--camera-info '/a b' found"),
    ],
)
def test_topics_that_cannot_be_are_refused(request_: BridgeRequest, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        topics_of(request_, "metric")


def test_points_are_in_metres_or_do_not_exist() -> None:
    with pytest.raises(InputError, match="no metres"):
        topics_of(BridgeRequest("/front/image_raw", points=True), "inverse")


def test_wishes_that_no_depth_can_meet_are_refused() -> None:
    with pytest.raises(InputError, match="16UC1"):
        topics_of(BridgeRequest("/front/image_raw", encoding="16UC1"), "inverse")
    with pytest.raises(InputError, match="--gate found without --points"):
        topics_of(BridgeRequest("/front/image_raw", gate=ObstacleGate(0.05, 0.3, camera_height_m=0.4)), "metric")
