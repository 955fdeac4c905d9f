"""Two ONNX graphs of one network, cut at the same places; the tensors that live at a cut depend on all before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import onnx

from ...engine.errors import InputError, ModelFileError

_WITHOUT_ARITHMETIC = ("Cast", "Identity", "Constant", "Shape")  # precisions and exporters differ in these
_NO_NUMBERS = (onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.BOOL)


@dataclass(frozen=True, slots=True, eq=False)
class OnnxGraph:
    """An ONNX graph, its nodes in the order in which they run.

    Args:
        path: Its file.
        model: onnx's ModelProto.
        weights: Initializers by name.
    """

    path: Path
    model: Any
    weights: dict[str, Any]

    @property
    def nodes(self) -> Sequence[Any]:
        """Return the nodes."""
        nodes: Sequence[Any] = self.model.graph.node
        return nodes

    def parameters(self) -> set[str]:
        """Return the names of the tensors that are weights, directly or through a Cast."""
        casts = {node.output[0] for node in self.nodes if node.op_type == "Cast" and node.input[0] in self.weights}
        return casts | set(self.weights)

    def layers(self) -> list[str]:
        """Return for each node the module of its parameters, such as "pretrained.blocks.3.mlp.fc1", or ""."""
        parameters = self.parameters()
        layers = [_module(name for name in node.input if name in parameters) for node in self.nodes]
        user = {name: layer for node, layer in zip(self.nodes, layers, strict=True) for name in node.input if layer}
        for index, node in enumerate(self.nodes):
            # Exporters give a linear layer's transposed weight a number as its name; the node of its bias comes next.
            if not layers[index] and node.op_type == "MatMul" and parameters & set(node.input):
                layers[index] = user.get(node.output[0], "")
        return layers

    def part(self, last: int, outputs: Sequence[str]) -> bytes:
        """Return a model file of the nodes up to `last` with the named tensors as outputs."""
        whole = self.model.graph
        nodes = whole.node[: last + 1]
        used = {name for node in nodes for name in node.input}
        graph = onnx.helper.make_graph(
            nodes,
            whole.name,
            whole.input,
            [onnx.helper.make_empty_tensor_value_info(name) for name in outputs],
            [weight for name, weight in self.weights.items() if name in used],
        )
        model = onnx.helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)
        file: bytes = model.SerializeToString()
        return file


@dataclass(frozen=True, slots=True)
class Cut:
    """A place in both graphs: the last nodes before it, and the tensors that live there, in the same order."""

    reference_last: int
    suspect_last: int
    reference_tensors: tuple[str, ...]
    suspect_tensors: tuple[str, ...]


def read_graph(path: Path) -> OnnxGraph:
    """Read a model file, weights included.

    Raises:
        ModelFileError: The file is missing or is not an ONNX file.
    """
    try:
        model = onnx.load(path)
    except Exception as error:  # onnx raises what protobuf raises
        raise ModelFileError(
            f"{path} cannot be read as ONNX ({' '.join(str(error).split())}); export it again"
        ) from error
    return OnnxGraph(path, model, {weight.name: weight for weight in model.graph.initializer})


def _module(parameters: Iterable[str]) -> str:
    named = next((name for name in parameters if "." in name), "")
    return named.removeprefix("network.").rpartition(".")[0]


def common_cuts(reference: OnnxGraph, suspect: OnnxGraph) -> list[Cut]:
    """Return a cut after every node that both graphs have, in the order in which they run.

    Nodes are matched by their operator and parameters in sequence, not by name: each export numbers its names.

    Raises:
        InputError: The graphs share no node.
    """
    matched = _matched(reference, suspect)
    if not matched:
        raise InputError(f"{reference.path} and {suspect.path} share no node, expected two files of one network")
    last_use = _last_uses(reference, [first for first, _ in matched])
    cuts = []
    live: list[int] = []
    for place, (first, second) in enumerate(matched):
        live = [index for index in (*live, place) if last_use[index] > place]
        names = [
            (exact, doubted)
            for index in live
            for exact, doubted in zip(
                reference.nodes[matched[index][0]].output, suspect.nodes[matched[index][1]].output, strict=False
            )
            if exact and doubted
        ]
        cuts.append(Cut(first, second, tuple(exact for exact, _ in names), tuple(doubted for _, doubted in names)))
    return cuts


def _matched(reference: OnnxGraph, suspect: OnnxGraph) -> list[tuple[int, int]]:
    exact, doubted = _signatures(reference), _signatures(suspect)
    matcher = SequenceMatcher(None, [text for _, text in exact], [text for _, text in doubted], autojunk=False)
    return [
        (exact[block.a + step][0], doubted[block.b + step][0])
        for block in matcher.get_matching_blocks()
        for step in range(block.size)
    ]


def _signatures(graph: OnnxGraph) -> list[tuple[int, str]]:
    """Return the index and signature of each node that computes numbers; equal nodes have equal signatures."""
    types = {info.name: info.type.tensor_type.elem_type for info in graph.model.graph.value_info}
    parameters = graph.parameters()
    found = []
    for index, node in enumerate(graph.nodes):
        if node.op_type in _WITHOUT_ARITHMETIC or types.get(node.output[0]) in _NO_NUMBERS:
            continue
        named = sorted(name for name in node.input if name in parameters and "." in name)
        found.append((index, " ".join((node.op_type, *named))))
    return found


def _last_uses(graph: OnnxGraph, kept: Sequence[int]) -> list[int]:
    """Return for each kept node the place, among the kept, of the last node that needs it; len(kept) for the answer.

    A node that is not kept passes on the kept nodes that it depends on.
    """
    places = {index: place for place, index in enumerate(kept)}
    depends: dict[str, frozenset[int]] = {}
    last_use = [-1] * len(kept)
    for index, node in enumerate(graph.nodes):
        needed = frozenset[int]().union(*(depends.get(name, frozenset()) for name in node.input))
        place = places.get(index)
        if place is not None:
            for source in needed:
                last_use[source] = place
        depends.update(dict.fromkeys(node.output, needed if place is None else frozenset({place})))
    for output in graph.model.graph.output:
        for source in depends.get(output.name, frozenset()):
            last_use[source] = len(kept)
    return last_use
