from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from depthrt import InputError, ModelFileError
from depthrt.export.adopt.source import find_source


def test_a_file_is_its_own_source(tmp_path: Path) -> None:
    path = tmp_path / "theirs.onnx"
    path.write_bytes(b"graph")
    found = find_source(path)
    assert (found.path, found.folder, found.name, found.label) == (path, tmp_path, "theirs.onnx", "theirs")
    assert found.sha256 == sha256(b"graph").hexdigest()


def test_settings_lie_beside_the_file_or_above_a_folder_named_onnx(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    path = tmp_path / "onnx" / "model_q4.onnx"
    path.write_bytes(b"graph")
    assert find_source(path).folder == find_source(tmp_path).folder == tmp_path
    assert find_source(path).label == f"{tmp_path.name}-model_q4"
    (tmp_path / "onnx" / "config.json").write_text("{}")
    assert find_source(path).folder == tmp_path / "onnx"


def test_a_file_of_the_hubs_cache_has_its_repository_and_revision(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--onnx-community--depth-anything-v2-small" / "snapshots" / "0123abc"
    (snapshot / "onnx").mkdir(parents=True)
    (snapshot / "onnx" / "model.onnx").write_bytes(b"graph")
    found = find_source(snapshot)
    assert found.name == "onnx-community/depth-anything-v2-small@0123abc"
    assert found.label == "depth-anything-v2-small-model" and found.repository in found.names


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"holds no \.onnx file; give the file itself"):
        find_source(tmp_path)
    with pytest.raises(ModelFileError, match=r"nothing\.onnx cannot be read: No such file"):
        find_source(tmp_path / "nothing.onnx")
    (tmp_path / "onnx").mkdir()
    for name in ("a.onnx", "onnx/model.onnx"):
        (tmp_path / name).write_bytes(b"graph")
    with pytest.raises(InputError, match=r"holds 2 ONNX files: a\.onnx, onnx/model\.onnx; give one of them"):
        find_source(tmp_path)
