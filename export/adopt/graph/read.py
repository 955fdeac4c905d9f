"""Reads the graph of an ONNX file of others; its weights may lie beside it, inside its folder only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx_ir
from onnx_ir import AttributeType, ExternalTensor
from onnx_ir.passes.common import RemoveInitializersFromInputsPass, ShapeInferencePass
from onnx_ir.traversal import RecursiveGraphIterator

from ....engine.errors import InputError, ModelFileError
from ....engine.modelfile.contract import METADATA_KEY
from ....engine.modelfile.onnx_metadata import read_onnx_metadata
from ...hub_cache import find_snapshot
from ...onnx_file.external import leads_out
from ...onnx_file.saved import weights_bytes

_INFERABLE_BYTES = 1 << 30  # of weights; shape inference serialises them, and protobuf ends at 2 GiB


def read_graph(path: Path) -> onnx_ir.Model:
    """Read an ONNX file; weights beside it stay there until they are used.

    Inputs that are also weights, as in files of IR version 3, are inputs no more.

    Raises:
        InputError: depthrt wrote the file.
        ModelFileError: It is not a whole ONNX file; or a file of its weights is missing, too short or outside its
            folder.
    """
    if METADATA_KEY in read_onnx_metadata(path):
        raise InputError(f"{path} is a model file of depthrt, which needs no adoption; use it as it is")
    try:
        model = onnx_ir.load(path)
    except Exception as error:  # protobuf's, and onnx_ir's for what it does not know
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ModelFileError(f"{path} is not an ONNX graph that can be read ({reason}); download it again") from error
    for tensor in external_tensors(model):
        _check_external(path, tensor)
    RemoveInitializersFromInputsPass()(model)
    return model


def infer_shapes(model: onnx_ir.Model) -> None:
    """Find the shapes of outputs that the file does not state, as far as the onnx library finds them."""
    if weights_bytes(model) <= _INFERABLE_BYTES:
        ShapeInferencePass(check_type=False, strict_mode=False, data_prop=True)(model)


def external_tensors(model: onnx_ir.Model) -> Iterator[ExternalTensor]:
    """Yield the tensors of a model, subgraphs and functions included, that lie in other files."""
    graphs = [model.graph, *(function.graph for function in model.functions.values())]
    for graph in graphs:
        yield from _external(value.const_value for value in graph.initializers.values())
        for node in RecursiveGraphIterator(graph):
            for attribute in node.attributes.values():
                if attribute.type == AttributeType.TENSOR:
                    yield from _external([attribute.value])
                elif attribute.type == AttributeType.TENSORS:
                    yield from _external(attribute.value)
                elif attribute.type == AttributeType.GRAPH:
                    yield from _external(value.const_value for value in attribute.as_graph().initializers.values())


def _external(tensors: object) -> Iterator[ExternalTensor]:
    return (tensor for tensor in tensors if isinstance(tensor, ExternalTensor))  # type: ignore[attr-defined]


def _check_external(path: Path, tensor: ExternalTensor) -> None:
    """Raise ModelFileError unless a tensor lies in the folder of the file, or in the blobs of its snapshot."""
    location = str(tensor.location)
    if leads_out(location):
        raise ModelFileError(
            f"{path} takes weights from {location!r}, outside its folder; they are not read: export it again, with its "
            "weights beside it"
        )
    file = path.parent / location
    if not _is_within(path.parent, file):
        raise ModelFileError(f"{path} takes weights from {location!r}, a link out of its folder; copy the file there")
    needed = (tensor.offset or 0) + (tensor.length or 0)
    try:
        size = file.stat().st_size if file.is_file() else None
    except OSError:
        size = None
    if size is None:
        raise ModelFileError(f"{path} has its weights in {location}, which is not beside it; put both into one folder")
    if (tensor.offset or 0) < 0 or size < needed:
        raise ModelFileError(f"{file} has {size} bytes, {path.name} takes {needed} from it; download it again")


def _is_within(folder: Path, file: Path) -> bool:
    """Return whether a file, once its links are followed, is in a folder, or in the blobs of the hub's cache."""
    final, home = file.resolve(), folder.resolve()
    if final.is_relative_to(home):
        return True
    snapshot = find_snapshot(folder.absolute())
    return snapshot is not None and final.is_relative_to(snapshot.blobs)
