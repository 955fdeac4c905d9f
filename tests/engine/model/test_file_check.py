from __future__ import annotations

from pathlib import Path

import pytest
from made_engine import write_engine, write_mean
from made_onnx import sealed_again, unsealed
from tiny_model import TinyModel

from depthrt import InputError
from depthrt.engine.model.file_check import check_file


@pytest.fixture
def copy(tiny: TinyModel, tmp_path: Path) -> Path:
    path = tmp_path / "copy.onnx"
    path.write_bytes(tiny.onnx.read_bytes())
    return path


def outcomes(path: Path) -> dict[str, str]:
    return {check.what: check.outcome for check in check_file(path)}


def flip(path: Path, byte: int) -> None:
    data = bytearray(path.read_bytes())
    data[byte] ^= 1
    path.write_bytes(data)


def test_a_whole_file_passes_both_and_the_canary_is_asked_each_time(copy: Path) -> None:
    for _ in range(2):
        sums, canary = check_file(copy)
        assert (sums.outcome, canary.outcome) == ("right", "right")
        assert "onnxruntime fp32 on CPUExecutionProvider: drift" in canary.detail


def test_a_damaged_file_is_not_opened(copy: Path) -> None:
    flip(copy, copy.stat().st_size // 2)
    sums, canary = check_file(copy)
    assert sums.outcome == "wrong" and f"{copy} was changed since it was exported, or is damaged" in sums.detail
    assert (canary.outcome, canary.detail) == ("not checked", "the file is damaged")


def test_a_file_without_a_digest_has_its_canary_only(copy: Path) -> None:
    assert outcomes(unsealed(copy)) == {"sha256": "not checked", "canary": "right"}


def test_a_file_that_answers_otherwise_is_wrong_whatever_its_digest(tmp_path: Path) -> None:
    path = sealed_again(write_mean(tmp_path / "mean.onnx"))  # its canary has an answer of zeros
    assert outcomes(path) == {"sha256": "right", "canary": "wrong"}


def test_the_plan_of_an_engine_is_verified_without_a_gpu(tmp_path: Path) -> None:
    path = write_engine(tmp_path / "model.engine")
    sums, canary = check_file(path)
    assert (sums.outcome, sums.detail) == ("right", "of the header and of the plan")
    assert canary.outcome == "not checked" and "NVIDIA GPU" in canary.detail
    flip(path, path.stat().st_size - 1)
    sums, _ = check_file(path)
    assert sums.outcome == "wrong" and "its plan has another sha256 than its header says" in sums.detail


def test_a_file_that_carries_no_hash_is_refused(tiny: TinyModel) -> None:
    with pytest.raises(InputError, match=r"tiny\.pth carries no hash of itself; give a model file"):
        check_file(tiny.checkpoint)
