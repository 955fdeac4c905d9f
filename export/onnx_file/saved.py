"""Writes a graph and its contract as a model file that gets its name only if all that follows ends well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx_ir

from ...engine.modelfile.contract import Contract
from ...engine.modelfile.seal import seal_file
from ...engine.system.files import atomic_path, sync_file
from .weights_beside import fresh_name, remove_orphans, weights_of

PROTOBUF_LIMIT_BYTES = 1_900_000_000  # protobuf ends at 2 GiB; larger weights go into a file beside


@contextmanager
def saved(model: onnx_ir.Model, path: Path, contract: Contract) -> Iterator[tuple[Path, Path | None, Contract]]:
    """Write the file and its contract under a temporary name that becomes `path` when the block ends well.

    Weights too large for one ONNX file go into a file beside it with a new name, so that a failed export never
    touches the weights of an older file at `path`; those are removed when that file is replaced.

    Yields:
        The temporary path; the path of the weights, None if the ONNX file holds them; the contract with its digest.
    """
    weights = fresh_name(path, contract.to_json()) if is_large(model) else None
    try:
        with (
            atomic_path(path) as written,
            written.open("wb"),
        ):  # an open file is not taken for the rest of a killed export
            onnx_ir.save(model, written, external_data=weights.name if weights else None)
            if weights is not None:
                sync_file(weights)  # before the ONNX file that names it appears
            yield written, weights, seal_file(written, contract, weights)
            replaced = weights_of(path)  # only now: another export may have written the file meanwhile
    except BaseException:
        if weights is not None:
            remove_orphans([weights])
        raise
    remove_orphans(replaced)


def is_large(model: onnx_ir.Model) -> bool:
    """Return whether the weights of a graph are too large for one ONNX file."""
    return weights_bytes(model) > PROTOBUF_LIMIT_BYTES


def weights_bytes(model: onnx_ir.Model) -> int:
    """Return the bytes of the weights of a graph, without those of its subgraphs."""
    values = (value.const_value for value in model.graph.initializers.values())
    return sum(tensor.nbytes for tensor in values if tensor is not None)
