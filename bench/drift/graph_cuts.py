"""Two ONNX graphs of one network, cut at the same places; what lives at a cut tells whether all before it is sound."""

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
class Graph:
    """An ONNX graph, its nodes in the order in which they run.

    Args:
        path: Its file.
        model: What onnx read.
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
        """Return the names under which nodes use weights, those behind a Cast included."""
        casts = {node.output[0] for node in self.nodes if node.op_type == "Cast" and node.input[0] in self.weights}
        return casts | set(self.weights)

    def layers(self) -> list[str]:
        """Return for each node the module whose parameters it uses, such as "pretrained.blocks.3.mlp.fc1", or ""."""
        parameters = self.parameters()
        layers = [_module(name for name in node.input if name in parameters) for node in self.nodes]
        user = {name: layer for node, layer in zip(self.nodes, layers, strict=True) for name in node.input if layer}
        for index, node in enumerate(self.nodes):
            # Exporters transpose a linear layer's weight under a number for a name; its bias comes next.
            if not layers[index] and node.op_type == "MatMul" and parameters & set(node.input):
                layers[index] = user.get(node.output[0], "")
        return layers

    def part(self, last: int, outputs: Sequence[str]) -> bytes:
        """Return a model file of the nodes up to `last`, that answers with the named tensors."""
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
    """A place in both graphs: after the nodes at these indices the named tensors live, in the same order."""

    reference_last: int
    suspect_last: int
    reference_tensors: tuple[str, ...]
    suspect_tensors: tuple[str, ...]


def read_graph(path: Path) -> Graph:
    """Read a model file, weights included.

    Raises:
        ModelFileError: It is missing or no ONNX file.
    """
    try:
        model = onnx.load(path)
    except Exception as error:  # onnx raises what protobuf raises
        raise ModelFileError(
            f"{path} cannot be read as ONNX ({' '.join(str(error).split())}); export it again"
        ) from error
    return Graph(path, model, {weight.name: weight for weight in model.graph.initializer})


def _module(parameters: Iterable[str]) -> str:
    named = next((name for name in parameters if "." in name), "")
    return named.removeprefix("network.").rpartition(".")[0]


def common_cuts(reference: Graph, suspect: Graph) -> list[Cut]:
    """Return a cut after every node that both graphs have, in the order in which they run.

    Nodes are matched by their operator and parameters in sequence, not by name: exporters count names anew.

    Raises:
        InputError: The graphs have nothing in common.
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
            (ours, theirs)
            for index in live
            for ours, theirs in zip(
                reference.nodes[matched[index][0]].output, suspect.nodes[matched[index][1]].output, strict=False
            )
            if ours and theirs
        ]
        cuts.append(Cut(first, second, tuple(ours for ours, _ in names), tuple(theirs for _, theirs in names)))
    return cuts


def _matched(reference: Graph, suspect: Graph) -> list[tuple[int, int]]:
    ours, theirs = _signatures(reference), _signatures(suspect)
    matcher = SequenceMatcher(None, [text for _, text in ours], [text for _, text in theirs], autojunk=False)
    return [
        (ours[block.a + step][0], theirs[block.b + step][0])
        for block in matcher.get_matching_blocks()
        for step in range(block.size)
    ]


def _signatures(graph: Graph) -> list[tuple[int, str]]:
    """Return index and a text, alike in both graphs, of each node that computes numbers."""
    types = {info.name: info.type.tensor_type.elem_type for info in graph.model.graph.value_info}
    parameters = graph.parameters()
    found = []
    for index, node in enumerate(graph.nodes):
        if node.op_type in _WITHOUT_ARITHMETIC or types.get(node.output[0]) in _NO_NUMBERS:
            continue
        named = sorted(name for name in node.input if name in parameters and "." in name)
        found.append((index, " ".join((node.op_type, *named))))
    return found


def _last_uses(graph: Graph, kept: Sequence[int]) -> list[int]:
    """Return for each kept node the place, among the kept, of the last that needs it; len(kept) for the answer.

    A node that is not kept hands on what it is made of.
    """
    places = {index: place for place, index in enumerate(kept)}
    made_of: dict[str, frozenset[int]] = {}
    last_use = [-1] * len(kept)
    for index, node in enumerate(graph.nodes):
        needed = frozenset[int]().union(*(made_of.get(name, frozenset()) for name in node.input))
        place = places.get(index)
        if place is not None:
            for source in needed:
                last_use[source] = place
        made_of.update(dict.fromkeys(node.output, needed if place is None else frozenset({place})))
    for output in graph.model.graph.output:
        for source in made_of.get(output.name, frozenset()):
            last_use[source] = len(kept)
    return last_use
