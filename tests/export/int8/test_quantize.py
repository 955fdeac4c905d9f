from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from random_checkpoint import TINY
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt import BudgetError, InputError, ParityError, load
from depthrt.engine.modelfile.canary import canary_input, canary_slope, drift
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.model_file import as_model_file
from depthrt.engine.runners.open_runner import available_choices, open_runner
from depthrt.export.checkpoint.checkpoint import Checkpoint, read_checkpoint
from depthrt.export.int8 import quantize as quantize_module
from depthrt.export.int8.calibrate import calibrate
from depthrt.export.int8.int8_graph import find_layers, insert_int8
from depthrt.export.int8.quantize import quantize
from depthrt.export.parity.parity import make_batch
from depthrt.export.to_onnx import Exported, export_onnx

IMAGES = sorted(PHOTOS.glob("*.jpg"))
BUDGET = 0.05  # the tiny network is random and narrow: int8 in every layer takes 1 to 3 %
OTHER_RUNNER = 0.04  # runners round in other places, which measures 0.6 to 0.9 of the drift of int8 itself: 1 to 2 %
LINEAR = 4 * TINY.depth

Float32 = NDArray[np.float32]
CPU = Path("/proc/cpuinfo")
# Without VNNI an x86 CPU adds products of int8 in 16 bits, which overflow.
OVERFLOWS = (
    CPU.exists() and "sse2" in (flags := set(CPU.read_text().split())) and not flags & {"avx512_vnni", "avx_vnni"}
)


def read(tiny: TinyModel) -> Checkpoint:
    return read_checkpoint(tiny.checkpoint, family="depth-anything-v2", kind="inverse")


def export(tiny: TinyModel, path: Path, *, size: int | tuple[int, int], budget: float = BUDGET) -> Exported:
    return export_onnx(read(tiny), path, size=size, precision="int8", images=IMAGES, budget=budget)


@pytest.fixture(scope="module")
def static(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tiny, tmp_path_factory.mktemp("static") / "int8.onnx", size=(126, 196))


@pytest.fixture(scope="module")
def dynamic(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tiny, tmp_path_factory.mktemp("dynamic") / "int8.onnx", size=126)


def linear_graph(weights: Float32, bias: Float32) -> onnx.ModelProto:
    """Return image (N, K) @ weights + bias."""
    graph = make_graph(
        [make_node("MatMul", ["image", "w"], ["sum"], "product"), make_node("Add", ["sum", "b"], ["depth"], "plus")],
        "linear",
        [make_tensor_value_info("image", TensorProto.FLOAT, ["n", weights.shape[0]])],
        [make_tensor_value_info("depth", TensorProto.FLOAT, ["n", weights.shape[1]])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    return make_model(graph, opset_imports=[make_opsetid("", 23)], ir_version=10)


def answer_of(path: Path, batch: Float32, contract: Contract) -> Float32:
    runner = open_runner(as_model_file(path, replace(contract, precision="fp32")), device="cpu", threads=1)
    answer = runner.run(batch)
    runner.close()
    return answer


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def rounded_inputs(path: Path, operator: str) -> int:
    """Count the nodes of an operator whose first two inputs are rounded to int8."""
    graph = onnx.load(path).graph
    rounded = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    return sum(set(node.input[:2]) <= rounded for node in graph.node if node.op_type == operator)


@pytest.mark.skipif(OVERFLOWS, reason="this CPU has no VNNI: int8 is wrong on it, and the canary refuses it")
def test_an_int8_layer_is_off_by_no_more_than_its_roundings(tiny: TinyModel, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(32, 8)).astype(np.float32) * np.logspace(-3, 3, 8, dtype=np.float32)
    batch = random.uniform(-1, 3, size=(16, 32)).astype(np.float32)
    bias = np.array([1e6, -7, 0, 1, 2, 3, 4, 5], np.float32)  # the first takes more than int32 beside weights of 1e-3
    model = onnx_ir.from_proto(linear_graph(weights, bias))
    (layer,) = find_layers(model)
    insert_int8(model, [layer], {"image": (-1.0, 3.0)})
    onnx_ir.save(model, tmp_path / "int8.onnx")
    found = answer_of(tmp_path / "int8.onnx", batch, read_contract(tiny.onnx))
    step = 4 / 255
    of_input, of_weights = step / 2, np.abs(weights).max(axis=0) / 127 / 2  # half a step
    bound = of_input * np.abs(weights).sum(axis=0) + of_weights * (np.abs(batch).sum(axis=1, keepdims=True) + 32)
    bound += step * of_weights  # of the bias, whose steps are those of the products
    difference = np.abs(found - (batch @ weights + bias))
    assert (difference[:, 1:] <= bound[:, 1:]).all() and difference.max() > 0
    # One scale for all channels would leave nothing of the small ones.
    assert (difference[:, 1:].max(axis=0) < 0.1 * np.abs(batch @ weights)[:, 1:].max(axis=0)).all()
    assert found[:, 0] == pytest.approx(bias[0], rel=1e-6)  # its weights are coarser, the bias is whole


def test_zero_stays_zero_whatever_the_range(tiny: TinyModel, tmp_path: Path) -> None:
    for number, found in enumerate([(0.3, 2.7), (-0.17, 4.9), (-3.0, -1.0), (0.0, 0.0)]):
        model = onnx_ir.from_proto(linear_graph(np.ones((4, 4), np.float32), np.zeros(4, np.float32)))
        insert_int8(model, find_layers(model), {"image": found})
        onnx_ir.save(model, path := tmp_path / f"{number}.onnx")
        assert not answer_of(path, np.zeros((2, 4), np.float32), read_contract(tiny.onnx)).any()


def test_ranges_are_the_extremes_of_every_input_and_work_is_counted(tmp_path: Path) -> None:
    model = onnx_ir.from_proto(linear_graph(np.ones((4, 6), np.float32), np.zeros(6, np.float32)))
    layers = find_layers(model)
    batches = [np.full((2, 4), -1.5, np.float32), np.full((3, 4), 2.5, np.float32)]
    found = calibrate(model, tmp_path / "observed.onnx", layers, batches)
    assert found.ranges == {"image": (-1.5, 2.5)}
    assert found.work == {"product": (2 + 3) * 6 * 4} and found.share(layers) == 1


def test_every_layer_of_the_network_is_found_but_the_depth_itself(tiny_static: TinyModel) -> None:
    layers = find_layers(onnx_ir.load(tiny_static.onnx))
    modules = [layer.module for layer in layers]
    assert sum(layer.leaving is None for layer in layers) == LINEAR
    assert {f"pretrained.blocks.{number}.mlp.fc2" for number in range(TINY.depth)} < set(modules)
    assert len(set(modules)) == len(modules)
    assert "depth_head.scratch.output_conv2.0" in modules and "depth_head.scratch.output_conv2.2" not in modules


def test_the_file_says_what_it_is_and_is_valid(static: Exported, tiny_static: TinyModel) -> None:
    contract = read_contract(static.path)
    assert (contract.precision, contract.attention) == ("int8", "fused")
    onnx.checker.check_model(onnx.load(static.path))
    found = static.quantised
    assert found is not None and found.held_out and (found.ranged, found.measured) == (3, 1)
    assert found.layers == rounded_inputs(static.path, "MatMul") + rounded_inputs(static.path, "Conv")
    assert rounded_inputs(static.path, "MultiHeadAttention") == 0
    assert static.file_mib < 0.6 * tiny_static.onnx.stat().st_size / 2**20
    assert 0 < found.drift <= found.worst and found.drift <= BUDGET
    assert f"int8 in {found.layers} of {found.candidates} layers" in str(found)


def test_the_drift_that_is_stated_is_that_of_the_file(static: Exported, tiny_static: TinyModel) -> None:
    assert static.quantised is not None
    image = IMAGES[1]  # the one held out
    contract = read_contract(static.path)
    batch = make_batch(image, contract)
    found = drift(answer_of(static.path, batch, contract)[0], answer_of(tiny_static.onnx, batch, contract)[0])
    assert found == pytest.approx(static.quantised.drift, rel=1e-3)


def test_every_runner_answers_the_canary_of_an_int8_file(static: Exported) -> None:
    image = depthrt.read_image(IMAGES[0])
    choices = available_choices(read_contract(static.path), 1)
    assert {choice.runner for choice in choices} == {"onnxruntime", "openvino"}
    found = {}
    for choice in choices:
        try:
            with load(static.path, choice=choice) as model:
                depth = model.infer(image)
        except ParityError:  # which is what the canary is there for
            assert OVERFLOWS
            continue
        assert depth.provenance.precision == choice.precision
        assert any("in bf16 what" in note for note in depth.provenance.notes) == (choice.precision == "bf16")
        found[choice] = depth.values
    if not found:
        pytest.skip("no runner of this CPU is right in int8, and the canary refused them all")
    answers = list(found.values())
    assert all(drift(values, answers[0]) <= OTHER_RUNNER for values in answers)


def test_a_dynamic_int8_file_takes_any_size_and_batch(dynamic: Exported, static: Exported) -> None:
    contract = read_contract(dynamic.path)
    random = np.random.default_rng(1)
    for shape in ((1, 3, 126, 196), (3, 3, 196, 126), (2, 3, 70, 112)):
        batch = random.normal(size=shape).astype(np.float32)
        found = answer_of(dynamic.path, batch, contract)
        assert found.shape == (shape[0], *shape[2:])
        alone = answer_of(dynamic.path, batch[-1:], contract)
        assert drift(found[-1], alone[0]) <= OTHER_RUNNER
    assert [one.name for one in dynamic.parity] == ["a photograph", "a batch of two"]
    assert dynamic.quantised is not None and static.quantised is not None
    assert dynamic.quantised.candidates == static.quantised.candidates  # products that interpolate positions are none


def test_images_are_split_without_comparing_each_with_each() -> None:
    class Image(type(Path())):  # type: ignore[misc]
        def __eq__(self, other: object) -> bool:
            pytest.fail("thousands of images would take seconds so")

        __hash__ = Path.__hash__

    ranged, measured = quantize_module._split([Image(f"{number}.jpg") for number in range(12)])
    assert [path.stem for path in measured] == ["1", "4", "7", "10"]
    assert [path.stem for path in ranged] == ["0", "2", "3", "5", "6", "8", "9", "11"]


def test_a_smaller_budget_leaves_more_layers_in_float32(tiny: TinyModel, tiny_static: TinyModel) -> None:
    contract = read_contract(tiny_static.onnx)
    before = None
    model = onnx_ir.load(tiny_static.onnx)
    everything = quantize(model, contract, images=IMAGES, budget=0.9)
    assert everything.layers == everything.candidates and everything.share == 1
    seen = []
    for part in (0.7, 0.4):
        budget, model = part * everything.drift, onnx_ir.load(tiny_static.onnx)
        found = quantize(model, contract, images=IMAGES, budget=budget, on_step=lambda *step: seen.append(step))
        assert found.drift <= budget and found.share < 1
        assert before is None or found.layers <= before
        before = found.layers
    titles = {title for title, _, _ in seen}
    assert {"find the ranges", "try layers one by one", "find how many layers fit"} < titles
    assert all(0 <= done < wanted for _, done, wanted in seen)


def test_a_budget_that_nothing_fits_into_leaves_no_file(tiny: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match=r"int8 drifts \d.*% with all \d+ layers and .*no file is written; give a"):
        export(tiny, tmp_path / "model.onnx", size=(126, 196), budget=1e-6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"images": []}, {"budget": 0.0}, {"budget": 1.0}])
def test_no_images_or_no_share_is_refused(tiny_static: TinyModel, options: dict[str, object]) -> None:
    asked = {"images": IMAGES, **options}
    with pytest.raises(InputError, match="expected an image, and 0 to 1"):
        quantize(onnx_ir.load(tiny_static.onnx), read_contract(tiny_static.onnx), **asked)  # type: ignore[arg-type]


def test_the_canary_shows_a_scale_off_by_two_percent(static: Exported) -> None:
    contract = read_contract(static.path)
    answer = answer_of(static.path, canary_input(contract.canary.size_px, contract.mean, contract.std), contract)[0]
    assert contract.canary.tolerance == pytest.approx(1.5 * BUDGET)
    assert canary_slope(contract.canary, answer) == pytest.approx(1, abs=1e-3)
    assert canary_slope(contract.canary, answer * np.float32(1.02)) == pytest.approx(1.02, abs=1e-3)


def test_a_file_whose_int8_weights_were_damaged_is_refused(static: Exported, tmp_path: Path) -> None:
    damaged = onnx.load(shutil.copy(static.path, tmp_path / "damaged.onnx"))
    weights = next(one for one in damaged.graph.initializer if one.name.endswith(".weight.int8"))
    values = numpy_helper.to_array(weights)
    weights.CopyFrom(numpy_helper.from_array(values[::-1].copy(), weights.name))
    onnx.save(damaged, tmp_path / "damaged.onnx")
    with pytest.raises(ParityError, match="does not answer"):
        load(tmp_path / "damaged.onnx", device="cpu")
