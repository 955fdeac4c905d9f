from __future__ import annotations

from pathlib import Path

import onnx_ir
import pytest
from foreign_graphs import Graph, make_graph
from made import CONTRACT

from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.seal import check_whole
from depthrt.export.onnx_file import saved
from depthrt.export.onnx_file.saved import is_large, weights_bytes
from depthrt.export.onnx_file.saved import saved as save


def graph() -> onnx_ir.Model:
    return onnx_ir.from_proto(make_graph(Graph()))


def test_a_file_is_whole_once_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with save(graph(), path, CONTRACT) as (written, weights, contract):
        assert not path.exists() and written.exists() and weights is None
    assert read_contract(path) == contract and contract.digest is not None
    check_whole(path, contract, thorough=True)
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_a_block_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 10)
    with pytest.raises(KeyboardInterrupt), save(graph(), tmp_path / "model.onnx", CONTRACT) as (_, weights, _):
        assert weights is not None and weights.exists()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_weights_are_large_beyond_the_limit_of_protobuf(monkeypatch: pytest.MonkeyPatch) -> None:
    proto = make_graph(Graph())
    size_bytes = sum(len(tensor.raw_data) for tensor in proto.graph.initializer)
    assert weights_bytes(graph()) == size_bytes > 0 and not is_large(graph())
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", size_bytes - 1)
    assert is_large(graph())
