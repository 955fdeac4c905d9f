"""`depthrt bag`: a bag on the command line, its output, its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_bags import cut, many, messages, write_bag
from read_depth_bags import read_depth_bag
from run_verb import run
from tiny_model import TinyModel


def test_a_bag_gets_depth_and_its_path_is_the_result(tmp_path: Path, tiny_metric: TinyModel) -> None:
    found = run("bag", write_bag(tmp_path / "in"), "-o", tmp_path / "out", "-m", tiny_metric.onnx)
    assert (found.exit_code, found.stdout) == (0, f"{tmp_path / 'out'}\n")
    assert "/front/image_raw: 4 images -> /front/depth/image_rect" in found.stderr
    assert "4 images in" in found.stderr and "0 failed" in found.stderr
    assert len(read_depth_bag(tmp_path / "out")["/front/depth/image_rect"].messages) == 4


def test_json_says_what_was_done(tmp_path: Path, tiny: TinyModel) -> None:
    found = run("bag", write_bag(tmp_path / "in"), "-o", tmp_path / "out", "-m", tiny.onnx, "--json")
    result = json.loads(found.stdout)
    assert result["topic"] == "/front/inverse_depth" and (result["kind"], result["unit"]) == ("inverse", "")
    assert (result["images"], result["failed"], result["finished"], result["flaw"]) == (4, 0, True, None)


def test_a_cut_bag_is_said_and_the_exit_code_is_1(tmp_path: Path, tiny: TinyModel) -> None:
    source = cut(write_bag(tmp_path / "in", many()) / "in.mcap", 0.6)
    found = run("bag", source, "-o", tmp_path / "out", "-m", tiny.onnx)
    assert found.exit_code == 1 and "is cut off or damaged" in found.stderr and found.stdout == f"{tmp_path / 'out'}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--points"], "has no metres"), (["--image", "/none"], "no such topic"), (["--encoding", "16UC1"], "no unit")],
)
def test_what_cannot_be_done_is_a_line_and_writes_nothing(
    tmp_path: Path, tiny: TinyModel, arguments: list[str], complaint: str
) -> None:
    found = run("bag", write_bag(tmp_path / "in"), "-o", tmp_path / "out", "-m", tiny.onnx, *arguments)
    assert found.exit_code == 1 and found.stdout == "" and found.stderr.count("error:") == 1
    assert complaint in found.stderr and not (tmp_path / "out").exists()


def test_without_rosbags_the_extra_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['rosbags'] = None; from depthrt.cli import main; main()"
    command = [sys.executable, "-c", code, "bag", str(tmp_path), "-o", str(tmp_path / "out")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 1 and "pip install 'depthrt[robots]'" in found.stderr


def test_ctrl_c_leaves_a_whole_bag_and_resume_finishes_it(tmp_path: Path, tiny_metric: TinyModel) -> None:
    source = write_bag(tmp_path / "in", messages(400))
    command = [
        sys.executable,
        "-m",
        "depthrt",
        "bag",
        str(source),
        "-o",
        str(tmp_path / "out"),
        "-m",
        str(tiny_metric.onnx),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted, --resume continues" in talk, talk
    done = len(read_depth_bag(tmp_path / "out")["/front/depth/image_rect"].messages)
    assert 0 < done < 400
    found = run("bag", source, "-o", tmp_path / "out", "-m", tiny_metric.onnx, "--resume")
    assert found.exit_code == 0 and f"after the {done} of an earlier run" in found.stderr
    assert len(read_depth_bag(tmp_path / "out")["/front/depth/image_rect"].messages) == 400
