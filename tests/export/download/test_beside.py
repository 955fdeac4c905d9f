from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from depthrt import FetchError
from depthrt.export.download.beside import locations_in


def tensor(name: str, location: str) -> TensorProto:
    """Return a tensor whose numbers lie in another file."""
    made = numpy_helper.from_array(np.zeros(3, np.float32), name)
    made.ClearField("raw_data")
    made.data_location = TensorProto.EXTERNAL
    made.external_data.add(key="location", value=location)
    return made


def graph_of(*initializers: TensorProto, nodes: tuple[onnx.NodeProto, ...] = ()) -> onnx.GraphProto:
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])]
    return helper.make_graph(list(nodes), "graph", [], outputs, list(initializers))


def written(path: Path, graph: onnx.GraphProto) -> Path:
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def test_weights_are_found_in_graphs_subgraphs_and_constants(tmp_path: Path) -> None:
    constant = helper.make_node("Constant", [], ["c"], value=tensor("c", "constant.bin"))
    inner = graph_of(tensor("i", "inner.bin"))
    branch = helper.make_node("If", ["a"], ["y"], then_branch=inner, else_branch=inner)
    graph = graph_of(tensor("a", "model.onnx_data"), tensor("b", "model.onnx_data"), nodes=(constant, branch))
    found = locations_in(written(tmp_path / "model.onnx", graph), PurePosixPath("onnx"))
    assert found == {"onnx/model.onnx_data", "onnx/constant.bin", "onnx/inner.bin"}


def test_a_file_that_holds_its_weights_has_none_beside_it(tmp_path: Path) -> None:
    graph = graph_of(numpy_helper.from_array(np.zeros(3, np.float32), "y"))
    assert locations_in(written(tmp_path / "model.onnx", graph), PurePosixPath(".")) == set()


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../b", "..\\b", "C:\\b"])
def test_weights_outside_the_folder_are_refused(location: str, tmp_path: Path) -> None:
    path = written(tmp_path / "model.onnx", graph_of(tensor("a", location)))
    with pytest.raises(FetchError, match="names a file outside its folder"):
        locations_in(path, PurePosixPath("onnx"))


def test_what_is_no_onnx_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(FetchError, match=r"model\.onnx is no ONNX file, though its name says so"):
        locations_in(tmp_path / "model.onnx", PurePosixPath("."))
