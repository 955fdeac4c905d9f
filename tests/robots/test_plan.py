"""What a run writes follows from the bag, the request and the kind of the model's depth."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made import CONTRACT
from made_bags import EMPTY, EXTRA, IMAGE, INFO, QOS, Sent, camera_message, messages, resized_info, write_bag

from depthrt import InputError, ObstacleGate
from depthrt.engine.modelfile.contract import Contract
from depthrt.robots.plan import Plan, make_plan
from depthrt.robots.reading.open_bag import open_bag
from depthrt.robots.request import BagRequest

METRIC = replace(CONTRACT, kind="metric", max_depth_m=20.0)
GATE = ObstacleGate(0.05, 1.5, camera_height_m=0.4)
WITH_FOCAL = replace(CONTRACT, kind="metric", focal_unit_px=300.0)


def plan(
    tmp_path: Path,
    sent: list[Sent] | None = None,
    *,
    contract: Contract = METRIC,
    request: dict[str, Any] | None = None,
) -> Plan:
    with open_bag(write_bag(tmp_path / "drive", sent)) as bag:
        return make_plan(bag, BagRequest("drive", output="out", **(request or {})), contract)


def test_metric_depth_has_its_camera_beside_it_and_the_qos_of_its_image(tmp_path: Path) -> None:
    found = plan(tmp_path)
    assert [topic.name for topic in found.written] == ["/front/depth/image_rect", "/front/depth/camera_info"]
    assert all(topic.qos == (QOS,) for topic in found.written)
    assert found.read == {IMAGE, INFO} and found.rectified


def test_inverse_depth_has_its_own_name_and_no_camera(tmp_path: Path) -> None:
    found = plan(tmp_path, contract=CONTRACT)
    assert [topic.name for topic in found.written] == ["/front/inverse_depth"]


def test_points_and_copies_are_written_too(tmp_path: Path) -> None:
    found = plan(tmp_path, request={"points": True, "copy": True})
    own = ["/front/depth/image_rect", "/front/depth/camera_info", "/front/depth/points"]
    assert [topic.name for topic in found.written[:3]] == own
    assert {topic.name for topic in found.copied} == {IMAGE, INFO, EXTRA, EMPTY}


@pytest.mark.parametrize(
    ("contract", "request_", "complaint"),
    [
        (CONTRACT, {"points": True}, "--points found, and the model gives inverse depth, which has no metres"),
        (CONTRACT, {"encoding": "16UC1"}, "16UC1, which is whole millimetres, found for inverse depth"),
        (METRIC, {"image": "/none"}, "no such topic"),
        (METRIC, {"gate": GATE}, "--gate found without --points, expected both"),
        (CONTRACT, {"points": True, "gate": GATE}, "which has no metres"),
    ],
)
def test_what_the_model_cannot_give_is_refused(
    tmp_path: Path, contract: Contract, request_: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        plan(tmp_path, contract=contract, request=request_)


@pytest.mark.parametrize("option", ["points", "rectify"])
def test_what_needs_a_camera_is_refused_without(tmp_path: Path, option: str) -> None:
    with pytest.raises(InputError, match=f"--{option} found, and no CameraInfo of a calibrated camera"):
        plan(tmp_path, messages(2, camera=False), request={option: True})


def test_a_model_that_needs_a_focal_length_is_metric_only_with_a_camera(tmp_path: Path) -> None:
    assert plan(tmp_path / "a", contract=WITH_FOCAL).kind == "metric"
    found = plan(tmp_path / "b", messages(2, camera=False), contract=WITH_FOCAL)
    assert found.kind == "scale" and found.depth.name == "/front/scale_invariant_depth"


def test_a_camera_that_is_not_calibrated_is_not_used_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wrong = resized_info(camera_message(), k=np.zeros(9), p=np.zeros(12))
    sent = [replace(one, message=wrong) if one.topic == INFO else one for one in messages(2)]
    with caplog.at_level(logging.WARNING, "depthrt"):
        found = plan(tmp_path, sent)
    assert found.camera is None and found.info is None
    assert "/front/camera_info is not used" in caplog.text and "is not calibrated" in caplog.text


def test_a_distorted_image_is_said_unless_it_is_straightened_or_its_name_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "depthrt"):
        assert plan(tmp_path / "b", messages(2, distorted=True), request={"rectify": True}).rectified
        sent = messages(2, distorted=True, images="/front/image_rect")
        assert plan(tmp_path / "c", sent, request={"camera_info": INFO}).rectified
        assert caplog.text == ""
        assert not plan(tmp_path / "a", messages(2, distorted=True)).rectified
    assert "is distorted by its lens" in caplog.text and "--rectify" in caplog.text


def test_a_topic_under_the_name_of_the_depth_is_not_copied(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = replace(messages(1)[1], topic="/front/depth/image_rect")
    with caplog.at_level(logging.WARNING, "depthrt"):
        found = plan(tmp_path, [*messages(2), old], request={"copy": True})
    assert "/front/depth/image_rect is not copied" in caplog.text
    assert [topic.name for topic in found.written].count("/front/depth/image_rect") == 1
