"""One trace of a network for all tests that export it alike: tracing takes most of the time of a small export."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import onnx_ir
import pytest

from depthrt.engine.modelfile.contract import Contract
from depthrt.export import to_onnx
from depthrt.export.network.network import Network
from depthrt.export.trace import trace

# A folder of traces kept by keep_traces; planted_faults.py names it for faults that a trace cannot depend on.
KEPT = "DEPTHRT_TESTS_TRACES"
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
        kept = _file(Path(os.environ[KEPT]), key) if KEPT in os.environ else None
        _TRACES[key] = onnx.load(kept) if kept and kept.exists() else onnx_ir.to_proto(trace(network, contract))
    return onnx_ir.from_proto(_TRACES[key])


@contextmanager
def shared_traces() -> Iterator[None]:
    """Let exports in the block take graphs from trace_once; for small networks, whose graphs stay in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_onnx, "trace", trace_once)
        yield


def keep_traces(folder: Path) -> None:
    """Write the traces of this test run that a folder lacks."""
    for key, graph in _TRACES.items():
        path = _file(folder, key)
        if not path.exists():
            half = path.with_suffix(f".{os.getpid()}")
            half.write_bytes(graph.SerializeToString())
            half.rename(path)


def _file(folder: Path, key: tuple[object, ...]) -> Path:
    return folder / f"{hashlib.sha256(repr(key).encode()).hexdigest()}.onnx"
