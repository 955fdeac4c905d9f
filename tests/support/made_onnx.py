"""ONNX files with metadata and one weight, which no runner has to run."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from depthrt.engine.modelfile.contract import METADATA_KEY, Contract, read_contract
from depthrt.engine.modelfile.onnx_metadata import encode_entry, read_onnx_entries
from depthrt.engine.modelfile.seal import seal_file


def onnx_file(path: Path, metadata: dict[str, str], *, weight_bytes: int = 4) -> Path:
    """Write an ONNX file whose only weight has so many bytes; return its path."""
    weight = helper.make_tensor("w", TensorProto.UINT8, [weight_bytes], bytes(weight_bytes), raw=True)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "graph",
        [],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [weight_bytes])],
        [weight],
    )
    model = helper.make_model(graph, producer_name="test", doc_string="é")
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def unsealed(path: Path, contract: Contract | None = None) -> Path:
    """Take the digest out of a model file, as older versions wrote it; `contract` replaces its contract."""
    contract = contract or read_contract(path)
    _cut_contract(path)
    with path.open("ab") as file:
        file.write(encode_entry(METADATA_KEY, contract.without_digest().to_json()))
    return path


def sealed_again(path: Path, contract: Contract | None = None) -> Path:
    """Make the digest of a model file that was changed; `contract` replaces its contract."""
    contract = contract or read_contract(path)
    _cut_contract(path)
    seal_file(path, contract)
    return path


def with_contract(onnx_path: Path, path: Path, contract: Contract) -> Path:
    """Write a model file with another contract; return its path."""
    path.write_bytes(onnx_path.read_bytes())
    return sealed_again(path, contract)


def _cut_contract(path: Path) -> None:
    entry, data = read_onnx_entries(path)[METADATA_KEY], path.read_bytes()
    path.write_bytes(data[: entry.start] + data[entry.end :])
