"""Cold starts in fresh processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.machine.cold_start import measure_cold_start
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.images.read import read_image

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
