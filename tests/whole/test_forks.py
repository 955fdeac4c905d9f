"""A process that holds models is forked: the child ends at once, and infers rightly or says why it cannot."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_model import TinyModel

import depthrt

CASES = Path(__file__).parents[1] / "support" / "fork_cases.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("case", ["onnxruntime", "busy", "openvino", "streams", "workers"])
def test_a_model_survives_a_fork_or_says_that_it_does_not(case: str, tiny: TinyModel, tmp_path: Path) -> None:
    onnx = tmp_path / "model.onnx"
    onnx.write_bytes(tiny.onnx.read_bytes())
    done = subprocess.run([sys.executable, CASES, case, onnx], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_model_is_not_copied_and_says_what_to_do(
    model: depthrt.DepthModel, duplicate: Callable[[object], object]
) -> None:
    with pytest.raises(depthrt.InputError, match=r"a DepthModel cannot be copied.*depthrt\.load"):
        duplicate(model)
