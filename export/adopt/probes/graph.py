"""Probes of a foreign graph before anything is changed in it: what reads its inputs, and what its outputs depend on."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir

from .finding import Finding


def probe_graph(model: onnx_ir.Model) -> tuple[Finding, ...]:
    """Return whether the graph has an input, reads each, and whether its outputs depend on one."""
    inputs = [value for value in model.graph.inputs if value.name not in model.graph.initializers]
    outputs = list(model.graph.outputs)
    if not inputs:
        return (
            Finding(
                "inputs",
                False,
                "the graph has no input: the exporter folded the image into a constant; export it again with the "
                "image as an input",
                {"inputs": 0},
            ),
        )
    unread = [value.name or "" for value in inputs if not _is_read(value)]
    reached = _reached(model, inputs)
    frozen = [value.name or "" for value in outputs if value not in reached]
    return (
        Finding("inputs", not unread, _unread(unread, len(inputs)), {"inputs": len(inputs), "unread": len(unread)}),
        Finding("outputs", not frozen, _frozen(frozen), {"outputs": len(outputs), "frozen": len(frozen)}),
    )


def _unread(names: list[str], count: int) -> str:
    if not names:
        return "every input is read" if count > 1 else "the input is read"
    which = f"input {names[0]} is" if len(names) == 1 else f"inputs {', '.join(names)} are"
    return f"{which} read by nothing, expected a graph that reads its image; export it again"


def _frozen(names: list[str]) -> str:
    if not names:
        return "every output depends on an input"
    which = f"output {names[0]} depends" if len(names) == 1 else f"outputs {', '.join(names)} depend"
    return (
        f"{which} on no input: the exporter folded the answer into a constant; name another with "
        "--output-name, or export it again"
    )


def _is_read(value: onnx_ir.Value) -> bool:
    return bool(value.uses()) or value.is_graph_output()


def _reached(model: onnx_ir.Model, inputs: list[onnx_ir.Value]) -> set[onnx_ir.Value]:
    """Return every value that depends on an input."""
    holders = dict(_holders(model.graph))
    reached, waiting = set(inputs), list(inputs)
    while waiting:
        for node, _ in waiting.pop().uses():
            holder: onnx_ir.Node | None = node
            while holder is not None:  # a node in a branch makes what the node with the branch makes
                fresh = [value for value in holder.outputs if value not in reached]
                reached.update(fresh)
                waiting += fresh
                holder = holders.get(holder)
    return reached


def _holders(graph: onnx_ir.Graph, holder: onnx_ir.Node | None = None) -> Iterator[tuple[onnx_ir.Node, onnx_ir.Node]]:
    """Yield each node of a branch or of the body of a loop, and the node that has it."""
    for node in graph:
        if holder is not None:
            yield node, holder
        for attribute in node.attributes.values():
            if attribute.type == onnx_ir.AttributeType.GRAPH:
                yield from _holders(attribute.as_graph(), node)
