from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest
from foreign_graphs import Graph, make_graph, write_graph
from onnx import external_data_helper

from depthrt import InputError, ModelFileError
from depthrt.engine.modelfile.shipped import model_path
from depthrt.export.adopt.graph.read import external_tensors, infer_shapes, read_graph


def with_weights_beside(path: Path, name: str = "theirs.onnx_data") -> Path:
    """Write a graph whose weights lie in another file."""
    onnx.save(make_graph(Graph()), path, save_as_external_data=True, location="theirs.onnx_data", size_threshold=0)
    if name != "theirs.onnx_data":
        model = onnx.load(path, load_external_data=False)
        for tensor in external_data_helper._get_all_tensors(model):
            for entry in tensor.external_data:
                entry.value = name if entry.key == "location" else entry.value
        path.write_bytes(model.SerializeToString())
    return path


def test_weights_beside_a_file_are_found(tmp_path: Path) -> None:
    model = read_graph(with_weights_beside(tmp_path / "theirs.onnx"))
    found = list(external_tensors(model))
    assert found and {str(tensor.location) for tensor in found} == {"theirs.onnx_data"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret", r"takes weights from '\.\./secret', outside its folder; they are not read"),
        ("/etc/passwd", r"takes weights from '/etc/passwd', outside its folder"),
        ("a/../../secret", r"outside its folder"),
        ("C:\\\\secret", r"outside its folder"),
        ("..\\\\secret", r"outside its folder"),
        ("gone.data", r"has its weights in gone\.data, which is not beside it; put both into one folder"),
    ],
)
def test_weights_outside_the_folder_or_gone_are_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x" * 4096)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ModelFileError, match=message) as caught:
        read_graph(with_weights_beside(folder / "theirs.onnx", name.replace("\\\\", "\\")))
    assert "\n" not in str(caught.value)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = with_weights_beside(folder / "theirs.onnx")
    (folder / "theirs.onnx_data").rename(tmp_path / "elsewhere")
    (folder / "theirs.onnx_data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelFileError, match=r"'theirs\.onnx_data', a link out of its folder; copy the file there"):
        read_graph(path)


def test_a_snapshot_of_the_hubs_cache_may_link_to_its_blobs(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "models--org--name" / "blobs", tmp_path / "models--org--name" / "snapshots" / "0123"
    blobs.mkdir(parents=True)
    (snapshot / "onnx").mkdir(parents=True)
    path = with_weights_beside(snapshot / "onnx" / "model.onnx")
    for file in list((snapshot / "onnx").iterdir()):
        file.rename(blobs / file.name)
        file.symlink_to(os.path.relpath(blobs / file.name, file.parent))
    assert list(external_tensors(read_graph(path)))


def test_weights_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    path = with_weights_beside(tmp_path / "theirs.onnx")
    weights = tmp_path / "theirs.onnx_data"
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(ModelFileError, match=r"theirs\.onnx_data has \d+ bytes, theirs\.onnx takes \d+ from it; down"):
        read_graph(path)


def test_what_is_no_foreign_onnx_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a model file of depthrt, which needs no adoption; use it as it is"):
        read_graph(model_path("default"))
    pointer = tmp_path / "pointer.onnx"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(ModelFileError, match=r"pointer\.onnx"):
        read_graph(pointer)
    damaged = write_graph(tmp_path / "damaged.onnx", Graph())
    damaged.write_bytes(damaged.read_bytes()[:-30])
    with pytest.raises(ModelFileError, match=r"damaged\.onnx is not a whole ONNX file"):
        read_graph(damaged)


def test_weights_that_are_inputs_too_are_inputs_no_more(tmp_path: Path) -> None:
    model = make_graph(Graph())
    for weight in model.graph.initializer:
        model.graph.input.append(onnx.helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    onnx.save(model, tmp_path / "theirs.onnx")
    assert [value.name for value in read_graph(tmp_path / "theirs.onnx").graph.inputs] == ["pixel_values"]


def test_shapes_that_are_not_stated_are_found(tmp_path: Path) -> None:
    graph = Graph(depth_dims=None, depth_axes="n1hw")
    model = read_graph(write_graph(tmp_path / "theirs.onnx", graph))
    assert model.graph.outputs[0].shape is None
    infer_shapes(model)
    assert model.graph.outputs[0].shape is not None and len(model.graph.outputs[0].shape) == 4
