"""Models are loaded once for all their names, and all or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_model import TinyModel

from depthrt.engine.errors import ModelFileError
from depthrt.serve.infer.models import Models
from depthrt.serve.infer.served_model import ServedModel
from depthrt.serve.settings import Settings


def test_names_of_one_file_share_its_weights(tiny: TinyModel, tiny_metric: TinyModel) -> None:
    models = Models(Settings(models={"mirror": tiny.onnx, "b": tiny_metric.onnx, "c": tiny.onnx}, threads=1))
    assert models.get("mirror") is models.get("c") is not models.get("b")
    assert models.lineup.names == ["mirror", "b", "c"]
    assert models.lineup.get("b")[1].kind == "metric" != models.lineup.get("c")[1].kind
    models.close()


def test_a_model_that_fails_frees_the_others(tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[ServedModel] = []

    def close(self: ServedModel) -> None:
        freed.append(self)

    monkeypatch.setattr(ServedModel, "close", close)
    with pytest.raises(ModelFileError, match="does not exist"):
        Models(Settings(models={"a": tiny.onnx, "b": tmp_path / "missing.onnx"}, threads=1))
    assert len(freed) == 1
