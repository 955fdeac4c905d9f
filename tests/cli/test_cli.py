from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from PIL import Image
from run_verb import run
from tiny_model import PHOTOS, TinyModel

import depthrt

FRAMES = 7


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (160, 120))
    frame = cv2.resize(depthrt.read_image(PHOTOS / "coffee.jpg"), (160, 120))
    for shift in range(FRAMES):
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


def test_an_interrupt_leaves_whole_files_and_says_how_to_go_on(tmp_path: Path, tiny: TinyModel) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(400):
        shutil.copy(PHOTOS / "coffee.jpg", folder / f"{number:03d}.jpg")
    command = [sys.executable, "-m", "depthrt.cli", "run", str(folder), "-m", str(tiny.onnx), "-o", str(out)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline().strip() == str(out / "000.png")  # it is in the midst of it
    running.send_signal(signal.SIGINT)
    _, talk = running.communicate(timeout=60)
    assert running.returncode == 130 and "interrupted, --resume continues" in talk
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"{number:03d}.png" for number in range(len(names))] and 1 <= len(names) < 400
    assert all(depthrt.read_image(path).shape == (400, 600, 3) for path in out.iterdir())


def test_a_video_becomes_a_depth_video_and_one_data_file_a_frame(tmp_path: Path, clip: Path, tiny: TinyModel) -> None:
    out = tmp_path / "out"
    result = run("run", clip, "-m", tiny.onnx, "-o", out, "-f", "color", "-f", "side", "-f", "npy")
    assert result.exit_code == 0, result.stderr
    assert [frame.shape for frame in frames_of(out / "clip.mp4")] == [(120, 160, 3)] * FRAMES
    assert [frame.shape for frame in frames_of(out / "clip_side.mp4")] == [(120, 370, 3)] * FRAMES
    assert [path.name for path in sorted((out / "clip").iterdir())] == [f"{number:06d}.npy" for number in range(FRAMES)]
    assert sorted(path.name for path in out.iterdir()) == ["clip", "clip.mp4", "clip_side.mp4"]


def test_a_video_stops_after_the_frames_asked_for(tmp_path: Path, clip: Path, tiny: TinyModel) -> None:
    run("run", clip, "-m", tiny.onnx, "-o", tmp_path / "out", "--max-frames", 3)
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


@pytest.mark.parametrize("verb", ["export", "run", "info", "tune", "doctor", "finetune scenes"])
def test_every_help_ends_with_an_example(verb: str) -> None:
    text = run(*verb.split(), "--help").stdout
    assert "Example:" in text and f"depthrt {verb}" in text


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("export", "x.pth"), ("export", "x", "-o", "y.onnx", "--size", "big"), ("nonsense",)],
)
def test_wrong_usage_exits_with_two(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
