"""The files in which an ONNX file keeps its weights, as its graph names them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ...engine.errors import FetchError
from ..onnx_file.external import leads_out

if TYPE_CHECKING:
    from onnx import TensorProto


def locations_in(path: Path, folder: PurePosixPath) -> set[str]:
    """Return the files that hold weights of an ONNX file, by their paths in its repository.

    Nothing is found without the onnx library (extra `export`); `adopt`, which needs it, names a file that is missing.

    Args:
        path: The ONNX file, on this machine.
        folder: Of the file in its repository.

    Raises:
        FetchError: It is no ONNX file, or names a file outside its folder.
    """
    try:
        import onnx
    except ImportError:
        return set()
    try:
        graph = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's, which the onnx library does not name
        raise FetchError(f"{path} is no ONNX file, though its name says so; choose another file") from error
    found = {location for tensor in _tensors(graph) for location in _locations(tensor)}
    for location in found:
        if leads_out(location):
            raise FetchError(f"{path} names a file outside its folder, {location!r}; do not use it")
    return {str(folder / location) for location in found}


def _tensors(message: Any) -> Iterator[TensorProto]:  # noqa: ANN401 (any message of the graph)
    """Yield the tensors of a graph, of its subgraphs and of its functions."""
    from onnx import TensorProto

    if isinstance(message, TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in [value] if hasattr(value, "ListFields") else value:
                yield from _tensors(one)


def _locations(tensor: TensorProto) -> Iterator[str]:
    """Yield the location of a tensor that lies in another file."""
    if tensor.data_location == tensor.EXTERNAL:
        yield from (entry.value for entry in tensor.external_data if entry.key == "location")
