"""The metadata of an ONNX file, read without its graph, and files that are not whole ONNX files."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import CONTRACT
from made_onnx import onnx_file

from depthrt import ModelFileError
from depthrt.engine.modelfile import onnx_metadata
from depthrt.engine.modelfile.contract import METADATA_KEY, read_contract
from depthrt.engine.modelfile.onnx_metadata import read_onnx_metadata


def test_every_entry_is_read_as_the_onnx_library_reads_it(tmp_path: Path) -> None:
    metadata = {"a": "", "": "b", "long": "x" * 70_000, "ünï": "東京"}
    path = onnx_file(tmp_path / "model.onnx", metadata, weight_bytes=3_000_000)
    assert read_onnx_metadata(path) == metadata == {one.key: one.value for one in onnx.load(path).metadata_props}


def test_a_file_without_metadata_has_none(tmp_path: Path) -> None:
    assert read_onnx_metadata(onnx_file(tmp_path / "model.onnx", {})) == {}


def test_an_entry_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx", {METADATA_KEY: CONTRACT.to_json()})
    again = onnx.ModelProto()
    again.metadata_props.add(key=METADATA_KEY, value="{}")
    path.write_bytes(path.read_bytes() + again.SerializeToString())
    with pytest.raises(
        ModelFileError, match=r"not a whole ONNX file \(metadata 'depthrt\.contract' stands twice in it\)"
    ):
        read_contract(path)


def test_an_entry_that_is_too_long_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_metadata, "_LONGEST_ENTRY", 1000)
    path = onnx_file(tmp_path / "model.onnx", {"long": "x" * 1000, "short": "y" * 900})
    assert read_onnx_metadata(path) == {"short": "y" * 900}


@pytest.mark.parametrize("keep", [0, 1, 10, 100, 1000])
def test_a_cut_file_is_refused_in_one_line(tmp_path: Path, keep: int) -> None:
    whole = onnx_file(tmp_path / "whole.onnx", {METADATA_KEY: CONTRACT.to_json()}, weight_bytes=2000)
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(ModelFileError, match="not a whole ONNX file") as caught:
        read_contract(cut)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello, this is text\n" * 40, "is not a whole ONNX file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "is an image, expected an ONNX model"),
        (b"PK\x03\x04" * 99, "is a checkpoint, expected an ONNX model"),
    ],
)
def test_a_file_of_another_format_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        read_contract(path)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(data=st.binary(max_size=200))
def test_noise_is_refused_in_one_line_or_has_a_graph(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.onnx"
    path.write_bytes(data)
    try:
        assert isinstance(read_onnx_metadata(path), dict) and b"\x3a" in data  # the tag of a graph
    except ModelFileError as error:
        text = str(error)
        assert ("is not a whole ONNX file" in text or "expected an ONNX model" in text) and "\n" not in text
