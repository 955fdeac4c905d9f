from __future__ import annotations

from pathlib import Path

import pytest
from made_engine import STATIC, write_engine, write_mean

from depthrt import ContractError, ModelFileError
from depthrt.engine.model.describe import describe_model
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import Tuning, remember_choice
from depthrt.engine.system.cores import usable_cores


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    return write_mean(tmp_path / "mean.onnx")


def test_a_file_is_described_by_its_contract_and_its_tunings(model: Path) -> None:
    plain = describe_model(str(model))
    assert (plain.path, plain.tunings, plain.cores) == (model, {}, usable_cores())
    assert plain.contract.digest is not None and plain.contract.without_digest() == STATIC
    tuning = Tuning(Choice("openvino", "fp32", 1), 2.0, 0.0, 0.005, "2026-11-21", ())
    for threads in (1, usable_cores() + 1):
        remember_choice(open_model_file(model), threads, tuning)
    assert describe_model(model).tunings == {1: tuning, usable_cores() + 1: tuning}


def test_what_is_not_a_model_file_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"is a TensorRT engine; give the \.onnx file"):
        describe_model(write_engine(tmp_path / "model.engine"))
    with pytest.raises(ModelFileError, match="does not exist"):
        describe_model(tmp_path / "nothing.onnx")
    model.write_bytes(model.read_bytes().replace(b"depthrt.contract", b"another.contract"))
    with pytest.raises(ContractError, match="carries no depthrt contract"):
        describe_model(model)
