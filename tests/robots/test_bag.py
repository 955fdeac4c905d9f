"""A bag in, a bag with depth out: stamps and frames to the bit, depth as infer gives it, whole at any moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_bags import (
    EMPTY,
    EXTRA,
    IMAGE,
    INFO,
    WAYS,
    Compression,
    Sent,
    Storage,
    camera_message,
    compressed_message,
    cut,
    header,
    image_message,
    many,
    messages,
    picture,
    write_bag,
    write_ros1_bag,
)
from made_floor import HEIGHT_M, SIZE_PX, see
from made_floor_bag import write_floor_bag, write_floor_model
from mcap.reader import make_reader
from numpy.typing import NDArray
from read_depth_bags import read_depth_bag, same_floats
from rosbags.typesys import Stores
from tiny_model import TinyModel

import depthrt
from depthrt import DepthrtError, InputError, Intrinsics, ObstacleGate
from depthrt.engine.modelfile.contract import Contract
from depthrt.robots.bag import BagOutcome, depth_bag
from depthrt.robots.listener import BagListener
from depthrt.robots.messages.depth_image import values_of
from depthrt.robots.request import BagRequest
from depthrt.robots.writing.metadata_file import read_metadata
from depthrt.robots.writing.record import BagRecord

DEPTH, DEPTH_INFO, INVERSE = "/front/depth/image_rect", "/front/depth/camera_info", "/front/inverse_depth"
Expected = Callable[[int], NDArray[np.float32]]


class Heard(BagListener):
    """Keeps what it hears."""

    records: list[BagRecord]

    def __init__(self) -> None:
        self.records = []

    def ended(self, record: BagRecord) -> None:
        self.records.append(record)


def run(source: Path, output: Path, model: Path, **options: Any) -> list[BagOutcome]:  # noqa: ANN401 (messages of any type)
    return list(depth_bag(BagRequest(source, output=output, model=model, **options)))


@pytest.fixture(scope="module")
def expected(tiny_metric: TinyModel) -> Expected:
    """The values that infer gives for the picture of a number, with ROS' invalid pixels."""
    found = {}
    with depthrt.load(tiny_metric.onnx) as model:
        for number in range(8):
            found[number] = values_of(model.infer(picture(number)))
    return found.__getitem__


@pytest.mark.parametrize(("storage", "compression"), WAYS)
def test_depth_of_every_kind_of_bag_equals_infer_under_the_images_own_header(
    tmp_path: Path,
    tiny_metric: TinyModel,
    expected: Expected,
    storage: Storage,
    compression: Compression,
) -> None:
    store = Stores.ROS2_HUMBLE if compression == "none" else Stores.ROS2_JAZZY
    source = write_bag(tmp_path / "in", storage=storage, compression=compression, store=store)
    outcomes = run(source, tmp_path / "out", tiny_metric.onnx)
    assert [(outcome.item, outcome.error) for outcome in outcomes] == [(number, None) for number in range(4)]
    found = read_depth_bag(tmp_path / "out")
    assert set(found) == {DEPTH, DEPTH_INFO}
    sent = [one for one in messages() if one.topic == IMAGE]
    assert found[DEPTH].times_ns == found[DEPTH_INFO].times_ns == [one.time_ns for one in sent]
    headers = [(one.message.header.stamp.sec, one.message.header.stamp.nanosec, "front_optical") for one in sent]
    assert found[DEPTH].headers == found[DEPTH_INFO].headers == headers
    assert all(same_floats(pixels, expected(number)) for number, pixels in enumerate(found[DEPTH].pixels))
    assert np.array_equal(found[DEPTH_INFO].messages[0].k, camera_message().k)


def test_a_bag_of_ros_1_becomes_a_bag_of_ros_2(
    tmp_path: Path,
    tiny_metric: TinyModel,
    expected: Expected,
) -> None:
    run(write_ros1_bag(tmp_path / "in.bag"), tmp_path / "out", tiny_metric.onnx, copy=True)
    found = read_depth_bag(tmp_path / "out")
    assert all(same_floats(pixels, expected(number)) for number, pixels in enumerate(found[DEPTH].pixels))
    assert np.array_equal(found[INFO].messages[2].k, camera_message().k) and found[EXTRA].messages[1].data == "before 1"
    assert found[IMAGE].headers == found[DEPTH].headers


def test_a_copied_bag_has_every_message_and_the_empty_topic(tmp_path: Path, tiny_metric: TinyModel) -> None:
    source = write_bag(tmp_path / "in")
    run(source, tmp_path / "out", tiny_metric.onnx, copy=True)
    before, after = read_depth_bag(source), read_depth_bag(tmp_path / "out")
    assert set(after) == {IMAGE, INFO, EXTRA, EMPTY, DEPTH, DEPTH_INFO}
    for topic, read in before.items():
        assert after[topic].times_ns == read.times_ns
        assert all(map(same_message, after[topic].messages, read.messages))


def same_message(found: Any, expected: Any) -> bool:  # noqa: ANN401 (messages of any type)
    return repr(found) == repr(expected)


def test_inverse_depth_has_no_camera_and_is_never_millimetres(tmp_path: Path, tiny: TinyModel) -> None:
    source = write_bag(tmp_path / "in")
    run(source, tmp_path / "out", tiny.onnx)
    found = read_depth_bag(tmp_path / "out")
    assert set(found) == {INVERSE} and {message.encoding for message in found[INVERSE].messages} == {"32FC1"}
    with pytest.raises(InputError, match="no unit"):
        run(source, tmp_path / "other", tiny.onnx, encoding="16UC1")
    assert not (tmp_path / "other").exists()


def test_millimetres_on_demand(tmp_path: Path, tiny_metric: TinyModel, expected: Expected) -> None:
    run(write_bag(tmp_path / "in"), tmp_path / "out", tiny_metric.onnx, encoding="16UC1")
    for number, pixels in enumerate(read_depth_bag(tmp_path / "out")[DEPTH].pixels):
        known = np.isfinite(expected(number))
        assert np.array_equal(pixels[known], np.rint(expected(number)[known] * 1000).astype(np.uint16))


def test_a_camera_of_another_size_is_scaled_to_the_image(tmp_path: Path, tiny_metric: TinyModel) -> None:
    sent = [
        replace(one, message=camera_message(0, height=96, width=128)) if one.topic == INFO else one
        for one in messages(1)
    ]
    run(write_bag(tmp_path / "in", sent), tmp_path / "out", tiny_metric.onnx)
    (info,) = read_depth_bag(tmp_path / "out")[DEPTH_INFO].messages
    (depth,) = read_depth_bag(tmp_path / "out")[DEPTH].messages
    assert (info.height, info.width) == (depth.height, depth.width) == (48, 64)
    whole = camera_message(0, height=96, width=128).k
    assert np.allclose(info.k[[0, 4]], whole[[0, 4]] / 2) and np.allclose(info.k[2], (whole[2] + 0.5) / 2 - 0.5)


def test_the_focal_length_of_the_camera_makes_metres(tmp_path: Path, tiny_sky: TinyModel) -> None:
    sent = messages(1)
    run(write_bag(tmp_path / "in", sent), tmp_path / "out", tiny_sky.onnx)
    with depthrt.load(tiny_sky.onnx) as model:
        depth = model.infer(picture(0), camera=Intrinsics.from_camera_info(camera_message()))
    found = read_depth_bag(tmp_path / "out")[DEPTH].pixels[0]
    assert same_floats(found, values_of(depth))
    assert np.array_equal(np.isposinf(found), ~depth.valid & np.isfinite(depth.values))


def test_compressed_images_get_depth_in_the_same_namespace(tmp_path: Path, tiny_metric: TinyModel) -> None:
    import cv2

    data = cv2.imencode(".png", picture(0))[1].tobytes()
    sent = [Sent(f"{IMAGE}/compressed", 5, compressed_message(data, "bgr8; png compressed bgr8", number=0))]
    run(write_bag(tmp_path / "in", sent), tmp_path / "out", tiny_metric.onnx)
    assert set(read_depth_bag(tmp_path / "out")) == {DEPTH}


def test_rectified_depth_is_that_of_the_straightened_image(tmp_path: Path, tiny_metric: TinyModel) -> None:
    run(write_bag(tmp_path / "in", messages(1, distorted=True)), tmp_path / "out", tiny_metric.onnx, rectify=True)
    straight = depthrt.Rectification(camera_message(distorted=True))
    with depthrt.load(tiny_metric.onnx) as model:
        values = values_of(model.infer(straight.apply(picture(0))))
    found = read_depth_bag(tmp_path / "out")
    assert same_floats(found[DEPTH].pixels[0], np.where(straight.inside, values, np.float32(np.nan)))
    assert not straight.inside.all() and not found[DEPTH_INFO].messages[0].d.any()


def test_points_are_those_of_the_depth_and_its_camera(tmp_path: Path, tiny_sky: TinyModel) -> None:
    run(write_bag(tmp_path / "in", messages(1)), tmp_path / "out", tiny_sky.onnx, points=True)
    with depthrt.load(tiny_sky.onnx) as model:
        depth = model.infer(picture(0), camera=Intrinsics.from_camera_info(camera_message()))
    (message,) = read_depth_bag(tmp_path / "out")["/front/depth/points"].messages
    found = message.data.view("<f4").reshape(48, 64, 4)[..., :3]
    assert same_floats(found, depth.cloud().points) and message.is_dense == bool(depth.valid.all())
    assert message.header.stamp == camera_message().header.stamp


def test_a_camera_of_another_aspect_is_left_out_and_said_unless_it_is_needed(
    tmp_path: Path, tiny_metric: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    sent = [replace(one, message=camera_message(0, height=64)) if one.topic == INFO else one for one in messages(2)]
    source = write_bag(tmp_path / "in", sent)
    assert all(outcome.error is None for outcome in run(source, tmp_path / "out", tiny_metric.onnx))
    found = read_depth_bag(tmp_path / "out")
    assert len(found[DEPTH].messages) == 2 and found[DEPTH_INFO].messages == []
    assert caplog.text.count("written without a CameraInfo") == 1 and "aspect differs" in caplog.text
    outcomes = run(source, tmp_path / "points", tiny_metric.onnx, points=True)
    assert all("aspect differs" in str(outcome.error) for outcome in outcomes)


def test_a_bad_image_is_an_error_and_the_others_go_on(tmp_path: Path, tiny_metric: TinyModel) -> None:
    sent = messages(3)
    bad = image_message(np.zeros((48, 64), np.float32), "32FC1", number=1)
    sent = [
        replace(one, message=bad) if one.topic == IMAGE and one.message.header == header(1) else one for one in sent
    ]
    outcomes = run(write_bag(tmp_path / "in", sent), tmp_path / "out", tiny_metric.onnx, copy=True)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert "'32FC1' found" in str(outcomes[1].error)
    found = read_depth_bag(tmp_path / "out")
    assert len(found[DEPTH].messages) == 2 and len(found[IMAGE].messages) == 3, "what is copied is complete"


def test_a_bag_that_is_cut_is_done_up_to_the_cut_and_said(tmp_path: Path, tiny_metric: TinyModel) -> None:
    source = cut(write_bag(tmp_path / "in", many()) / "in.mcap", 0.7)
    *outcomes, last = run(source, tmp_path / "out", tiny_metric.onnx)
    assert all(outcome.error is None for outcome in outcomes) and len(outcomes) > 20
    assert isinstance(last.error, InputError) and "is cut off or damaged" in str(last.error)
    record, _ = read_metadata(tmp_path / "out")
    assert record.finished and record.images == len(outcomes) and "cut off" in record.flaw


def test_the_contract_what_ran_and_the_drift_stand_in_the_file(tmp_path: Path, tiny_metric: TinyModel) -> None:
    run(write_bag(tmp_path / "in"), tmp_path / "out", tiny_metric.onnx)
    with (tmp_path / "out" / "out_0.mcap").open("rb") as file:
        (about,) = make_reader(file).iter_metadata()
    contract = Contract.from_json(about.metadata["contract"])
    assert contract.kind == "metric" and '"provider": "CPUExecutionProvider"' in about.metadata["provenance"]
    record = BagRecord.from_json(about.metadata["record"])
    assert record.images == 4 and record.finished and record.made.unit == "m" and 0 <= record.drift < 1e-4


@pytest.mark.parametrize("copy", [False, True])
def test_a_run_that_is_stopped_leaves_a_whole_bag_and_another_finishes_it(
    tmp_path: Path, tiny_metric: TinyModel, copy: bool
) -> None:
    source = write_bag(tmp_path / "in", messages(8))
    request = BagRequest(source, output=tmp_path / "out", model=tiny_metric.onnx, copy=copy)
    with closing(depth_bag(request)) as outcomes:
        next(outcomes), next(outcomes)
    record, _ = read_metadata(tmp_path / "out")
    assert not record.finished and 2 <= record.images < 8
    assert len(read_depth_bag(tmp_path / "out")[DEPTH].messages) == record.images
    with pytest.raises(InputError, match="out exists; give another folder with -o, go on with --resume"):
        list(depth_bag(request))
    rest = list(depth_bag(replace(request, resume=True)))
    assert [outcome.item for outcome in rest] == list(range(record.images, 8))
    run(source, tmp_path / "at_once", tiny_metric.onnx, copy=copy)
    at_once, found = read_depth_bag(tmp_path / "at_once"), read_depth_bag(tmp_path / "out")
    assert found.keys() == at_once.keys()
    for topic, read in at_once.items():
        assert found[topic].times_ns == read.times_ns
    assert all(map(same_floats, found[DEPTH].pixels, at_once[DEPTH].pixels))
    heard = Heard()
    assert list(depth_bag(replace(request, resume=True), heard)) == [] and heard.records[0].finished


def test_ctrl_c_leaves_a_whole_bag(tmp_path: Path, tiny_metric: TinyModel) -> None:
    heard = Heard()
    outcomes = depth_bag(BagRequest(write_bag(tmp_path / "in"), output=tmp_path / "out", model=tiny_metric.onnx), heard)
    next(outcomes)
    with pytest.raises(KeyboardInterrupt):
        outcomes.throw(KeyboardInterrupt())
    (record,) = heard.records
    assert not record.finished and len(read_depth_bag(tmp_path / "out")[DEPTH].messages) == record.images >= 1


def test_a_run_that_writes_nothing_leaves_no_folder(tmp_path: Path, tiny_metric: TinyModel) -> None:
    class Stops(BagListener):
        def started(self, *_: object) -> None:
            raise KeyboardInterrupt

    request = BagRequest(write_bag(tmp_path / "in"), output=tmp_path / "out", model=tiny_metric.onnx)
    with pytest.raises(KeyboardInterrupt):
        list(depth_bag(request, Stops()))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("change", [{"encoding": "16UC1"}, {"copy": True}, {"source": "other"}, {"model": "other"}])
def test_a_run_with_other_options_does_not_go_on(
    tmp_path: Path, tiny_metric: TinyModel, tiny: TinyModel, change: dict[str, Any]
) -> None:
    source = write_bag(tmp_path / "in")
    run(source, tmp_path / "out", tiny_metric.onnx)
    if "source" in change:
        change = {"source": write_bag(tmp_path / "in2", messages(2))}
    if "model" in change:
        change = {"model": tiny.onnx}
    request = BagRequest(source, output=tmp_path / "out", model=tiny_metric.onnx, resume=True)
    with pytest.raises(DepthrtError, match=r"out was made with .* give the same options, or another folder"):
        list(depth_bag(replace(request, **change)))


def test_a_gate_keeps_obstacles_and_the_floor_stands_in_the_file(tmp_path: Path) -> None:
    gate = ObstacleGate(0.05, 0.3, camera_height_m=HEIGHT_M)
    source, model = write_floor_bag(tmp_path / "in"), write_floor_model(tmp_path / "floor.onnx")
    run(source, tmp_path / "out", model, points=True, gate=gate)
    heights = see().height_m
    for message in read_depth_bag(tmp_path / "out")["/front/depth/points"].messages:
        kept = np.isfinite(message.data.view("<f4").reshape(*SIZE_PX, 4)[..., 2])
        assert kept.any() and (heights[kept] > 0.049).all() and (heights[kept] < 0.301).all()
    with (tmp_path / "out" / "out_0.mcap").open("rb") as file:
        (about,) = make_reader(file).iter_metadata()
    assert "the floor is 0.40 m under the camera" in about.metadata["gate"]
    record = BagRecord.from_json(about.metadata["record"])
    assert record.made.gate == gate and record.no_floor == 0


def test_an_image_without_a_floor_has_depth_and_no_points_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = ObstacleGate(0.05, 1.5, camera_height_m=HEIGHT_M)
    slanted = np.broadcast_to(np.linspace(2, 2.2, SIZE_PX[1], dtype=np.float32), SIZE_PX)
    wall = write_floor_model(tmp_path / "wall.onnx", slanted)
    run(write_floor_bag(tmp_path / "in", 4), tmp_path / "out", wall, points=True, gate=gate)
    found = read_depth_bag(tmp_path / "out")
    assert len(found[DEPTH].messages) == 4 and found["/front/depth/points"].messages == []
    assert caplog.text.count("images without a floor get no points: no floor found") == 1
    record, _ = read_metadata(tmp_path / "out")
    assert (record.images, record.failed, record.no_floor) == (4, 0, 4)
