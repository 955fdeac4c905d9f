"""A sound file passes every probe; each fault is found by the probe for it, in one line with numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edited_graphs import Edit, with_ending
from made_foreign import MAX_DEPTH_M, contract_of_theirs

from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.shipped import model_path
from depthrt.export.adopt.probes.finding import Finding
from depthrt.export.adopt.probes.probe import probe

ALL = ["runs", "finite", "image", "repeat", "sizes", "batch", "direction", "colours"]
INVERSE, METRIC = contract_of_theirs(), contract_of_theirs("metric")


def failed(path: Path, contract: Contract) -> dict[str, Finding]:
    return {found.name: found for found in probe(path, contract) if not found.passed}


def test_a_sound_inverse_file_passes(renamed: Path) -> None:
    found = probe(renamed, INVERSE)
    assert [one.name for one in found if not one.passed] == []
    assert [one.name for one in found] == ALL


def test_a_sound_metric_file_passes(renamed_metric: Path) -> None:
    found = {one.name: one for one in probe(renamed_metric, METRIC)}
    assert all(one.passed for one in found.values())
    assert 0.5 < found["metres"].figures["factor"] < 2


def test_the_model_that_comes_with_depthrt_passes() -> None:
    path = model_path("default")
    assert failed(path, read_contract(path)) == {}


BROKEN: dict[str, tuple[Edit, str, str]] = {
    "constant": (
        lambda end: end.add("Mul", 0.0).add("Add", 1.5), "image", "is 1.5 everywhere, expected depth that varies",
    ),
    "nan": (lambda end: end.add("Sub", 0.7).add("Sqrt"), "finite", "is not finite, expected none"),
    "endless": (lambda end: end.add("Add", 60.0).add("Exp").add("Mul", 1e30), "finite", "100% of its answer to"),
    "swapped": (
        lambda end: end.add("Neg"), "direction", "expected near large, as kind inverse promises; try --kind metric or",
    ),
    "random": (
        lambda end: end.add("Add", end.aside("RandomNormalLike", scale=0.2)), "repeat", "draws random numbers",
    ),
    "mixes its batch": (
        lambda end: end.add("Add", end.aside("ReduceMax", np.array([0]), keepdims=1)), "batch", "mixes the images",
    ),
    "bakes a size": (
        lambda end: end.add("Slice", np.array([0]), np.array([7]), np.array([2])), "runs", "expected 1x98x126",
    ),
    "bakes a batch": (
        lambda end: end.add("Slice", np.array([0]), np.array([1]), np.array([0])), "batch", "the graph baked a batch",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_found_by_its_probe(fault: str, renamed: Path, tmp_path: Path) -> None:
    edit, name, words = BROKEN[fault]
    found = failed(with_ending(renamed, tmp_path / "broken.onnx", edit), INVERSE)
    assert words in found[name].sentence
    assert "\n" not in found[name].sentence


METRES: dict[str, tuple[Edit, str]] = {
    "millimetres": (lambda end: end.add("Mul", 1000.0), "its unit is another"),
    "a bare sigmoid": (lambda end: end.add("Mul", 1 / MAX_DEPTH_M), "expected 0.125 to 8"),
    "below 0": (lambda end: end.add("Sub", 4.0), "expected above 0 for kind metric"),
    "over the promised": (lambda end: end.add("Mul", 3.0), "expected at most --max-depth 20"),
}


@pytest.mark.parametrize("fault", METRES)
def test_metres_that_are_none_are_found(fault: str, renamed_metric: Path, tmp_path: Path) -> None:
    edit, words = METRES[fault]
    contract = METRIC if fault == "over the promised" else replace(METRIC, max_depth_m=None)
    found = failed(with_ending(renamed_metric, tmp_path / "broken.onnx", edit), contract)
    assert words in found["metres"].sentence


def test_metric_depth_under_the_name_of_inverse_is_swapped(renamed_metric: Path) -> None:
    found = failed(renamed_metric, INVERSE)
    assert found["direction"].figures["agreement"] < -0.5
