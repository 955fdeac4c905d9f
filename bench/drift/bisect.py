"""Names the first layer where a model file departs from a float32 one, in about log2(nodes) runs on the CPU.

Both graphs are cut after the same node and run up to the cut, and all tensors that live at the cut are compared. A
fault shows at every cut after it, so a binary search finds the first wrong cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from ...engine.errors import ContractError, InputError, ModelFileError
from ...engine.images.preprocess import Float32
from ...engine.modelfile.canary import canary_input
from ...engine.modelfile.contract import Contract, read_contract
from ...engine.modelfile.seal import check_whole
from ...engine.runners.ort_session import CPU, import_onnxruntime, session_options
from ...engine.system.cores import usable_cores
from .graph_cuts import Cut, OnnxGraph, common_cuts, read_graph

# Largest relative difference of a sound layer. Measured on ViT-S with random weights: float32 on the CPU under 1e-6,
# float16 8e-4.
TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2}
_BLOCK_NAMES = 4  # parts in the name of a layer inside a block, such as pretrained.blocks.3.norm1


@dataclass(frozen=True, slots=True)
class Departure:
    """The first wrong layer.

    Args:
        node: Its name in the suspect's graph.
        op: Its operator.
        layer: Module of its parameters, or of the last layer before it with parameters.
        difference: |found - reference| of its output over |reference|, Euclidean lengths.
        before: The largest such difference of the tensors at the cut before it.
        island: Names of the suspect's nodes to compute in float32: all nodes of its module.
    """

    node: str
    op: str
    layer: str
    difference: float
    before: float
    island: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bisection:
    """Result of a search.

    Args:
        departure: None if the answers agree within the tolerance.
        difference: Of the answers.
        nodes: Number of places that were searched.
        runs: Of the suspect, and as many of the reference; at most log2(nodes) + 2.
        tolerance: A larger difference is a departure.
        notes: Files that were changed since their export; they are compared as they are.
    """

    departure: Departure | None
    difference: float
    nodes: int
    runs: int
    tolerance: float
    notes: tuple[str, ...] = ()


def bisect(
    reference: str | Path,
    suspect: str | Path,
    batch: Float32 | None = None,
    *,
    tolerance: float | None = None,
    threads: int | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> Bisection:
    """Search for the first layer where suspect departs from reference; blocks.

    ONNX Runtime does not fuse a compared tensor with the nodes after it, so a fault of a fusion itself is not found.

        found = bisect("fp32.onnx", "fp16.onnx")
        print(found.departure.layer if found.departure else "no departure")

    Args:
        reference: A float32 model file that depthrt wrote.
        suspect: Another one of the same network.
        batch: (N, 3, h, w) float32, normalised; None takes the canary's input.
        tolerance: None takes TOLERANCE of the suspect's precision.
        threads: CPU threads; None takes the cores that this process may use.
        on_step: Called with each step, as text.

    Raises:
        ModelFileError, ContractError: depthrt did not write a file.
        InputError: The files share no layer or no input size, or ONNX Runtime cannot run a file on a CPU.
    """
    exact, doubted = read_graph(Path(reference)), read_graph(Path(suspect))
    contract = read_contract(Path(suspect))
    batch = _canary(contract) if batch is None else batch
    for graph in (exact, doubted):
        _check_graph(graph, batch)
    search = _Search(
        exact,
        doubted,
        batch,
        tolerance or TOLERANCE.get(contract.precision, TOLERANCE["fp16"]),
        threads or usable_cores(),
        on_step,
    )
    return replace(search.run(), notes=tuple(filter(None, map(_change_of, (exact.path, doubted.path)))))


class _Search:
    def __init__(
        self,
        reference: OnnxGraph,
        suspect: OnnxGraph,
        batch: Float32,
        tolerance: float,
        threads: int,
        on_step: Callable[[str], None],
    ) -> None:
        self.reference, self.suspect, self.batch = reference, suspect, batch
        self.tolerance, self.threads, self.on_step = tolerance, threads, on_step
        self.cuts = common_cuts(reference, suspect)
        self.runs = 0

    def run(self) -> Bisection:
        wrong = len(self.cuts) - 1
        seen = {-1: 0.0, wrong: self._difference(self.cuts[wrong])}  # both get the same input
        answer = seen[wrong]
        if answer <= self.tolerance:
            return Bisection(None, answer, len(self.cuts), self.runs, self.tolerance)
        sound = -1
        while wrong - sound > 1:
            middle = (sound + wrong) // 2
            seen[middle] = self._difference(self.cuts[middle])
            if seen[middle] > self.tolerance:
                wrong = middle
            else:
                sound = middle
        departure = self._departure(wrong, seen[wrong], seen[sound])
        return Bisection(departure, answer, len(self.cuts), self.runs, self.tolerance)

    def _difference(self, cut: Cut) -> float:
        """Return the largest relative difference of the tensors that live at a cut."""
        self.runs += 1
        self.on_step(f"run {self.runs}: up to {self.suspect.nodes[cut.suspect_last].name}")
        expected = _answers(self.reference, cut.reference_last, cut.reference_tensors, self.batch, self.threads)
        found = _answers(self.suspect, cut.suspect_last, cut.suspect_tensors, self.batch, self.threads)
        return max(_distance(*pair) for pair in zip(found, expected, strict=True))

    def _departure(self, place: int, difference: float, before: float) -> Departure:
        index = self.cuts[place].suspect_last
        node = self.suspect.nodes[index]
        layers = self.suspect.layers()
        layer = next(filter(None, reversed(layers[: index + 1])), "")
        island = tuple(self.suspect.nodes[at].name for at in _island(layers, index))
        return Departure(node.name, node.op_type, layer, difference, before, island)


def _check_graph(graph: OnnxGraph, batch: Float32) -> None:
    """Raise InputError for a graph that ONNX Runtime cannot run on a CPU or on this batch."""
    if any(tensor.data_type == TensorProto.BFLOAT16 for tensor in graph.weights.values()):
        raise InputError(f"{graph.path} is in bf16, which ONNX Runtime cannot run on a CPU; bisect fp16 or int8")
    shape = graph.model.graph.input[0].type.tensor_type.shape
    sides = [dimension.dim_value for dimension in shape.dim][2:]  # 0 for any size
    if any(own and own != given for own, given in zip(sides, batch.shape[2:], strict=False)):
        own, given = ("x".join(map(str, size)) for size in (sides, batch.shape[2:]))
        raise InputError(f"{graph.path} takes only {own} px, the input has {given}; export both files at one size")


def _change_of(path: Path) -> str:
    """Return how a file was changed since its export, "" if it was not or has no contract."""
    try:
        contract = read_contract(path)
    except ContractError:
        return ""
    try:
        check_whole(path, contract)
    except ModelFileError as error:
        return str(error)
    return ""


def _canary(contract: Contract) -> Float32:
    return canary_input(contract.canary.size_px, contract.mean, contract.std)


def _answers(graph: OnnxGraph, last: int, tensors: tuple[str, ...], batch: Float32, threads: int) -> list[NDArray[Any]]:
    ort = import_onnxruntime()
    session = ort.InferenceSession(graph.part(last, tensors), session_options(ort, threads), providers=[CPU])
    answers: list[NDArray[Any]] = session.run(list(tensors), {graph.model.graph.input[0].name: batch})
    return answers


def _distance(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return |found - expected| / |expected|; infinite if found is not finite, 0 for integers."""
    if expected.dtype.kind != "f" or found.shape != expected.shape:
        return 0.0  # shapes differ if two nodes only look alike
    exact = expected.astype(np.float64)
    length = float(np.linalg.norm(exact))
    with np.errstate(invalid="ignore"):
        difference = float(np.linalg.norm(found.astype(np.float64) - exact))
    if not np.isfinite(difference):
        return float("inf")
    return difference / length if length else float(difference and np.inf)


def _island(layers: Sequence[str], index: int) -> range:
    """Return the nodes around `index` of the same module; a node without parameters belongs to the module before it."""
    belongs: list[str] = []
    for own in layers:
        belongs.append(own or (belongs[-1] if belongs else ""))
    names = belongs[index].split(".")
    module = names[:-1] if len(names) >= _BLOCK_NAMES else names
    inside = [name.split(".")[: len(module)] == module for name in belongs]
    first = next((at + 1 for at in range(index, -1, -1) if not inside[at]), 0)
    return range(first, next((at for at in range(index, len(inside)) if not inside[at]), len(inside)))
