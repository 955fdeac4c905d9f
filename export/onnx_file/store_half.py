"""Weights that float16 holds exactly are stored as float16: half the file size, the same numbers."""

from __future__ import annotations

import numpy as np
import onnx_ir

SMALLEST_BYTES = 4096  # of a tensor; for smaller ones the Cast costs more than it saves


def store_half(model: onnx_ir.Model) -> int:
    """Store float32 initializers as float16 with a Cast to float32, unless a value would change.

    Runtimes fold the Cast when they load the file, so the arithmetic stays float32.

    Returns:
        The number of bytes saved.
    """
    graph = model.graph
    saved = 0
    for name, value in list(graph.initializers.items()):
        tensor = value.const_value
        if tensor is None or tensor.dtype != onnx_ir.DataType.FLOAT or tensor.nbytes < SMALLEST_BYTES:
            continue
        weights = tensor.numpy()
        with np.errstate(over="ignore"):
            half = weights.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), weights):
            continue
        stored = onnx_ir.Value(name=f"{name}.half", const_value=onnx_ir.tensor(half, name=f"{name}.half"))
        stored.shape, stored.dtype = value.shape, onnx_ir.DataType.FLOAT16
        cast = onnx_ir.node("Cast", [stored], {"to": int(onnx_ir.DataType.FLOAT)}, num_outputs=1)
        cast.outputs[0].shape, cast.outputs[0].dtype = value.shape, onnx_ir.DataType.FLOAT
        del graph.initializers[name]
        graph.register_initializer(stored)
        value.replace_all_uses_with(cast.outputs[0])
        graph.insert_before(graph[0], cast)
        cast.outputs[0].name = name
        saved += half.nbytes
    return saved
