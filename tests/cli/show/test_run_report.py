"""What `depthrt run` prints of made outcomes: paths or JSON lines, failures, the summary and the exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from made_depth import make_depth
from made_terminal import make_terminal

from depthrt.cli.show.run_report import RunReport
from depthrt.engine.depth.depth import Depth
from depthrt.engine.errors import InputError
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.shipped import DEFAULT_NOTE
from depthrt.engine.run.jobs import Job
from depthrt.engine.run.listener import Part
from depthrt.engine.run.run import Step
from depthrt.engine.run.run_images import Written
from depthrt.engine.run.sources import Source
from depthrt.engine.system.overlap import Outcome

Found = Outcome[Step, Written]
SUMMARY = re.compile(r"(\d+) written in \d+\.\d s \(\d+\.\d\d a second\)(.*)")
IMAGES, VIDEO = Part("images", 3, resumable=True), Part("clip.mp4", 2, resumable=False)


def made_model(*notes: str) -> DepthModel:
    runner = SimpleNamespace(name="onnxruntime", provider="CPUExecutionProvider", precision="fp32")
    return cast(DepthModel, SimpleNamespace(runner=runner, contract=SimpleNamespace(model="made-vits"), notes=notes))


def depth() -> Depth:
    values = np.array([[1.0, 2.0], [4.0, 9.0]], np.float32)
    return make_depth(values, kind="metric", valid=np.array([[True, True], [True, False]]))


def image(name: str, *, outside: int = 0) -> Found:
    step = Step(Job(Source(name, "image", Path(name)), {}))
    return Outcome(step, Written((Path("depth") / f"{name}.png",), depth(), outside), None)


def failure(name: str, reason: str) -> Found:
    return Outcome(Step(Job(Source(name, "image", Path(name)), {})), None, InputError(f"{name} {reason}"))


def frame(index: int, *files: str, name: str = "clip.mp4") -> Found:
    step = Step(Job(Source(name, "video", Path(name)), {}), index)
    return Outcome(step, Written(tuple(map(Path, files)), depth(), time_s=index / 10), None)


def whole(*files: str, name: str = "clip.mp4") -> Found:
    return Outcome(Step(Job(Source(name, "video", Path(name)), {})), Written(tuple(map(Path, files))), None)


def follow(
    outcomes: Sequence[Found],
    *,
    as_json: bool = False,
    part: Part = IMAGES,
    skipped: int = 0,
    notes: Sequence[str] = (),
    interrupted: bool = False,
) -> RunReport:
    """Return the report of a run with these outcomes, which is printed."""
    report = RunReport(as_json=as_json)

    def outcomes_of() -> Generator[Found, None, None]:
        report.started(made_model(*notes), skipped=skipped)
        report.began(part)
        yield from outcomes
        if interrupted:
            raise KeyboardInterrupt

    report.follow(outcomes_of())
    return report


def test_a_path_a_line_is_the_result_and_the_rest_is_talk(capsys: pytest.CaptureFixture[str]) -> None:
    report = follow([image("a.jpg"), image("b [1].jpg")])
    printed, talk = capsys.readouterr()
    assert printed == "depth/a.jpg.png\ndepth/b [1].jpg.png\n"
    first, last = talk.splitlines()
    assert first == "made-vits fp32 on onnxruntime, CPUExecutionProvider"
    found = SUMMARY.fullmatch(last)
    assert found is not None and found.groups() == ("2", ", 0 failed")
    assert report.exit_code == 0


def test_a_failure_is_printed_at_once_and_named_again_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    report = follow([failure("bad[0].jpg", "is empty"), image("a.jpg")])
    printed, talk = capsys.readouterr()
    assert printed == "depth/a.jpg.png\n"
    _, error, summary, name = talk.splitlines()
    assert (error, name) == ("error: bad[0].jpg is empty", "  failed: bad[0].jpg")
    found = SUMMARY.fullmatch(summary)
    assert found is not None and found.groups() == ("1", ", 1 failed")
    assert report.exit_code == 1


def test_json_has_a_line_for_each_image_good_or_bad(capsys: pytest.CaptureFixture[str]) -> None:
    follow([image("a\nb.jpg", outside=3), failure("bad.jpg", "is empty")], as_json=True)
    printed, talk = capsys.readouterr()
    good, bad = map(json.loads, printed.splitlines())
    provenance = good.pop("provenance")
    assert good == {
        "input": "a\nb.jpg",
        "outputs": ["depth/a\nb.jpg.png"],
        "kind": "metric",
        "unit": "m",
        "min": 1.0,
        "max": 4.0,  # the pixel of 9 m is not valid
        "valid": 0.75,
        "outside_png16": 3,
    }
    assert (provenance["runner"], provenance["precision"]) == ("none", "fp32")
    assert bad == {"input": "bad.jpg", "error": "bad.jpg is empty"}
    assert "error: bad.jpg is empty\n" in talk


def test_an_image_without_a_valid_pixel_has_no_range(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = make_depth(np.zeros((2, 2), np.float32), kind="inverse", valid=np.zeros((2, 2), np.bool_))
    step = Step(Job(Source("a.jpg", "image", Path("a.jpg")), {}))
    follow([Outcome(step, Written((), nothing), None)], as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["min"], found["max"], found["valid"]) == (None, None, 0.0)


def test_frames_of_a_depth_video_count_once_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    follow([frame(0), frame(1), whole("depth/clip.mp4")], part=VIDEO)
    printed, talk = capsys.readouterr()
    assert printed == "depth/clip.mp4\n" and "2 written" in talk and "not kept" not in talk


def test_frames_of_a_video_that_is_not_whole_are_not_kept_and_that_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = follow([frame(0), frame(1)], part=VIDEO, interrupted=True)
    printed, talk = capsys.readouterr()
    assert printed == "" and "0 written" in talk
    assert talk.endswith("  not kept: 2 frames of clip.mp4, whose depth video is not whole\n")
    assert "stopped early" in talk and "--resume" not in talk and report.exit_code == 130


def test_the_json_of_a_frame_has_its_time_and_a_video_its_files(capsys: pytest.CaptureFixture[str]) -> None:
    follow([frame(3, "depth/clip/000003.npy"), whole("depth/clip.mp4"), whole(name="b.mp4")], as_json=True, part=VIDEO)
    first, video = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["input"], first["time_s"]) == ("clip.mp4 frame 3", 0.3)
    assert video == {"input": "clip.mp4", "outputs": ["depth/clip.mp4"]}


def test_ctrl_c_among_images_points_to_resume(capsys: pytest.CaptureFixture[str]) -> None:
    report = follow([image("a.jpg")], interrupted=True)
    talk = capsys.readouterr().err
    assert talk.endswith(", 0 failed; stopped early, --resume goes on\n") and "1 written" in talk
    assert report.exit_code == 130


def test_ctrl_c_before_a_model_is_loaded_is_left_to_the_caller(capsys: pytest.CaptureFixture[str]) -> None:
    def outcomes() -> Generator[Found, None, None]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        RunReport(as_json=False).follow(outcomes())
    assert capsys.readouterr() == ("", "")


def test_a_run_that_is_refused_prints_no_summary(capsys: pytest.CaptureFixture[str]) -> None:
    def outcomes() -> Generator[Found, None, None]:
        raise InputError("no image")
        yield

    with pytest.raises(InputError):
        RunReport(as_json=False).follow(outcomes())
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"skipped": 4}, ", 4 were there, 0 failed"),
        ({"notes": [DEFAULT_NOTE]}, DEFAULT_NOTE),
        ({"notes": ["tuned: openvino"]}, "made-vits fp32 on onnxruntime"),
    ],
)
def test_what_was_skipped_and_a_model_for_demonstration_are_printed(
    options: dict[str, int], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    follow([image("a.jpg")], **options)  # type: ignore[arg-type]
    assert printed in capsys.readouterr().err


def test_pixels_that_a_png16_lacks_are_counted_by_image(capsys: pytest.CaptureFixture[str]) -> None:
    follow([image("a.jpg", outside=7), image("b.jpg"), image("c.jpg", outside=1)])
    lines = capsys.readouterr().err.splitlines()
    assert "  png16 lacks pixels of 2: beyond 65.535 m they are 0 there, beyond --range clipped" in lines


def test_a_sheet_and_inputs_that_were_left_out_are_talk(capsys: pytest.CaptureFixture[str]) -> None:
    report = RunReport(as_json=False)
    report.left_out(3, Path("depth"))
    report.sheet_written(Path("s.jpg"), left_out=0)
    report.sheet_written(Path("s.jpg"), left_out=2)
    assert capsys.readouterr() == (
        "",
        "left out: 3 images and videos in depth, the folder of outputs\n"
        "sheet: s.jpg\n"
        "sheet: s.jpg (without the last 2 images)\n",
    )


def test_a_terminal_shows_one_bar_that_fits_and_no_path_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = make_terminal(monkeypatch, "stderr")
    name = f"{'long' * 30}.jpg"
    follow([image(name), failure("bad.jpg", "is empty"), image("c.jpg")])
    assert capsys.readouterr().out == f"depth/{name}.png\ndepth/c.jpg.png\n"
    bars = [line for line in terminal.shown().replace("\r", "\n").splitlines() if line.startswith("images ")]
    assert "3/3" in bars[-1] and "/s" in bars[-1] and all(len(bar) <= 80 for bar in bars)
    assert "error: bad.jpg is empty" in terminal.shown()
