"""What `depthrt run` prints, what it refuses before it loads a model, and what Ctrl-C leaves of a video."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from made_video import times_of
from PIL import Image
from run_verb import run
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.engine.run.video.frames import Frame
from depthrt.engine.run.video.video_file import VideoFileReader

FRAMES = 60  # more than are on their way when the fifth is read
PRESSED_AT = 5
PHOTO_FRAMES = 7


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "p.png"
    cv2.imwrite(str(path), cv2.resize(depthrt.read_image(PHOTOS / "coffee.jpg"), (90, 60)))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    write_clip(path, (96, 64), "mp4v")
    return path


@pytest.fixture
def no_model(tmp_path: Path) -> Path:
    """A file that cannot be loaded: a run that ends with another error did not try to."""
    path = tmp_path / "no_model.onnx"
    path.write_bytes(b"no model")
    return path


def refusal(*arguments: object) -> str:
    result = run("run", *arguments)
    assert result.exit_code == 1 and not result.stdout
    (line,) = result.stderr.splitlines()
    return line


def test_a_photograph_is_not_replaced_by_its_depth(photo: Path, no_model: Path) -> None:
    before = photo.read_bytes()
    for options in ((), ("--resume",)):
        line = refusal(photo, "-m", no_model, "-o", photo.parent, *options)
        assert line == f"error: {photo} would be replaced by its own depth; give another place with -o"
    assert photo.read_bytes() == before


def test_a_recording_is_not_replaced_by_its_depth(clip: Path, no_model: Path) -> None:
    before = clip.read_bytes()
    assert "would be replaced by its own depth" in refusal(clip, "-m", no_model, "-o", clip.parent)
    assert clip.read_bytes() == before


def test_a_folder_run_again_does_not_take_its_outputs_for_inputs(
    tmp_path: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(PHOTOS / "coffee.jpg", tmp_path)
    monkeypatch.chdir(tmp_path)
    for already in (0, 1, 1):
        result = run("run", ".", "-m", tiny.onnx)
        assert result.exit_code == 0 and "1 written" in result.stderr
        assert result.stderr.count("left out: the folder of outputs, depth (images and videos in it: 1)") == already
    assert list(Path("depth").rglob("*")) == [Path("depth/coffee.png")]


def test_several_outputs_may_go_to_a_folder_with_a_dot(photo: Path, clip: Path, tiny: TinyModel) -> None:
    out = photo.parent / "v1.0"
    assert run("run", photo, clip, "-m", tiny.onnx, "-o", out, "--max-frames", 1).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip.mp4", "p.png"]
    for name in ("out.mp4", "out.bmp", "out.png"):
        line = refusal(photo, clip, "-m", tiny.onnx, "-o", photo.parent / name)
        assert line.endswith(
            f"{name} names a file, but there are 2 inputs; give a folder, without a suffix, or one input"
        )
    line = refusal(photo, "-m", tiny.onnx, "-o", photo.parent / "v2.0")
    assert "suffix '.0' found, expected one of .exr, " in line and line.endswith("; if it is a folder, make it first")


def test_pixels_that_a_png16_lacks_are_counted(photo: Path, tiny: TinyModel) -> None:
    options = ("-m", tiny.onnx, "-o", photo.parent / "out", "-f", "png16", "-f", "npz")
    assert "lacks" not in run("run", photo, *options).stderr
    result = run("run", photo, *options, "--range", 0, 1e-6, "--json")
    assert "images whose png16 lacks pixels: 1 (0 beyond 65.535 m, clipped outside --range)" in result.stderr
    line = json.loads(result.stdout)
    assert line["outside_png16"] > 0
    text = f"depthrt.outside\0{line['outside_png16']}"
    assert text.encode() in Path(line["outputs"][0]).read_bytes()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="this system has no place that nobody may write to")
def test_a_sheet_without_a_place_is_refused_before_the_run(photo: Path, tiny: TinyModel) -> None:
    out = photo.parent / "out"
    assert "cannot be written" in refusal(photo, "-m", tiny.onnx, "-o", out, "--sheet", "/proc/sheet.png")
    assert not list(out.rglob("*.png"))


def test_a_named_file_holds_the_format_that_was_asked_for(photo: Path, tiny: TinyModel) -> None:
    target = photo.with_name("out.png")
    assert run("run", photo, "-m", tiny.onnx, "-o", target, "-f", "png16").exit_code == 0
    picture = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    assert picture is not None and picture.dtype == np.uint16 and picture.ndim == 2


def test_a_file_in_the_place_of_the_output_folder_is_refused(photo: Path, clip: Path, no_model: Path) -> None:
    plain = photo.with_name("plain")
    plain.write_bytes(b"mine")
    for source, output in ((photo, plain), (clip, plain), (clip, plain / "below")):
        assert f"folder {output} cannot be made: " in refusal(source, "-m", no_model, "-o", output)
    assert plain.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("source", "sheet", "options", "message"),
    [
        ("p.png", "s.gif", (), r"suffix '.gif' found"),
        ("clip.mp4", "s.jpg", (), "would be a sheet without images"),
        ("p.png", "s.jpg", ("--resume",), "--sheet and --resume found, expected one of them"),
        ("p.png", "p.png", (), "p.png would be replaced by the sheet; give another place with --sheet"),
        ("p.png", "p.png/s.jpg", (), "p.png cannot be made"),
        ("p.png", "out/p.png", (), "out/p.png would hold both a depth and the sheet; give another place with --sheet"),
    ],
)
def test_a_sheet_that_does_not_fit_the_inputs_is_refused(
    photo: Path, clip: Path, no_model: Path, source: str, sheet: str, options: tuple[str, ...], message: str
) -> None:
    folder = photo.parent
    line = refusal(folder / source, "-m", no_model, "-o", folder / "out", "--sheet", folder / sheet, *options)
    assert message in line
    assert not (folder / "out").exists()


def press_ctrl_c(monkeypatch: pytest.MonkeyPatch, *, then: Callable[[], object] = lambda: None) -> None:
    """Press Ctrl-C while a frame of a file is read."""
    read = VideoFileReader._read

    def pressed(reader: VideoFileReader) -> Frame | None:
        if reader.given + 1 == PRESSED_AT:
            signal.raise_signal(signal.SIGINT)
            then()
        return read(reader)

    monkeypatch.setattr(VideoFileReader, "_read", pressed)


def press_ctrl_c_at_camera(
    monkeypatch: pytest.MonkeyPatch, *, at: int = PRESSED_AT, then: Callable[[], object] = lambda: None
) -> None:
    """Plug in a camera that gives frames without end, and press Ctrl-C while one is read."""

    class Camera:
        def __init__(self, index: int) -> None:
            self._frames = 0

        def isOpened(self) -> bool:
            return True

        def get(self, name: int) -> float:
            return 30.0

        def read(self) -> tuple[bool, np.ndarray]:
            self._frames += 1
            if self._frames == at:
                signal.raise_signal(signal.SIGINT)
                then()
            return True, np.full((64, 96, 3), self._frames, np.uint8)

        def release(self) -> None:
            pass

    monkeypatch.setattr(cv2, "VideoCapture", Camera)


def test_ctrl_c_ends_the_recording_of_a_camera_which_is_whole_and_counted(
    tmp_path: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    press_ctrl_c_at_camera(monkeypatch)
    result = run("run", "0", "-m", tiny.onnx, "-o", out, "-f", "color", "-f", "side")
    monkeypatch.undo()
    assert result.exit_code == 130
    assert result.stdout.split() == [str(out / "camera0.mp4"), str(out / "camera0_side.mp4")]
    frames = frames_in(out / "camera0.mp4")
    assert frames >= PRESSED_AT and frames == frames_in(out / "camera0_side.mp4")
    assert f"{frames} written" in result.stderr
    assert "interrupted" in result.stderr and "--resume" not in result.stderr and "not kept" not in result.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_on_a_video_leaves_no_file(
    tmp_path: Path, clip: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    press_ctrl_c(monkeypatch)
    result = run("run", clip, "-m", tiny.onnx, "-o", out)
    assert result.exit_code == 130
    assert not result.stdout and not list(out.iterdir())
    assert "0 written" in result.stderr and "interrupted" in result.stderr and "--resume" not in result.stderr


def test_ctrl_c_on_a_video_counts_the_frames_that_have_files(
    tmp_path: Path, clip: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    press_ctrl_c(monkeypatch)
    result = run("run", clip, "-m", tiny.onnx, "-o", out, "-f", "color", "-f", "npy")
    shown = result.stdout.split()
    assert shown == [str(out / "clip" / f"{index:06d}.npy") for index in range(len(shown))]
    assert all(Path(path).is_file() for path in shown) and not (out / "clip.mp4").exists()
    (written,) = re.findall(r"(\d+) written", result.stderr)
    assert int(written) - len(shown) in (0, 1)  # Ctrl-C may come between a frame's count and its line
    assert "interrupted" in result.stderr and "--resume" not in result.stderr


def test_the_path_of_a_video_is_printed_once(tmp_path: Path, clip: Path, tiny: TinyModel) -> None:
    arguments = ("run", clip, "-m", tiny.onnx, "--max-frames", 3)
    result = run(*arguments, "-o", tmp_path / "out")
    assert result.stdout.split() == [str(tmp_path / "out" / "clip.mp4")] and "3 written" in result.stderr
    *frames, video = map(
        json.loads, run(*arguments, "-o", tmp_path / "out", "-f", "color", "--json").stdout.splitlines()
    )
    assert [(frame["input"], frame["outputs"], frame["time_s"]) for frame in frames] == [
        (f"{clip} frame {index}", [], pytest.approx(index / 10)) for index in range(3)
    ]
    assert video == {"input": str(clip), "outputs": [str(tmp_path / "out" / "clip.mp4")]}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no file that is open")
def test_a_recording_that_cannot_be_finished_is_an_error(
    tmp_path: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def unlink() -> None:
        for path in out.glob(".*"):
            path.unlink()

    press_ctrl_c_at_camera(monkeypatch, at=FRAMES, then=unlink)  # so late that the encoder has written
    result = run("run", "0", "-m", tiny.onnx, "-o", out)
    monkeypatch.undo()
    assert result.exit_code == 130 and not result.stdout and not list(out.iterdir())
    message = r"camera0.mp4 cannot be written: No such file or directory after \d+ frames; check that the disk has room"
    assert re.search(message, result.stderr)


def test_a_video_that_is_cut_off_gives_its_frames_and_an_error(tmp_path: Path, tiny: TinyModel) -> None:
    clip, out = tmp_path / "clip.avi", tmp_path / "out"
    write_clip(clip, (96, 64), "MJPG")
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) * 2 // 5])
    result = run("run", clip, "-m", tiny.onnx, "-o", out)
    assert result.exit_code == 1
    (found,) = re.findall(rf"clip.avi ends after (\d+) frames and [0-9.]+ of {FRAMES / 10:.1f} s", result.stderr)
    assert 0 < int(found) < FRAMES and frames_in(out / "clip.mp4") == int(found)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of a file")
def test_a_full_disk_leaves_no_half_video(tmp_path: Path, clip: Path, tiny: TinyModel) -> None:
    program = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); "
        "sys.argv[0] = 'depthrt'; runpy.run_module('depthrt.cli', run_name='__main__')"
    )
    command = [sys.executable, "-B", "-c", program, "run", str(clip), "-m", str(tiny.onnx), "-o", str(tmp_path / "out")]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 1 and not ended.stdout and not list((tmp_path / "out").iterdir())
    assert re.search(r"clip.mp4 cannot be written: File too large after \d+ frames; check that the disk", ended.stderr)


def write_clip(path: Path, size_px: tuple[int, int], codec: str, *, fps: float = 10.0) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size_px)
    for shade in range(FRAMES):
        writer.write(np.full((size_px[1], size_px[0], 3), 3 * shade, np.uint8))
    writer.release()


def frames_in(path: Path) -> int:
    return len(times_of(path))


def test_ctrl_c_before_the_first_image_writes_no_sheet(
    photo: Path, tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("depthrt.engine.run.run.run_images", pressed)
    result = run("run", photo, "-m", tiny.onnx, "-o", tmp_path / "out", "--sheet", tmp_path / "s.jpg")
    assert result.exit_code == 130 and "error" not in result.stderr, result.stderr
    assert not (tmp_path / "s.jpg").exists()


def test_resume_skips_a_video_that_is_whole_but_not_one_of_single_frames(
    tmp_path: Path, clip: Path, tiny: TinyModel
) -> None:
    arguments = ("run", clip, "-m", tiny.onnx, "-o", tmp_path / "out", "--max-frames", 2)
    assert run(*arguments).exit_code == 0
    assert "0 written" in (again := run(*arguments, "--resume").stderr) and "1 skipped as done" in again
    assert "2 written" in run(*arguments, "--resume", "-f", "side").stderr
    assert "2 written" in run(*arguments, "--resume", "-f", "color", "-f", "npy").stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_name_with_a_colon_is_a_file(
    tmp_path: Path, clip: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clip.rename("2026-05-01T10:30:00.mp4")
    result = run("run", "2026-05-01T10:30:00.mp4", "-m", tiny.onnx, "-o", "out", "--max-frames", 2)
    assert result.exit_code == 0 and Path("out/2026-05-01T10:30:00.mp4").is_file(), result.stderr


def test_a_video_whose_frames_are_too_large_is_refused_once(tmp_path: Path, clip: Path, tiny: TinyModel) -> None:
    out = tmp_path / "out"
    result = run("run", clip, "-m", tiny.onnx, "-o", out, "--max-pixels", 100)
    assert result.exit_code == 1 and not list(out.iterdir())
    assert result.stderr.count("expected at most 100") == 1 and "No such file" not in result.stderr


def test_a_range_without_an_end_is_refused(photo: Path, no_model: Path) -> None:
    line = refusal(photo, "-m", no_model, "-o", photo.parent / "out", "--range", 0, "inf")
    assert line == "error: range 0 inf found, expected two finite values, the lower one first"


def test_names_that_are_not_utf_8_are_taken(tmp_path: Path, photo: Path, clip: Path, tiny: TinyModel) -> None:
    folder = tmp_path / "named"
    folder.mkdir()
    try:
        shutil.copy(photo, folder / "caf\udce9.png")
    except (OSError, UnicodeError):
        pytest.skip("this file system has names in Unicode only")
    shutil.copy(clip, folder / "caf\udce9.mp4")
    shutil.copy(photo, folder / "z.png")
    result = run("run", folder, "-m", tiny.onnx, "-o", tmp_path / "out")
    assert result.exit_code == 0
    names = (r"caf\udce9.png.png", "z.png", r"caf\udce9.mp4.mp4")
    assert result.stdout.splitlines() == [f"{tmp_path}/out/{name}" for name in names]
    assert frames_in(tmp_path / "out" / "caf\udce9.mp4.mp4") == FRAMES


@pytest.fixture
def photo_clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (160, 120))
    frame = cv2.resize(depthrt.read_image(PHOTOS / "coffee.jpg"), (160, 120))
    for shift in range(PHOTO_FRAMES):
        writer.write(np.roll(frame, 5 * shift, axis=1))
    writer.release()
    return path


def frames_of(path: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(path)), []
    while (found := capture.read())[0]:
        frames.append(found[1])
    return frames


def test_a_folder_of_fifty_with_five_bad_yields_forty_five_and_names_the_five(tmp_path: Path, tiny: TinyModel) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    small = Image.open(PHOTOS / "coffee.jpg").resize((90, 60))
    for number in range(45):
        small.save(folder / f"good{number:02d}.jpg")
    whole = (PHOTOS / "coffee.jpg").read_bytes()
    bad = {
        "bad0.jpg": b"",
        "bad1.jpg": b"this is text",
        "bad2.jpg": whole[: len(whole) // 2],
        "bad3.png": b"\x89PNG\r\n\x1a\n",
        "bad4.webp": whole[:100],
    }
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    result = run("run", folder, "--model", tiny.onnx, "-o", out)
    assert result.exit_code == 1
    assert sorted(path.name for path in out.iterdir()) == [f"good{number:02d}.png" for number in range(45)]
    failed = [Path(line.split("failed: ")[1]).name for line in result.stderr.splitlines() if "  failed: " in line]
    assert sorted(failed) == sorted(bad)
    assert "45 written" in result.stderr and "5 failed" in result.stderr


def test_results_go_to_stdout_and_talk_to_stderr(tmp_path: Path, tiny: TinyModel) -> None:
    result = run("run", PHOTOS / "coffee.jpg", "--model", tiny.onnx, "-o", tmp_path, "-f", "color", "-f", "npz")
    assert result.exit_code == 0
    assert result.stdout.split() == [str(tmp_path / "coffee.png"), str(tmp_path / "coffee.npz")]
    assert "onnxruntime, CPUExecutionProvider" in result.stderr and "1 written" in result.stderr


def test_json_lines_carry_the_provenance(tmp_path: Path, tiny_metric: TinyModel) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"text")
    result = run("run", tmp_path / "bad.jpg", PHOTOS / "coffee.jpg", "-m", tiny_metric.onnx, "-o", tmp_path, "--json")
    bad, good = map(json.loads, result.stdout.splitlines())
    assert "bad.jpg" in bad["error"] and bad["input"].endswith("bad.jpg")
    assert (good["kind"], good["unit"], good["outputs"]) == ("metric", "m", [str(tmp_path / "coffee.png")])
    assert 0 < good["min"] < good["max"] <= 20
    assert good["provenance"]["provider"] == "CPUExecutionProvider"


def test_an_image_comes_from_standard_input(tmp_path: Path, tiny: TinyModel) -> None:
    target = tmp_path / "depth.npy"
    result = run("run", "-", "-m", tiny.onnx, "-o", target, stdin=(PHOTOS / "coffee.jpg").read_bytes())
    assert result.exit_code == 0
    assert np.load(target).shape == (400, 600)


@pytest.mark.parametrize(("format", "suffix"), [("color", ".png"), ("npz", ".npz"), ("tiff", ".tiff")])
def test_the_depth_of_one_image_goes_to_standard_output_and_nothing_else_does(
    tmp_path: Path, tiny: TinyModel, format: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = (PHOTOS / "coffee.jpg").read_bytes()
    monkeypatch.chdir(tmp_path)
    result = run("run", "-", "-m", tiny.onnx, "-o", "-", "-f", format, stdin=photo)
    assert result.exit_code == 0 and "1 written" in result.stderr
    assert list(tmp_path.iterdir()) == []
    whole = run("run", "-", "-m", tiny.onnx, "-o", f"a{suffix}", "-f", format, stdin=photo)
    assert whole.exit_code == 0
    if format == "npz":  # which holds the time that the inference took
        (tmp_path / "b.npz").write_bytes(result.stdout_bytes)
        assert np.array_equal(depthrt.Depth.load("b.npz").values, depthrt.Depth.load("a.npz").values)
    else:
        assert result.stdout_bytes == (tmp_path / f"a{suffix}").read_bytes()


def test_a_failure_leaves_standard_output_empty(tiny: TinyModel) -> None:
    result = run("run", "-", "-m", tiny.onnx, "-o", "-", stdin=b"no image")
    assert (result.exit_code, result.stdout_bytes) == (1, b"") and "error: " in result.stderr
    line = refusal(PHOTOS / "coffee.jpg", "-m", tiny.onnx, "-o", "-", "--json")
    assert line == "error: --json and -o - found, expected one of them; both write to standard output"


@pytest.mark.skipif(sys.platform == "win32", reason="the shell is another there")
def test_a_reader_that_closes_the_pipe_is_one_line(tiny: TinyModel) -> None:
    command = [sys.executable, "-m", "depthrt.cli", "run", str(PHOTOS / "coffee.jpg"), "-m", str(tiny.onnx), "-o", "-"]
    found = subprocess.run(["sh", "-c", f"{shlex.join(command)} | true"], capture_output=True, text=True, check=False)
    assert "error: standard output cannot be written: Broken pipe; check what reads it" in found.stderr
    assert "Traceback" not in found.stderr and "Exception" not in found.stderr


def test_a_video_goes_to_a_named_file(tmp_path: Path, clip: Path, tiny: TinyModel) -> None:
    result = run("run", clip, "-m", tiny.onnx, "-o", tmp_path / "new" / "depth.mp4", "-f", "side", "--max-frames", 2)
    assert result.exit_code == 0 and result.stdout.split() == [str(tmp_path / "new" / "depth.mp4")]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["depth.mp4"]
    assert len(frames_of(tmp_path / "new" / "depth.mp4")) == 2
    assert "would be replaced by its own depth" in refusal(clip, "-m", tiny.onnx, "-o", clip)


def test_a_fixed_range_makes_pictures_compare(tmp_path: Path, tiny_metric: TinyModel) -> None:
    for name, span in (("own", ()), ("wide", ("--range", 0.5, 1000))):
        run(
            "run",
            PHOTOS / "coffee.jpg",
            "-m",
            tiny_metric.onnx,
            "-o",
            tmp_path / f"{name}.png",
            "--colormap",
            "gray",
            *span,
        )
    own, wide = (depthrt.read_image(tmp_path / f"{name}.png") for name in ("own", "wide"))
    assert np.ptp(own) == 255 and np.ptp(wide) < 10


def test_resume_skips_what_is_there(tmp_path: Path, tiny: TinyModel) -> None:
    shutil.copy(PHOTOS / "coffee.jpg", tmp_path / "a.jpg")
    run("run", tmp_path / "a.jpg", "-m", tiny.onnx, "-o", tmp_path / "out")
    shutil.copy(PHOTOS / "coffee.jpg", tmp_path / "b.jpg")
    result = run("run", tmp_path / "a.jpg", tmp_path / "b.jpg", "-m", tiny.onnx, "-o", tmp_path / "out", "--resume")
    assert result.stdout.split() == [str(tmp_path / "out" / "b.png")]
    assert "1 written" in result.stderr and "1 skipped as done" in result.stderr


def test_resume_writes_outputs_of_another_model_or_of_other_options_again(
    tmp_path: Path, clip: Path, tiny: TinyModel, tiny_metric: TinyModel
) -> None:
    photo, out = PHOTOS / "coffee.jpg", tmp_path / "out"
    run("run", photo, clip, "-m", tiny.onnx, "-o", out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    for options in (("-m", tiny_metric.onnx), ("-m", tiny_metric.onnx, "--colormap", "gray"), ("-m", tiny.onnx)):
        result = run("run", photo, clip, "-o", out, "--resume", *options)
        assert "written again, as their depth is of another model or of other options: 2" in result.stderr
        assert len(result.stdout.split()) == 2
        assert all((path.read_bytes() == old) is (options == ("-m", tiny.onnx)) for path, old in before.items())
        again = run("run", photo, clip, "-o", out, "--resume", *options)
        assert "2 skipped as done" in again.stderr and "written again" not in again.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_shows_progress_and_a_pipe_beside_it_gets_the_results(tmp_path: Path, tiny: TinyModel) -> None:
    import pty

    (tmp_path / "bad.jpg").write_bytes(b"text")
    ours, theirs = pty.openpty()
    talk = bytearray()

    def listen() -> None:  # all the time, or a slow program fills the terminal
        with suppress(OSError):  # the other end is closed
            while part := os.read(ours, 65536):
                talk.extend(part)

    listening = Thread(target=listen, daemon=True)
    command = [sys.executable, "-m", "depthrt.cli", "run", str(PHOTOS), str(tmp_path / "bad.jpg")]
    options = ["-m", str(tiny.onnx), "-o", str(tmp_path / "out")]
    running = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    listening.start()
    results, _ = running.communicate(timeout=120)
    listening.join(10)
    os.close(ours)
    shown = talk.decode()
    assert len(results.split()) == 4 and running.returncode == 1
    assert "5/5" in shown and "/s" in shown and "error: " in shown and "4 written" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_leaves_whole_files_and_says_how_to_go_on(
    tmp_path: Path, tiny: TinyModel, number: str, code: int
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for index in range(400):
        shutil.copy(PHOTOS / "coffee.jpg", folder / f"{index:03d}.jpg")
    command = [sys.executable, "-m", "depthrt.cli", "run", str(folder), "-m", str(tiny.onnx), "-o", str(out)]
    asked = getattr(signal, number)
    heard = partial(signal.signal, asked, signal.SIG_DFL)  # under nohup a program would inherit that it is ignored
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,  # noqa: PLW1509
    )
    assert running.stdout is not None
    assert running.stdout.readline().strip() == str(out / "000.png")  # it is in the midst of it
    running.send_signal(asked)
    shown, talk = running.communicate(timeout=60)
    assert running.returncode == code and "interrupted, --resume continues" in talk
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"{index:03d}.png" for index in range(len(names))] and 1 <= len(names) < 400
    assert all(depthrt.read_image(path).shape == (400, 600, 3) for path in out.iterdir())
    assert len(shown.split()) in (len(names) - 1, len(names) - 2, len(names) - 3)  # one line was read before


def test_a_video_becomes_a_depth_video_and_one_data_file_a_frame(
    tmp_path: Path, photo_clip: Path, tiny: TinyModel
) -> None:
    out = tmp_path / "out"
    result = run("run", photo_clip, "-m", tiny.onnx, "-o", out, "-f", "color", "-f", "side", "-f", "npy")
    assert result.exit_code == 0, result.stderr
    assert [frame.shape for frame in frames_of(out / "clip.mp4")] == [(120, 160, 3)] * PHOTO_FRAMES
    assert [frame.shape for frame in frames_of(out / "clip_side.mp4")] == [(120, 370, 3)] * PHOTO_FRAMES
    assert [path.name for path in sorted((out / "clip").iterdir())] == [
        f"{number:06d}.npy" for number in range(PHOTO_FRAMES)
    ]
    assert sorted(path.name for path in out.iterdir()) == ["clip", "clip.mp4", "clip_side.mp4"]


def test_a_video_stops_after_the_frames_asked_for(tmp_path: Path, photo_clip: Path, tiny: TinyModel) -> None:
    run("run", photo_clip, "-m", tiny.onnx, "-o", tmp_path / "out", "--max-frames", 3)
    assert len(frames_of(tmp_path / "out" / "clip.mp4")) == 3


def test_a_broken_video_and_a_missing_camera_are_named_and_leave_nothing(tmp_path: Path, tiny: TinyModel) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    result = run("run", tmp_path / "broken.mp4", "97", PHOTOS / "coffee.jpg", "-m", tiny.onnx, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.mp4 cannot be opened as a video" in result.stderr
    assert "camera 97 cannot be opened" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coffee.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="the shell is another there")
def test_closed_streams_are_no_crash(tmp_path: Path, tiny: TinyModel) -> None:
    def closing(what: str, image: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "depthrt.cli", "run", image, "-m", tiny.onnx, "-o", tmp_path / "out"]
        text = f"{shlex.join(map(str, command))} {what}"
        return subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)

    written = closing(">&-", PHOTOS / "coffee.jpg")
    assert written.returncode == 0 and "1 written" in written.stderr
    unread = closing("<&-", "-")
    assert unread.returncode == 1
    assert "error: standard input is closed, expected an image there; give a file or a pipe\n" in unread.stderr


def test_what_a_killed_run_left_is_removed_by_the_next_run_that_writes_the_same(
    tmp_path: Path, clip: Path, tiny: TinyModel
) -> None:
    out, others = tmp_path / "out", (".other.0123abcd.mp4", ".clip.mp4")
    (out / "clip").mkdir(parents=True)
    for name in (*others, ".clip.0123abcd.mp4", "clip/000000.npy", "clip/.000001.0123abcd.npy", ".s.0123abcd.png"):
        (out / name).write_bytes(b"half")
    photo = shutil.copy(PHOTOS / "coffee.jpg", tmp_path / "a.jpg")
    options = ("-f", "color", "-f", "npy", "--max-frames", 1, "--sheet", out / "s.png")
    assert run("run", clip, photo, "-m", tiny.onnx, "-o", out, *options).exit_code == 0
    assert sorted(path.name for path in out.rglob(".*")) == sorted(others)


def test_latest_takes_the_newest_frames_and_says_how_old_their_depth_was(
    tmp_path: Path, clip: Path, tiny: TinyModel
) -> None:
    options = ("-m", tiny.onnx, "-o", tmp_path / "out", "--latest", "--max-frames", 3)
    result = run("run", clip, *options, "-f", "npz", "--json")
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 3 and all({"stamp_ns", "age_ms", "skipped"} <= line["provenance"].keys() for line in lines)
    skipped = sum(line["provenance"]["skipped"] for line in lines)
    assert re.search(rf"newest frames only: {skipped} skipped; age of the depth \d+ ms, p99 \d+ ms", result.stderr)


def test_reconnect_is_of_the_newest_frames(clip: Path, no_model: Path) -> None:
    line = refusal(clip, "-m", no_model, "--reconnect")
    assert line.startswith("error: --reconnect without --latest found, expected both")


def test_a_stream_is_an_input_and_its_password_stays_secret(tmp_path: Path, tiny: TinyModel) -> None:
    address = "rtsp://user:secret@127.0.0.1:9/live"
    result = run("run", address, "-m", tiny.onnx, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1 and "secret" not in result.output
    assert "rtsp://127.0.0.1:9/live cannot be opened" in result.stderr


def test_points_in_space_need_a_metric_model_and_a_lens(
    photo: Path, tiny: TinyModel, tiny_metric: TinyModel, tmp_path: Path
) -> None:
    line = refusal(photo, "-m", tiny.onnx, "-o", tmp_path / "out", "-f", "ply", "--fov", 60)
    assert line.startswith("error: format ply holds points in metres, and ")
    assert line.endswith(" gives inverse depth; use a metric model")
    line = refusal(photo, "-m", tiny_metric.onnx, "-o", tmp_path / "p.pcd")
    assert line == "error: format pcd holds points in space, which need the lens: give --fov or --focal-px"
    options = ("-m", tiny_metric.onnx, "-o", tmp_path / "out", "-f", "ply", "-f", "npz", "--fov", 60)
    assert run("run", photo, *options).exit_code == 0
    depth = depthrt.Depth.load(tmp_path / "out" / "p.npz")
    assert depth.intrinsics == depthrt.Intrinsics.from_fov(60, 60, 90)
    found = (tmp_path / "out" / "p.ply").read_bytes()
    assert found == depth.cloud(image=depthrt.read_image(photo)).encode("ply")
