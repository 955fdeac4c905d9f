from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_engine import make_header, write_engine

from depthrt import ModelFileError
from depthrt.engine.modelfile.model_file import as_model_file
from depthrt.engine.trt.engine_file import EngineFile, open_engine_file


def test_an_engine_file_is_a_model_file_with_its_header(tmp_path: Path) -> None:
    path = write_engine(tmp_path / "model.engine")
    found = open_engine_file(path)
    assert isinstance(found, EngineFile) and found.header == make_header()
    file = as_model_file(path, make_header().contract)
    assert (found.path, found.contract, found.identity) == (file.path, file.contract, file.identity)


def test_the_plan_is_not_read(tmp_path: Path) -> None:
    path = write_engine(tmp_path / "model.engine")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert open_engine_file(path).header == make_header()


def test_another_contract_keeps_the_header(tmp_path: Path) -> None:
    found = open_engine_file(write_engine(tmp_path / "model.engine"))
    other = replace(found.contract, producer="depthrt other")
    changed = found.with_contract(other)
    assert isinstance(changed, EngineFile) and changed.header == found.header and changed.contract == other


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.engine", "nothing.engine does not exist; give the .onnx file"),
        ("", "is a folder, expected an .onnx or .engine file"),
        ("text.engine", "text.engine is not an engine file of depthrt; make one with: depthrt build"),
    ],
)
def test_what_is_not_an_engine_file_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "text.engine").write_text("text")
    with pytest.raises(ModelFileError, match=message):
        open_engine_file(tmp_path / name)
