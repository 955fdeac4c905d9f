"""The wheel with its `cpu` extra in an environment of its own: no torch, no onnx, no transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_model import PHOTOS, TinyModel

ROOT = Path(__file__).resolve().parents[2]
NOT_NEEDED = ("torch", "onnx", "onnxscript", "transformers", "safetensors")


def call(*command: object, **environment: object) -> str:
    env = os.environ | {name: str(value) for name, value in environment.items()}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with depthrt[cpu] installed from this checkout."""
    home = tmp_path_factory.mktemp("clean") / "venv"
    call(sys.executable, "-m", "venv", home)
    bin_folder = home / ("Scripts" if sys.platform == "win32" else "bin")
    constraints = ROOT / "constraints.txt"
    pip = (bin_folder / "python", "-m", "pip", "install", "--quiet", "--retries", 10, "--timeout", 60)
    # In the environment they hold for what builds the wheel as well; by the second name since pip 25.3.
    call(*pip, f"{ROOT}[cpu]", PIP_CONSTRAINT=constraints, PIP_BUILD_CONSTRAINT=constraints)
    return bin_folder


def test_the_cpu_extra_brings_no_torch_and_no_onnx(binaries: Path) -> None:
    listed = json.loads(call(binaries / "python", "-m", "pip", "list", "--format", "json"))
    names = {package["name"].lower() for package in listed}
    assert "onnxruntime" in names and not names & set(NOT_NEEDED)


def test_run_works_without_torch_and_equals_the_run_with_it(binaries: Path, tiny: TinyModel, tmp_path: Path) -> None:
    import depthrt

    target = tmp_path / "depth.npz"
    call(binaries / "depthrt", "run", PHOTOS / "coffee.jpg", "--model", tiny.onnx, "-o", target)
    with depthrt.load(tiny.onnx) as model:
        expected = model.infer(depthrt.read_image(PHOTOS / "coffee.jpg"))
    found = depthrt.Depth.load(target)
    assert np.array_equal(found.values, expected.values)
    assert found.provenance.model == expected.provenance.model


def test_export_without_its_extra_names_what_to_install(binaries: Path, tiny: TinyModel, tmp_path: Path) -> None:
    command = [str(binaries / "depthrt"), "export", str(tiny.checkpoint), "-o", str(tmp_path / "model.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'depthrt[export]'" in done.stderr and "Traceback" not in done.stderr


def test_models_are_listed_without_an_extra_and_fetch_names_the_one_it_needs(binaries: Path, tmp_path: Path) -> None:
    assert "depth-anything-v2-vits" in call(binaries / "depthrt", "models")
    command = [str(binaries / "depthrt"), "fetch", "depth-anything-v2-vits", "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'depthrt[hub]'" in done.stderr and "Traceback" not in done.stderr


def test_the_wheel_holds_the_package_and_not_the_tests(binaries: Path) -> None:
    files = call(binaries / "python", "-m", "pip", "show", "--files", "depthrt").replace("\\", "/")
    assert (
        "depthrt/cli/run.py" in files and "depthrt/engine/modelfile/photo.jpg" in files and "depthrt/py.typed" in files
    )
    assert "tests/" not in files and ".dev" not in files
