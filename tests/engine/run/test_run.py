"""`run` gives a Python user what the verb gives: outcomes, events, files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.engine.images.walk import LeftOut
from depthrt.engine.run.jobs import Style
from depthrt.engine.run.listener import Listener, Part
from depthrt.engine.run.run import RunRequest, run
from depthrt.engine.run.sheet import CELL_H_PX, LABEL_H_PX

FRAMES = 3
IMAGES = 4


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder of a clip, a file that is not a video, four photographs and a file that is not an image."""
    folder = tmp_path / "in"
    folder.mkdir()
    photo = cv2.resize(depthrt.read_image(PHOTOS / "coffee.jpg"), (96, 64))
    for number in range(IMAGES):
        cv2.imwrite(str(folder / f"p{number}.png"), np.roll(photo, 10 * number, axis=1))
    (folder / "bad.png").write_bytes(b"text")
    (folder / "bad.mp4").write_bytes(b"text")
    writer = cv2.VideoWriter(str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (96, 64))
    for _ in range(FRAMES):
        writer.write(photo)
    writer.release()
    return folder


class Heard(Listener):
    """Notes every event."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def left_out(self, left_out: LeftOut) -> None:
        self.events.append(("left out", left_out.outputs, left_out.folder))

    def started(self, model: depthrt.DepthModel, *, skipped: int, stale: int) -> None:
        self.events.append(("started", model.contract.kind, skipped, stale))

    def began(self, part: Part) -> None:
        self.events.append(part)

    def sheet_written(self, path: Path, *, left_out: int) -> None:
        self.events.append(("sheet", path, left_out))


def test_a_run_yields_images_then_frames_then_the_whole_video(tmp_path: Path, inputs: Path, tiny: TinyModel) -> None:
    out, heard = tmp_path / "out", Heard()
    outcomes = list(run(RunRequest([inputs], model=tiny.onnx, output=out, sheet=tmp_path / "sheet.png"), heard))
    names = [(Path(outcome.item.job.source.name).name, outcome.item.frame) for outcome in outcomes]
    frames = [("clip.avi", index) for index in range(FRAMES)]
    assert names == [
        ("bad.png", None),
        *[(f"p{number}.png", None) for number in range(IMAGES)],
        ("bad.mp4", None),
        *frames,
        ("clip.avi", None),
    ]
    assert [outcome.item.name for outcome in outcomes if outcome.error] == [
        str(inputs / "bad.png"),
        str(inputs / "bad.mp4"),
    ]
    assert [outcome.item.is_whole_video for outcome in outcomes] == [False] * 5 + [True] + [False] * 3 + [True]
    written = [path for outcome in outcomes if outcome.result for path in outcome.result.files]
    assert written == [*(out / f"p{number}.png" for number in range(IMAGES)), out / "clip.mp4"]
    assert all(path.is_file() for path in written)
    assert heard.events == [
        ("started", "inverse", 0, 0),
        Part("images", IMAGES + 1, resumable=True),
        Part(str(inputs / "clip.avi"), FRAMES, resumable=False),
        ("sheet", tmp_path / "sheet.png", 0),
    ]


def test_a_single_input_need_not_be_a_list(tmp_path: Path, inputs: Path, tiny: TinyModel) -> None:
    target = tmp_path / "depth.npy"
    for photo in (inputs / "p0.png", str(inputs / "p0.png")):
        (outcome,) = run(RunRequest(photo, model=tiny.onnx, output=str(target)))
        assert outcome.result is not None and outcome.result.files == (target,)
        assert outcome.result.depth is not None
        assert np.array_equal(np.load(target), outcome.result.depth.values)


def test_the_style_paints_files_and_sheet(tmp_path: Path, inputs: Path, tiny: TinyModel) -> None:
    style = Style("gray", (-1e6, 1e6))  # everything is in the middle of the range
    request = RunRequest(
        inputs / "p0.png", model=tiny.onnx, output=tmp_path / "out", style=style, sheet=tmp_path / "s.png"
    )
    list(run(request))
    assert np.ptp(depthrt.read_image(tmp_path / "out" / "p0.png")) == 0
    sheet = depthrt.read_image(tmp_path / "s.png")
    assert np.ptp(sheet[CELL_H_PX:-LABEL_H_PX]) == 0 < np.ptp(sheet[:CELL_H_PX])


def test_resume_skips_what_is_done_and_counts_it(tmp_path: Path, inputs: Path, tiny: TinyModel) -> None:
    photos = [inputs / "p0.png", inputs / "p1.png"]
    list(run(RunRequest(photos[:1], model=tiny.onnx, output=tmp_path / "out")))
    heard = Heard()
    (outcome,) = run(RunRequest(photos, model=tiny.onnx, output=tmp_path / "out", resume=True), heard)
    assert outcome.item.name == str(inputs / "p1.png")
    assert heard.events[0] == ("started", "inverse", 1, 0)


def test_outputs_of_an_earlier_run_are_left_out(tmp_path: Path, inputs: Path, tiny: TinyModel) -> None:
    request = RunRequest(inputs, model=tiny.onnx, output=inputs / "depth")
    first = len(list(run(request)))
    heard = Heard()
    assert len(list(run(request, heard))) == first
    assert heard.events[0] == ("left out", IMAGES + 1, inputs / "depth")


def test_a_run_that_is_closed_keeps_what_it_wrote(tmp_path: Path, inputs: Path, tiny: TinyModel) -> None:
    out, heard = tmp_path / "out", Heard()
    request = RunRequest(sorted(inputs.glob("p*.png")), model=tiny.onnx, output=out, sheet=tmp_path / "s.png")
    with closing(run(request, heard)) as outcomes:
        assert next(outcomes).error is None
    assert (out / "p0.png").is_file()
    assert heard.events[-1] == ("sheet", tmp_path / "s.png", 0) and (tmp_path / "s.png").is_file()


def test_a_video_that_is_closed_leaves_nothing(tmp_path: Path, inputs: Path, tiny: TinyModel) -> None:
    out = tmp_path / "out"
    with closing(run(RunRequest(inputs / "clip.avi", model=tiny.onnx, output=out))) as outcomes:
        assert next(outcomes).item.frame == 0
    assert list(out.iterdir()) == []


def test_nothing_happens_before_the_first_outcome_is_asked_for(tmp_path: Path) -> None:
    run(RunRequest("nothing.jpg", output=tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_run_is_refused_before_the_model_is_loaded(tmp_path: Path, inputs: Path) -> None:
    missing = tmp_path / "no.onnx"
    for request, message in (
        (RunRequest("nothing.jpg", model=missing), "nothing.jpg does not exist"),
        (RunRequest(inputs, model=missing, sheet=tmp_path / "s.jpg", resume=True), "--sheet and --resume found"),
        (RunRequest(inputs, model=missing, output=inputs / "p0.png"), "names a file, but there are "),
    ):
        with pytest.raises(depthrt.InputError, match=message):
            next(run(request))
