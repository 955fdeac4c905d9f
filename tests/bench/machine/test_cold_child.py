"""The fresh process of a cold start, run by itself: what it prints is what the parent reads."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import monotonic_ns
from typing import Any

import numpy as np
import pytest
from tiny_model import TinyModel

from depthrt.bench.machine.cold_child import peak_rss_mib
from depthrt.bench.machine.cold_start import _FIRST_LINE, _IN_CHILD
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.model.depth_model import load

BLOCK_MIB = 64.0


def run_child(tiny: TinyModel, folder: Path, *modules: str, has_gpu: bool = False) -> dict[str, Any]:
    subject = Subject("tiny", partial(load, tiny.onnx, device="cpu", threads=1))
    (folder / "job").write_bytes(pickle.dumps((subject, np.zeros((60, 80, 3), np.uint8), has_gpu)))
    command = [sys.executable, "-c", _FIRST_LINE, str(folder / "job"), *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_the_child_prints_every_figure_of_its_steps(tiny: TinyModel, tmp_path: Path) -> None:
    before_ns = monotonic_ns()
    found = run_child(tiny, tmp_path, "onnxruntime")
    assert before_ns < found["first_ns"] < monotonic_ns()
    assert set(_IN_CHILD) <= found.keys()
    assert all(isinstance(found[name], float) and found[name] > 0 for name in _IN_CHILD if name != "vram_mib")
    memory_mib: dict[str, tuple[float, float]] = found["memory_mib"]
    assert list(memory_mib) == ["imports", "load", "first image", "second image"]
    rss = [step[0] for step in memory_mib.values()]
    assert rss[0] < rss[1] and max(rss) <= found["peak_rss_mib"]
    assert found["vram_mib"] is None


def test_without_a_gpu_to_ask_the_child_imports_no_nvml(tiny: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "pynvml.py").write_text("raise SystemExit('imported')\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        assert run_child(tiny, tmp_path)["vram_mib"] is None
        with pytest.raises(subprocess.CalledProcessError):
            run_child(tiny, tmp_path, has_gpu=True)


def test_the_peak_of_a_process_remembers_freed_memory() -> None:
    code = (
        "from depthrt.bench.machine.cold_child import peak_rss_mib\n"
        f"before = peak_rss_mib(); block = bytearray({int(BLOCK_MIB)} << 20); del block; print(peak_rss_mib() - before)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert BLOCK_MIB / 2 < float(found.stdout) < 2 * BLOCK_MIB
    assert peak_rss_mib() > 0
