"""One trace of a network for all tests that export it alike: tracing takes most of the time of a small export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import onnx_ir
import pytest

from depthrt.engine.modelfile.contract import Contract
from depthrt.export import to_onnx
from depthrt.export.network.network import Network
from depthrt.export.trace import trace

_TRACES: dict[tuple[object, ...], onnx.ModelProto] = {}


def trace_once(network: Network, contract: Contract) -> onnx_ir.Model:
    """Return a fresh copy of the graph that `trace` returns; each distinct graph is traced once a test run."""
    rule = contract.size
    key = (
        contract.source_sha256,
        contract.family,
        contract.max_depth_m,
        rule.multiple_px,
        rule.base_px if rule.static else None,  # a dynamic graph is the same for every base
        "fp32" if contract.precision == "int8" else contract.precision,  # int8 is inserted into the float32 graph
        contract.attention,
    )
    if key not in _TRACES:
        _TRACES[key] = onnx_ir.to_proto(trace(network, contract))
    return onnx_ir.from_proto(_TRACES[key])


@contextmanager
def shared_traces() -> Iterator[None]:
    """Let exports in the block take graphs from trace_once; for small networks, whose graphs stay in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_onnx, "trace", trace_once)
        yield
