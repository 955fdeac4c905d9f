"""Cold starts in fresh processes."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.machine.cold_start import measure_cold_start, measure_cold_starts
from depthrt.bench.numbers.result import MemoryStep
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.images.read import read_image
from depthrt.engine.model.depth_model import DepthModel

IMAGES = [PHOTOS / "coffee.jpg", PHOTOS / "astronaut.jpg"]


def test_a_cold_start_is_measured_in_processes_of_its_own(tiny: TinyModel) -> None:
    (subject,) = find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"], threads=1)
    found = measure_cold_start(subject, read_image(IMAGES[0]), processes=2).cold
    assert found.processes == 2
    assert min(found.process_ms, found.import_ms, found.load_ms, found.first_ms, found.second_ms) > 0
    assert found.import_ms > found.process_ms  # numpy, OpenCV and ONNX Runtime against a bare interpreter
    assert tiny.onnx.stat().st_size / 2**20 < found.peak_rss_mib < 4096
    assert len(found.each) == 2
    assert np.mean([one.load_ms for one in found.each]) == pytest.approx(found.load_ms)


def test_a_subject_that_fails_in_a_fresh_process_says_why(tmp_path: Path) -> None:
    (subject,) = find_subjects([tmp_path / "none.onnx"], devices=["cpu"], runners=["onnxruntime"])
    with pytest.raises(BackendUnavailable, match=r"fails in a fresh process: .*none\.onnx does not exist"):
        measure_cold_start(subject, np.zeros((28, 28, 3), np.uint8), processes=1)


def test_a_process_that_hangs_is_ended(tiny: TinyModel) -> None:
    (subject,) = find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"])
    with pytest.raises(BackendUnavailable, match=r"no depth within 0\.01 s"):
        measure_cold_start(subject, np.zeros((28, 28, 3), np.uint8), timeout_s=0.01)


FIGURES: dict[str, Any] = {
    "first_ns": 0,
    "import_ms": 200.0,
    "load_ms": 40.0,
    "first_ms": 50.0,
    "second_ms": 45.0,
    "peak_rss_mib": 300.0,
    "memory_mib": {"imports": [90.0, 60.0], "load": [120.0, 80.0]},
    "vram_mib": None,
}


def answers(monkeypatch: pytest.MonkeyPatch, *processes: dict[str, Any] | str) -> list[list[str]]:
    """Plant what fresh processes print, or the last line of the error of one that fails; return their commands."""
    left, commands = iter(processes), []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        found = next(left)
        if isinstance(found, str):
            raise subprocess.CalledProcessError(1, command, stderr=f"Traceback\n{found}\n" if found else "")
        return subprocess.CompletedProcess(
            command, 0, stdout="talk of a library\n" + json.dumps(FIGURES | found) + "\n"
        )

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def never() -> DepthModel:
    raise AssertionError("a cold start opens nothing in this process")


SUBJECT = Subject("made", never, needs=("onnxruntime", "cv2"))


IMAGE = np.zeros((4, 4, 3), np.uint8)


def test_figures_are_medians_and_each_process_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = answers(monkeypatch, *({"load_ms": ms, "peak_rss_mib": 10 * ms} for ms in (70.0, 30.0, 40.0)))
    cold = measure_cold_start(SUBJECT, IMAGE, processes=3).cold
    assert (cold.processes, cold.load_ms, cold.peak_rss_mib, cold.import_ms) == (3, 40.0, 400.0, 200.0)
    assert [process.load_ms for process in cold.each] == [70.0, 30.0, 40.0]
    assert [command[-2:] for command in commands] == [["onnxruntime", "cv2"]] * 3


def test_memory_is_the_median_of_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ({"imports": [rss, 60.0], "load": [rss + 30, 80.0]} for rss in (90.0, 95.0, 130.0))
    answers(monkeypatch, *({"memory_mib": step} for step in steps))
    cold = measure_cold_start(SUBJECT, IMAGE, processes=3).cold
    assert cold.memory == (MemoryStep("imports", 95.0, 60.0), MemoryStep("load", 125.0, 80.0))


def test_without_memory_in_each_process_there_are_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, {}, {"memory_mib": {}})
    assert measure_cold_start(SUBJECT, IMAGE, processes=2).cold.memory == ()


@pytest.mark.parametrize(("vram_mib", "most"), [((None, None), None), ((900.0, 950.0), 950.0), ((None, 0.0), 0.0)])
def test_gpu_memory_is_the_most_of_the_processes(
    monkeypatch: pytest.MonkeyPatch, vram_mib: tuple[float | None, ...], most: float | None
) -> None:
    answers(monkeypatch, *({"vram_mib": mib} for mib in vram_mib))
    assert measure_cold_start(SUBJECT, IMAGE, processes=2).vram_mib == most


@pytest.mark.parametrize(
    ("error", "message"),
    [("MemoryError: too large", "made fails in a fresh process: MemoryError: too large$"), ("", "exit status 1$")],
)
def test_a_failure_is_the_last_line_of_the_process(monkeypatch: pytest.MonkeyPatch, error: str, message: str) -> None:
    answers(monkeypatch, error)
    with pytest.raises(BackendUnavailable, match=message):
        measure_cold_start(SUBJECT, IMAGE, processes=1)


def test_a_subject_that_fails_gets_a_note_and_the_next_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "ImportError: no torch", {}, {})
    subjects = [replace(SUBJECT, name=name) for name in ("bad", "good")]
    named: list[str] = []
    stage = measure_cold_starts(subjects, IMAGE, processes=2, on_subject=named.append)
    assert stage.notes == {"bad": ("no cold start: bad fails in a fresh process: ImportError: no torch",)}
    assert list(stage.found) == ["good"] and not stage.failures
    assert named == ["bad", "good"]
