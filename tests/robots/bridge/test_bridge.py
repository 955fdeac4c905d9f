"""A bridge between foreign sessions on loopback: what it publishes, how old it is, and what it survives."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import zenoh
import zenoh_peers
from made_bags import HEIGHT, IMAGE, INFO, WIDTH, camera_message, header, picture
from tiny_model import TinyModel
from zenoh_peers import (
    IMAGE_TYPE,
    INFO_TYPE,
    Heard,
    digest,
    free_endpoint,
    number_of,
    peer,
    send,
    send_image,
    send_until,
    wait_for,
    wait_for_reader,
)

import depthrt
from depthrt import InputError
from depthrt.robots.bridge.bridge import Bridge
from depthrt.robots.bridge.listener import BridgeListener, Status
from depthrt.robots.bridge.request import BridgeRequest
from depthrt.robots.bridge.tally import Counts
from depthrt.robots.messages.camera import info_of_image
from depthrt.robots.messages.types import CameraInfo

DEPTH = f"0/front/depth/image_rect/{IMAGE_TYPE}/{digest('sensor_msgs/msg/Image')}"
DEPTH_INFO = f"0/front/depth/camera_info/{INFO_TYPE}/{digest('sensor_msgs/msg/CameraInfo')}"
INVERSE = f"0/front/inverse_depth/{IMAGE_TYPE}/{digest('sensor_msgs/msg/Image')}"

Pair = tuple[zenoh.Session, Bridge]
SPARE_S = 2.0  # of a busy machine, on the age of a depth


class Kept(BridgeListener):
    """Keeps what a bridge reports."""

    def __init__(self) -> None:
        self.statuses: list[Status] = []
        self.errors: list[str] = []
        self.total: Counts | None = None

    def status(self, status: Status) -> None:
        self.statuses.append(status)

    def failed(self, error: Exception) -> None:
        self.errors.append(str(error))

    def ended(self, total: Counts) -> None:
        self.total = total


@contextmanager
def running(listener: BridgeListener | None = None, **options: Any) -> Iterator[Bridge]:  # noqa: ANN401
    """Run a bridge in a thread."""
    request = BridgeRequest(IMAGE, threads=1, device="cpu", **options)
    with Bridge(request, listener) as bridge:
        thread = Thread(target=bridge.run)
        thread.start()
        try:
            yield bridge
        finally:
            bridge.stop()
            thread.join(60)
            assert not thread.is_alive()


@contextmanager
def connected(model: Path, listener: BridgeListener | None = None, **options: Any) -> Iterator[Pair]:  # noqa: ANN401
    """Run a bridge of a model; give a session that it hears, and the bridge."""
    place = free_endpoint()
    with running(listener, model=model, listen=(place,), **options) as bridge, peer(connect=place) as other:
        wait_for_reader(other, f"0{IMAGE}/*/*")
        wait_for_reader(other, f"0{INFO}/*/*")
        yield other, bridge


def show(pair: Pair, camera: CameraInfo) -> None:
    """Send a CameraInfo, and wait until the bridge has it: each topic has a thread of its own there."""
    other, bridge = pair
    before = bridge._cameras.arrivals.received
    send(other, INFO, camera)
    wait_for(lambda: bridge._cameras.arrivals.received > before)


def test_metric_depth_is_that_of_infer_under_the_images_own_header(tiny_metric: TinyModel) -> None:
    kept = Kept()
    with connected(tiny_metric.onnx, kept) as pair, depthrt.load(tiny_metric.onnx, threads=1) as model:
        other = pair[0]
        depths, infos = Heard(other, DEPTH), Heard(other, DEPTH_INFO)
        camera = camera_message(height=2 * HEIGHT, width=2 * WIDTH)
        show(pair, camera)
        for number in range(3):
            send_image(other, number)
            depths.wait(number + 1)
        infos.wait(3)
        for number in range(3):
            message, info = depths.message(number), infos.message(number)
            assert message.header == info.header == header(number)
            assert (message.encoding, message.height, message.width) == ("32FC1", HEIGHT, WIDTH)
            expected = model.infer(picture(number)).values
            found = message.data.view("<f4").reshape(HEIGHT, WIDTH)
            np.testing.assert_allclose(np.where(np.isinf(found), 20, found), expected, rtol=1e-6)
            np.testing.assert_array_equal(info.k, info_of_image(camera, (HEIGHT, WIDTH), info.header).k)
            assert (info.height, info.width) == (HEIGHT, WIDTH)
    assert kept.total is not None and kept.errors == []
    assert (kept.total.received, kept.total.published, kept.total.dropped) == (3, 3, 0)


def test_inverse_depth_is_published_as_such_without_a_camera(tiny: TinyModel) -> None:
    with connected(tiny.onnx) as pair:
        other = pair[0]
        depths, rest = Heard(other, INVERSE), Heard(other, "0/front/depth/**")
        send_image(other, 0)
        depths.wait()
        assert depths.message().encoding == "32FC1" and len(rest) == 0


def test_points_wait_for_a_camera_and_bad_images_are_said_once(tiny_metric: TinyModel) -> None:
    kept = Kept()
    with connected(tiny_metric.onnx, kept, points=True) as pair:
        other, bridge = pair
        clouds = Heard(other, "0/front/depth/points/**")
        for number in range(2):
            send_image(other, number)
            wait_for(lambda: bridge._tally._answers.failed > number)  # noqa: B023 (called before the next turn)
        assert kept.errors == ["no CameraInfo on /front/camera_info yet, which --points needs; publish it"]
        show(pair, camera_message())
        other.put(f"0{IMAGE}/{IMAGE_TYPE}/{digest('sensor_msgs/msg/Image')}", b"\0\1\0\0")
        wait_for(lambda: len(kept.errors) == 2)
        send_image(other, 2)
        clouds.wait()
        cloud = clouds.message()
        assert (cloud.height, cloud.width, cloud.header) == (HEIGHT, WIDTH, header(2))
    assert kept.total is not None and kept.total.failed == 3


def test_a_slow_model_answers_the_newest_image_and_its_ages_stay(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, took_s = Kept(), [0.0]
    infer = depthrt.DepthModel.infer

    def slow(*arguments: Any, **options: Any) -> depthrt.Depth:  # noqa: ANN401
        begun_s = time.monotonic()
        time.sleep(0.1)
        depth = infer(*arguments, **options)
        took_s.append(time.monotonic() - begun_s)
        return depth

    monkeypatch.setattr(depthrt.DepthModel, "infer", slow)
    with connected(tiny.onnx, kept) as pair:
        other = pair[0]
        depths = Heard(other, INVERSE)
        for number in range(120):
            send_image(other, number)
            time.sleep(0.01)
        wait_for(lambda: number_of(depths.message()) == 119)
        numbers = [number_of(depths.message(at)) for at in range(len(depths))]
    assert numbers == sorted(set(numbers)) and len(numbers) < 40
    assert kept.total is not None and kept.total.dropped == kept.total.received - len(numbers)
    assert kept.total.age_ms is not None
    assert kept.total.age_ms[1] < 1e3 * (2 * max(took_s) + SPARE_S), "a queue of 120 would end at 12 s"


def test_a_reader_that_hangs_slows_nobody(tiny: TinyModel) -> None:
    place = free_endpoint()
    code = (
        "import sys, time, zenoh_peers\n"
        "with zenoh_peers.peer(connect=sys.argv[1]) as session:\n"
        "    subscriber = session.declare_subscriber('0/front/**', lambda _: time.sleep(1e6))\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(1e6)\n"
    )
    kept = Kept()
    with (
        running(kept, model=tiny.onnx, listen=(place,)),
        peer(connect=place) as other,
        _program("-c", code, place) as dead,
    ):
        assert dead.stdout is not None and dead.stdout.readline() == "ready\n"
        wait_for_reader(other, f"0{IMAGE}/*/*")
        depths = Heard(other, INVERSE)
        for number in range(30):
            send_until(other, number, lambda: len(depths) > number)  # noqa: B023
    assert kept.total is not None and kept.total.published >= 30


def test_a_talker_that_is_killed_and_begins_again_is_heard_again(tiny: TinyModel) -> None:
    place, kept = free_endpoint(), Kept()
    with running(kept, model=tiny.onnx, listen=(place,)):
        for _ in range(2):
            before = _published(kept)
            with _program(zenoh_peers.__file__, place):
                wait_for(lambda: _published(kept) > before)  # noqa: B023 (called before the next turn)
        wait_for(lambda: kept.statuses[-1].waits_for is not None)
    assert kept.statuses[-1].waits_for == f"no router or peer of Zenoh at {place}"


def test_a_bridge_that_begins_again_answers_a_talker_that_went_on(tiny: TinyModel) -> None:
    place = free_endpoint()
    with peer(listen=place) as other:
        depths = Heard(other, INVERSE)
        for _ in range(2):
            before = len(depths)
            with running(model=tiny.onnx, connect=(place,)):
                send_until(other, 0, lambda: len(depths) > before)  # noqa: B023


def test_a_status_says_what_a_bridge_waits_for(tiny: TinyModel) -> None:
    kept = Kept()
    place = free_endpoint()
    with running(kept, model=tiny.onnx, listen=(place,)), peer(connect=place) as other:
        key = f"@ros2_lv/0/{other.zid()}/0/1/MP/%/%/camera/%left%image/{IMAGE_TYPE}/RIHS01_00/::,10:,:,:,,"
        token = other.liveliness().declare_token(key)
        wait_for(lambda: kept.statuses and kept.statuses[-1].waits_for and kept.statuses[-1].peers)
        assert kept.statuses[-1].waits_for == f"nobody publishes {IMAGE}; topics with images: /left/image"
        token.undeclare()  # type: ignore[no-untyped-call]
    times = [status.time_s for status in kept.statuses]
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"encoding": "16UC1"}, "16UC1"),
        ({"points": True}, "no metres"),
        ({"output": "/front/depth"}, "not in metres"),
        ({"listen": ("nonsense",)}, "Zenoh cannot"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_open(
    tiny: TinyModel, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        Bridge(BridgeRequest(IMAGE, model=tiny.onnx, threads=1, **options))


def test_a_bridge_that_never_ran_closes(tiny: TinyModel) -> None:
    bridge = Bridge(BridgeRequest(IMAGE, model=tiny.onnx, threads=1, listen=(free_endpoint(),)))
    bridge.close()
    bridge.run()  # which ends at once


def _published(kept: Kept) -> int:
    return sum(status.last.published for status in kept.statuses)


@contextmanager
def _program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program of Python in the block, and kill it at its end."""
    environment = {**os.environ, "PYTHONPATH": str(Path(zenoh_peers.__file__).parent)}
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_gate_that_finds_no_floor_publishes_depth_and_no_points(tiny_metric: TinyModel) -> None:
    kept, gate = Kept(), depthrt.ObstacleGate(0.05, 1.5, camera_height_m=0.4)
    with connected(tiny_metric.onnx, kept, points=True, gate=gate) as pair:
        other = pair[0]
        depths, clouds = Heard(other, DEPTH), Heard(other, "0/front/depth/points/**")
        show(pair, camera_message())
        send_image(other, 0)
        depths.wait()
    assert kept.total is not None and (kept.total.published, kept.total.no_floor, len(clouds)) == (1, 1, 0)


def test_a_listener_that_breaks_ends_the_bridge(tiny: TinyModel) -> None:
    class Broken(BridgeListener):
        def status(self, status: Status) -> None:
            raise BrokenPipeError

    request = BridgeRequest(IMAGE, model=tiny.onnx, threads=1, listen=(free_endpoint(),))
    with Bridge(request, Broken()) as bridge, pytest.raises(BrokenPipeError):
        bridge.run()


def test_a_camera_that_is_calibrated_later_counts_from_then_on(
    tiny_metric: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(tiny_metric.onnx) as pair:
        other = pair[0]
        depths, infos = Heard(other, DEPTH), Heard(other, DEPTH_INFO)
        for number, distorted in enumerate((False, True)):
            show(pair, camera_message(distorted=distorted))
            send_image(other, number)
            depths.wait(number + 1)
        infos.wait(2)
    assert [record.message for record in caplog.records if "--rectify straightens it" in record.message] != []
