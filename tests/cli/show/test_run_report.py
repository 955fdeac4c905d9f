"""What a run prints: outcomes on standard output, talk and the summary on standard error."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_depth import make_depth
from made_terminal import make_terminal

from depthrt import InputError
from depthrt.cli.show.run_report import RunReport
from depthrt.engine.images.walk import LeftOut
from depthrt.engine.modelfile.shipped import DEFAULT_NOTE
from depthrt.engine.run.jobs import make_jobs
from depthrt.engine.run.listener import Part
from depthrt.engine.run.run import Step
from depthrt.engine.run.run_images import Written
from depthrt.engine.run.sources import Source
from depthrt.engine.system.process.overlap import Outcome

IMAGE, OTHER, VIDEO = make_jobs(
    [Source("a.jpg", "image", Path("a")), Source("b.jpg", "image", Path("b")), Source("c.mp4", "video", Path("c"))],
    Path("out"),
    ("color",),
)
DEPTH = make_depth(np.array([[1.0, 3.0], [2.0, np.inf]], np.float32), kind="metric")
MODEL: Any = SimpleNamespace(
    contract=SimpleNamespace(model="made"),
    runner=SimpleNamespace(precision="fp32", name="onnxruntime", provider="CPUExecutionProvider"),
    notes=(DEFAULT_NOTE,),
)
Outcomes = Generator[Outcome[Step, Written], None, None]


def whole(step: Step, *files: str, outside: int = 0, time_s: float | None = None) -> Outcome[Step, Written]:
    return Outcome(step, Written(tuple(Path(file) for file in files), DEPTH, outside, time_s), None)


def failed(step: Step) -> Outcome[Step, Written]:
    return Outcome(step, None, InputError(f"{step.name} is bad; mend it"))


def frames_of(count: int) -> list[Outcome[Step, Written]]:
    return [whole(Step(VIDEO, index), time_s=index / 10) for index in range(count)]


VIDEO_DONE: Outcome[Step, Written] = Outcome(Step(VIDEO), Written((Path("out/c.mp4"),)), None)


def follow(
    outcomes: Sequence[Outcome[Step, Written]],
    *,
    as_json: bool = False,
    skipped: int = 0,
    stale: int = 0,
    announced: int | None = None,
    ends_with: type[BaseException] | None = None,
) -> RunReport:
    report = RunReport(as_json=as_json)

    def run() -> Outcomes:
        report.started(MODEL, skipped=skipped, stale=stale)
        report.began(Part("images", 2, resumable=True))
        for outcome in outcomes:
            if outcome.item.job is VIDEO and outcome.item.frame == 0:
                report.began(Part("c.mp4", announced, resumable=False))
            yield outcome
        if ends_with is not None:
            raise ends_with

    report.follow(run())
    return report


def test_paths_go_to_standard_output_and_talk_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    report = follow([whole(Step(IMAGE), "out/a.png", "out/a.npy"), failed(Step(OTHER))], skipped=3)
    out, err = capsys.readouterr()
    assert out.split() == ["out/a.png", "out/a.npy"]
    first, note, error, summary, name = err.splitlines()
    assert (first, note) == ("made fp32 on onnxruntime, CPUExecutionProvider", DEFAULT_NOTE)
    assert error == "error: b.jpg is bad; mend it"
    assert summary.startswith("1 written in ") and summary.endswith("a second), 3 skipped as done, 1 failed")
    assert name == "  failed: b.jpg"
    assert report.exit_code == 1


def test_frames_count_once_their_video_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    report = follow([*frames_of(4), VIDEO_DONE])
    out, err = capsys.readouterr()
    assert out.split() == ["out/c.mp4"]
    assert "4 written" in err and "not kept" not in err and report.exit_code == 0


@pytest.mark.parametrize("announced", [2, 142])
def test_the_bar_of_a_video_ends_at_the_frames_that_came(monkeypatch: pytest.MonkeyPatch, announced: int) -> None:
    terminal = make_terminal(monkeypatch, "stderr")
    follow([*frames_of(4), VIDEO_DONE], announced=announced)
    assert re.findall(r"c\.mp4 .* (\d+/\d+)", terminal.shown())[-1] == "4/4"


def test_frames_of_a_video_that_fails_are_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    report = follow([*frames_of(4), failed(Step(VIDEO))])
    out, err = capsys.readouterr()
    assert not out and "0 written" in err and "1 failed" in err
    assert "  not kept: 4 frames of c.mp4, as its depth video is not whole" in err
    assert report.exit_code == 1


def test_a_depth_video_that_is_lost_is_named_though_its_frames_have_files(capsys: pytest.CaptureFixture[str]) -> None:
    follow([whole(Step(VIDEO, 0), "out/c/000000.npz")], ends_with=KeyboardInterrupt)
    err = capsys.readouterr().err
    assert "1 written" in err and "  not kept: 1 frames of c.mp4, as its depth video is not whole" in err
    follow([whole(Step(VIDEO, 0), "out/c/000000.npz"), VIDEO_DONE])
    assert "not kept" not in capsys.readouterr().err


def test_frames_with_files_count_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    (frames_only,) = make_jobs([VIDEO.source], Path("out"), ("npy",))
    steps = (Step(frames_only, 0), Step(frames_only, 1), Step(frames_only))
    follow([whole(steps[0], "out/c/000000.npy"), failed(steps[1]), failed(steps[2])])
    out, err = capsys.readouterr()
    assert out.split() == ["out/c/000000.npy"] and "1 written" in err and "2 failed" in err
    assert "  failed: c.mp4 frame 1" in err and "not kept" not in err


def test_json_has_a_line_for_each_image_frame_error_and_video(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [whole(Step(IMAGE), "out/a.png", outside=5), failed(Step(OTHER)), *frames_of(1), VIDEO_DONE]
    follow(outcomes, as_json=True)
    image, error, frame, video = map(json.loads, capsys.readouterr().out.splitlines())
    assert image == {
        "input": "a.jpg",
        "outputs": ["out/a.png"],
        "kind": "metric",
        "unit": "m",
        "min": 1.0,
        "max": 3.0,
        "valid": 0.75,
        "outside_png16": 5,
        "provenance": DEPTH.provenance.to_dict(),
    }
    assert error == {"input": "b.jpg", "error": "b.jpg is bad; mend it"}
    assert (frame["input"], frame["outputs"], frame["time_s"]) == ("c.mp4 frame 0", [], 0.0)
    assert video == {"input": "c.mp4", "outputs": ["out/c.mp4"]}


def test_depth_without_a_valid_pixel_has_no_extremes(capsys: pytest.CaptureFixture[str]) -> None:
    empty = make_depth(np.full((2, 2), np.nan, np.float32), kind="metric")
    follow([Outcome(Step(IMAGE), Written((), empty), None)], as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["min"], found["max"], found["valid"]) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([whole(Step(IMAGE), "out/a.png")], "0 failed; interrupted, --resume continues"),
        (frames_of(1), "0 failed; interrupted"),
    ],
)
def test_an_interrupt_ends_with_the_summary(
    outcomes: list[Outcome[Step, Written]], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = follow(outcomes, ends_with=KeyboardInterrupt)
    assert any(line.endswith(message) for line in capsys.readouterr().err.splitlines())
    assert report.exit_code == 130


def test_an_interrupt_before_the_model_is_loaded_passes(capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> Outcomes:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        RunReport(as_json=False).follow(run())
    assert capsys.readouterr() == ("", "")


def test_pixels_that_a_png16_lacks_and_sheets_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    report = follow([whole(Step(IMAGE), "a.png", outside=5), whole(Step(OTHER), "b.png")])
    assert "  images whose png16 lacks pixels: 1 (0 beyond 65.535 m" in capsys.readouterr().err
    report.sheet_written(Path("s.png"), left_out=2)
    report.left_out(LeftOut(7, Path("out")))
    assert capsys.readouterr().err.splitlines() == [
        "sheet: s.png (without the last 2 images)",
        "left out: the folder of outputs, out (images and videos in it: 7)",
    ]


def test_the_ages_of_live_frames_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    def live(index: int) -> Outcome[Step, Written]:
        depth = replace(DEPTH, provenance=replace(DEPTH.provenance, age_ms=40.0 + index, skipped=2))
        return Outcome(Step(VIDEO, index), Written((), depth), None)

    follow([*map(live, range(100)), VIDEO_DONE])
    assert "  newest frames only: 200 skipped; age of the depth 90 ms, p99 139 ms" in capsys.readouterr().err
    follow([*frames_of(4), VIDEO_DONE])
    assert "newest frames" not in capsys.readouterr().err
