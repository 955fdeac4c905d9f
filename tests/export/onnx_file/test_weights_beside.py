"""Files of weights beside ONNX files: found by name, and removed once no ONNX file names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import CONTRACT

from depthrt.engine.modelfile.contract import Contract
from depthrt.export.onnx_file.weights_beside import fresh_name, remove_orphans, weights_of


def write(folder: Path, name: str, *weights: Path) -> Path:
    """Write a file that names weights as an ONNX file does, somewhere in its bytes."""
    path = folder / name
    path.write_bytes(b"\x08\x0a" + b"location".join(file.name.encode() for file in weights) + bytes(100))
    return path


def fresh(folder: Path, contract: Contract = CONTRACT) -> Path:
    path = fresh_name(folder / "model.onnx", contract.to_json())
    path.write_bytes(b"weights")
    return path


def test_each_name_is_new_and_ends_with_the_contracts_hash(tmp_path: Path) -> None:
    names = {fresh(tmp_path).name for _ in range(5)}
    assert len(names) == 5
    (ending,) = {name.rsplit("-", 1)[1] for name in names}
    assert len(ending) == len("0123456789ab.data") and ending.endswith(".data")
    assert all(name.startswith("model-") for name in names)


def test_the_weights_of_a_file_are_those_that_it_names(tmp_path: Path) -> None:
    mine, other = fresh(tmp_path), fresh(tmp_path)
    path = write(tmp_path, "model.onnx", mine)
    assert weights_of(path) == [mine]
    assert set(weights_of(write(tmp_path, "two.onnx", mine, other))) == {mine, other}
    assert weights_of(write(tmp_path, "whole.onnx")) == []


def test_files_that_no_export_wrote_are_not_taken_for_weights(tmp_path: Path) -> None:
    theirs = tmp_path / "model.data"
    theirs.write_bytes(b"theirs")
    assert weights_of(write(tmp_path, "model.onnx", theirs)) == []


@pytest.mark.parametrize("name", ["missing.onnx", "empty.onnx", "folder.onnx"])
def test_a_file_that_is_not_there_names_nothing(name: str, tmp_path: Path) -> None:
    fresh(tmp_path)
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "folder.onnx").mkdir()
    assert weights_of(tmp_path / name) == []


def test_a_link_has_the_weights_of_the_file_that_it_means(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    weights = fresh(tmp_path / "real")
    path = write(tmp_path / "real", "model.onnx", weights)
    (tmp_path / "link.onnx").symlink_to(path)
    assert weights_of(tmp_path / "link.onnx") == [weights]


@pytest.mark.parametrize("name", ["other.onnx", "model.onnx.bak"])
def test_weights_stay_while_a_file_beside_them_names_them(name: str, tmp_path: Path) -> None:
    used, unused = fresh(tmp_path), fresh(tmp_path)
    keeper = write(tmp_path, name, used)
    remove_orphans([used, unused])
    assert used.is_file() and not unused.exists()
    keeper.unlink()
    remove_orphans([used, unused])  # which is gone already
    assert not used.exists()


@pytest.mark.parametrize("character", ["a", "\u6df1"])
def test_weights_beside_a_file_of_a_long_name_have_a_name_that_the_disk_takes(tmp_path: Path, character: str) -> None:
    path = tmp_path / (character * (248 // len(character.encode())) + ".onnx")
    weights = fresh_name(path, CONTRACT.to_json())
    weights.write_bytes(b"weights")
    assert weights.name.startswith(character * 50) and len(weights.name.encode()) <= 255
    assert weights_of(write(tmp_path, path.name, weights)) == [weights]
