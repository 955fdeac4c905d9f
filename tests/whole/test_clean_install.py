"""The wheel with its extras `cpu` and `serve` in a clean environment: no torch, no onnx, no transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from tiny_model import PHOTOS, TinyModel

NOT_NEEDED = ("torch", "onnx", "onnxscript", "transformers", "safetensors", "ray")
OF_SERVE = ("fastapi", "starlette", "uvicorn", "prometheus_client", "python_multipart", "pydantic")


def call(*command: object, **environment: object) -> str:
    env = os.environ | {name: str(value) for name, value in environment.items()}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pip_of(binaries: Path) -> tuple[object, ...]:
    """The words of a pip that looks into the environment, which has none of its own."""
    return (sys.executable, "-m", "pip", "--python", binaries / "python")


def test_the_extras_bring_no_torch_and_no_onnx(binaries: Path) -> None:
    listed = json.loads(call(*pip_of(binaries), "list", "--format", "json"))
    names = {package["name"].lower() for package in listed}
    assert "onnxruntime" in names and not names & set(NOT_NEEDED)


def test_run_needs_no_torch_and_no_server_and_equals_the_run_here(
    binaries: Path, tiny: TinyModel, tmp_path: Path
) -> None:
    import depthrt

    target = tmp_path / "depth.npz"
    without = f"import sys; sys.modules.update(dict.fromkeys({OF_SERVE})); from depthrt.cli import main; main()"
    call(binaries / "python", "-c", without, "run", PHOTOS / "coffee.jpg", "--model", tiny.onnx, "-o", target)
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
    files = call(*pip_of(binaries), "show", "--files", "depthrt").replace("\\", "/")
    assert (
        "depthrt/cli/run.py" in files and "depthrt/engine/modelfile/photo.jpg" in files and "depthrt/py.typed" in files
    )
    assert "tests/" not in files and ".dev" not in files
