"""Holds that the search names the node whose weights were spoilt, wherever that is, in the stated number of runs."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from tiny_model import TinyModel

from depthrt.bench.drift.bisect import TOLERANCE, bisect
from depthrt.engine.errors import ContractError, InputError, ModelFileError
from depthrt.export.to_onnx import Exported

SPOILT = 1.5  # times the weights

# Weight, module that is to be named. Linear weights have numbers for names, so they are found by their place.
FAULTS = [
    ("network.pretrained.patch_embed.proj.weight", "pretrained.patch_embed.proj"),
    ("network.pretrained.blocks.0.norm1.weight", "pretrained.blocks.0.norm1"),
    ("network.pretrained.blocks.2.attn.qkv.bias", "pretrained.blocks.2.attn.qkv"),
    ("MatMul 7", "pretrained.blocks.1.mlp.fc2"),
    ("network.pretrained.norm.weight", "pretrained.norm"),
    ("network.depth_head.projects.3.weight", "depth_head.projects.3"),
    ("network.depth_head.scratch.refinenet2.out_conv.weight", "depth_head.scratch.refinenet2.out_conv"),
    ("network.depth_head.scratch.output_conv2.2.weight", "depth_head.scratch.output_conv2.2"),
]


def named(model: onnx.ModelProto, weight: str) -> str:
    """Return the initializer that is meant: by name, or of the MatMul with weights of that number."""
    if not weight.startswith("MatMul"):
        names = {one.name for one in model.graph.initializer}
        return weight if weight in names else f"{weight}.half"
    known = {one.name for one in model.graph.initializer}
    behind = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    used = [
        behind.get(name, name)
        for node in model.graph.node
        if node.op_type == "MatMul"
        for name in node.input
        if behind.get(name, name) in known
    ]
    return str(used[int(weight.split()[1])])


def spoil(path: Path, weight: str, target: Path) -> set[str]:
    """Write a copy with one weight spoilt; return the names of the nodes that use it."""
    model = onnx.load(path)
    name = named(model, weight)
    found = next(one for one in model.graph.initializer if one.name == name)
    values = numpy_helper.to_array(found)
    found.CopyFrom(numpy_helper.from_array((values * SPOILT).astype(values.dtype), name))
    onnx.save(model, target)
    alike = {name} | {node.output[0] for node in model.graph.node if node.input and node.input[0] == name}
    return {node.name for node in model.graph.node if alike & set(node.input)}


@pytest.mark.parametrize(("weight", "layer"), FAULTS)
def test_a_planted_fault_is_named(tiny_static: TinyModel, tmp_path: Path, weight: str, layer: str) -> None:
    users = spoil(tiny_static.onnx, weight, tmp_path / "spoilt.onnx")
    found = bisect(tiny_static.onnx, tmp_path / "spoilt.onnx", threads=1)
    assert found.runs <= math.log2(found.nodes) + 2
    assert found.departure is not None
    assert found.departure.node in users
    assert found.departure.layer == layer
    assert found.departure.before <= TOLERANCE["fp32"] < found.departure.difference
    assert found.departure.node in found.departure.island


@pytest.mark.parametrize(("weight", "layer"), [FAULTS[1], FAULTS[3], FAULTS[6]])
def test_a_fault_is_named_across_precisions(
    tiny_static: TinyModel, tiny_half: TinyModel, tmp_path: Path, weight: str, layer: str
) -> None:
    users = spoil(tiny_half.onnx, weight, tmp_path / "spoilt.onnx")
    found = bisect(tiny_static.onnx, tmp_path / "spoilt.onnx", threads=1)
    assert found.runs <= math.log2(found.nodes) + 2
    assert found.tolerance == TOLERANCE["fp16"]
    assert found.departure is not None
    assert found.departure.node in users
    assert found.departure.layer == layer


def test_sound_files_are_let_go_after_one_run(tiny_static: TinyModel, tiny_half: TinyModel) -> None:
    for suspect in (tiny_static, tiny_half):
        found = bisect(tiny_static.onnx, suspect.onnx, threads=1)
        assert (found.departure, found.runs) == (None, 1)
        assert found.difference <= found.tolerance


def test_a_tighter_tolerance_finds_where_fp16_begins_to_differ(tiny_static: TinyModel, tiny_half: TinyModel) -> None:
    found = bisect(tiny_static.onnx, tiny_half.onnx, tolerance=1e-6, threads=1)
    assert found.departure is not None
    assert found.departure.layer in ("pretrained", "pretrained.patch_embed.proj")  # the first arithmetic in float16


def test_the_island_is_the_module_of_the_fault(tiny_static: TinyModel, tmp_path: Path) -> None:
    spoil(tiny_static.onnx, "MatMul 7", tmp_path / "spoilt.onnx")  # mlp.fc2 of block 1
    found = bisect(tiny_static.onnx, tmp_path / "spoilt.onnx", threads=1)
    assert found.departure is not None
    model = onnx.load(tiny_static.onnx)
    island = [node for node in model.graph.node if node.name in found.departure.island]
    parameters = {name for node in island for name in node.input if name.startswith("network.")}
    assert parameters == {f"network.pretrained.blocks.1.mlp.fc{number}.bias" for number in (1, 2)}
    assert [node.op_type for node in island].count("MatMul") == 2


def test_a_fault_that_makes_nan_is_found(tiny_static: TinyModel, tmp_path: Path) -> None:
    model = onnx.load(tiny_static.onnx)
    name = "network.pretrained.blocks.3.norm2.bias"
    weight = next(one for one in model.graph.initializer if one.name in (name, f"{name}.half"))
    values = numpy_helper.to_array(weight).copy()
    values[0] = np.nan
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    onnx.save(model, tmp_path / "nan.onnx")
    found = bisect(tiny_static.onnx, tmp_path / "nan.onnx", threads=1)
    assert found.difference == math.inf
    assert found.departure is not None
    assert found.departure.layer == "pretrained.blocks.3.norm2"


def test_a_file_that_was_changed_since_its_export_is_named(tiny_static: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "changed.onnx"
    spoil(tiny_static.onnx, FAULTS[1][0], path)
    changed = r"changed\.onnx was changed since it was exported"
    (note,) = bisect(tiny_static.onnx, path, threads=1).notes
    assert re.search(changed, note)
    (note,) = bisect(path, tiny_static.onnx, threads=1).notes
    assert re.search(changed, note)
    assert bisect(tiny_static.onnx, tiny_static.onnx, threads=1).notes == ()


def test_every_step_is_told(tiny_static: TinyModel, tmp_path: Path) -> None:
    spoil(tiny_static.onnx, FAULTS[1][0], tmp_path / "spoilt.onnx")
    steps: list[str] = []
    found = bisect(tiny_static.onnx, tmp_path / "spoilt.onnx", threads=1, on_step=steps.append)
    assert [step.split(":")[0] for step in steps] == [f"run {number + 1}" for number in range(found.runs)]


def test_files_that_cannot_be_searched_are_refused(tiny_static: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelFileError, match="cannot be read as ONNX"):
        bisect(tmp_path / "text.onnx", tiny_static.onnx)
    with pytest.raises((ModelFileError, ContractError)):
        bisect(tiny_static.onnx, tmp_path / "text.onnx")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Tan", ["image"], ["depth"])],
        "other",
        [onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1])],
        [onnx.helper.make_tensor_value_info("depth", onnx.TensorProto.FLOAT, [1])],
    )
    onnx.save(onnx.helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(InputError, match="share no node, expected two files of one network"):
        bisect(tmp_path / "other.onnx", tiny_static.onnx)


def test_files_that_the_search_cannot_run_are_refused(
    tiny: TinyModel, tiny_static: TinyModel, tiny_bf16: Exported
) -> None:
    with pytest.raises(InputError, match=r"bf16\.onnx is in bf16, which ONNX Runtime cannot run on a CPU"):
        bisect(tiny.onnx, tiny_bf16.path)
    with pytest.raises(InputError, match=r"takes only \d+x\d+ px, the input has 252x336; export both"):
        bisect(tiny_static.onnx, tiny.onnx)
