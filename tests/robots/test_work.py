"""The stages of the work: a failure in any of them is that of its image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_bag_record import RECORD
from made_bags import EXTRA, IMAGE, camera_message, header, image_message, picture, write_bag
from tiny_model import TinyModel

import depthrt
from depthrt import BackendUnavailable, InputError
from depthrt.robots.plan import make_plan
from depthrt.robots.reading.bag import Record
from depthrt.robots.reading.open_bag import open_bag
from depthrt.robots.request import BagRequest
from depthrt.robots.steps import Step
from depthrt.robots.work import End, Work

IMAGE_STEP = Step(
    (Record(EXTRA, 1, b"copied"),),
    Record(IMAGE, 2, b""),
    image_message(picture(0), "bgr8", number=0),
    camera_message(0, height=96, width=128),
)

MakeWork = Callable[[Step], tuple[Work, list[Record]]]


class Kept:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def write(self, records: list[Record], record: object, facts: object) -> None:
        self.records += records


@pytest.fixture
def make_work(tmp_path: Path, tiny_metric: TinyModel) -> Iterator[MakeWork]:
    def make(step: Step) -> tuple[Work, list[Record]]:
        kept = Kept()
        request = BagRequest("in", output="out")
        with open_bag(write_bag(tmp_path / "in")) as bag:
            plan = make_plan(bag, request, model.contract)
        return Work(model, plan, request, kept, iter([step]), RECORD), kept.records  # type: ignore[arg-type]

    with depthrt.load(tiny_metric.onnx) as model:
        yield make


def test_a_step_is_written_after_what_is_copied_with_it(make_work: MakeWork) -> None:
    work, written = make_work(IMAGE_STEP)
    depth = work.write(work.run(work.read(0)))
    assert depth is not None and depth.shape == (48, 64)
    assert [record.topic for record in written] == [EXTRA, "/front/depth/image_rect", "/front/depth/camera_info"]
    assert [record.time_ns for record in written] == [1, 2, 2]
    assert (work.record.steps, work.record.images, work.record.failed) == (4, 4, 0)
    assert "provenance" in work.facts
    with pytest.raises(End):
        work.read(1)


def test_a_step_without_an_image_is_written_and_has_no_depth(make_work: MakeWork) -> None:
    work, written = make_work(Step(IMAGE_STEP.copied))
    assert work.write(work.run(work.read(0))) is None
    assert [record.topic for record in written] == [EXTRA] and work.record.steps == 4


@pytest.mark.parametrize("stage", ["read", "run", "finish"])
def test_an_error_of_any_stage_is_that_of_the_image_and_what_is_copied_is_kept(
    make_work: MakeWork, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = BackendUnavailable("memory is short")

    def fail(*_: object, **__: object) -> None:
        raise error

    work, written = make_work(IMAGE_STEP)
    monkeypatch.setattr(work._model, {"read": "prepare", "run": "run", "finish": "finish"}[stage], fail)
    with pytest.raises(BackendUnavailable, match="memory is short"):
        work.write(work.run(work.read(0)))
    assert [record.topic for record in written] == [EXTRA]
    assert (work.record.steps, work.record.images, work.record.failed) == (4, 3, 1)


def test_an_image_that_was_damaged_in_the_bag_keeps_its_error(make_work: MakeWork) -> None:
    work, _ = make_work(Step((), Record(IMAGE, 2, b""), error=InputError("not a picture")))
    with pytest.raises(InputError, match="not a picture"):
        work.write(work.run(work.read(0)))


def test_the_camera_has_the_size_and_the_header_of_its_image(make_work: MakeWork) -> None:
    ready = make_work(IMAGE_STEP)[0].read(0)
    assert ready.view is not None
    info = ready.view.info
    assert (info.height, info.width, info.header) == (48, 64, header(0))
    assert ready.view.intrinsics.size_px == (48, 64) and ready.view.intrinsics.fx_px == info.k[0]
