"""A file is quantised within a drift budget, states its drift, and every runner answers its canary."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest
from int8_graphs import answer_of
from made import CONTRACT
from made_onnx import sealed_again
from onnx import numpy_helper
from tiny_model import PHOTOS, TinyModel, export_again

import depthrt
from depthrt import BudgetError, InputError, ParityError, load
from depthrt.engine.modelfile.canary import canary_input, canary_slope, drift
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.open_runner import available_choices
from depthrt.engine.runners.openvino_runner import sums_int8_exactly
from depthrt.export.int8 import quantize as quantize_module
from depthrt.export.int8.quantize import quantize
from depthrt.export.parity.parity import make_batch
from depthrt.export.to_onnx import Exported

IMAGES = sorted(PHOTOS.glob("*.jpg"))
BUDGET = 0.05  # the tiny network is random and narrow: int8 in every layer takes 1 to 3 %
OTHER_RUNNER = 0.04  # runners round in other places, which measures 0.6 to 0.9 of the drift of int8 itself: 1 to 2 %


def export(tiny: TinyModel, path: Path, *, size: int | tuple[int, int], budget: float = BUDGET) -> Exported:
    return export_again(tiny, path, size=size, precision="int8", images=IMAGES, budget=budget)


@pytest.fixture(scope="module")
def static(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tiny, tmp_path_factory.mktemp("static") / "int8.onnx", size=(126, 196))


@pytest.fixture(scope="module")
def dynamic(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tiny, tmp_path_factory.mktemp("dynamic") / "int8.onnx", size=126)


def rounded_inputs(path: Path, operator: str) -> int:
    """Count the nodes of an operator whose first two inputs are rounded to int8."""
    graph = onnx.load(path).graph
    rounded = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    return sum(set(node.input[:2]) <= rounded for node in graph.node if node.op_type == operator)


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
    assert {choice.runner for choice in choices} == {"onnxruntime", *(["openvino"] if sums_int8_exactly() else [])}
    found = {}
    for choice in choices:
        with load(static.path, choice=choice) as model:
            depth = model.infer(image)
        assert depth.provenance.precision == choice.precision
        assert any("in bf16 what" in note for note in depth.provenance.notes) == (choice.precision == "bf16")
        found[choice] = depth.values
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
    assert [compared.name for compared in dynamic.parity] == ["a photograph", "a batch of two"]
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
    weights = next(tensor for tensor in damaged.graph.initializer if tensor.name.endswith(".weight.int8"))
    values = numpy_helper.to_array(weights)
    weights.CopyFrom(numpy_helper.from_array(values[::-1].copy(), weights.name))
    onnx.save(damaged, tmp_path / "damaged.onnx")
    sealed_again(tmp_path / "damaged.onnx")  # so that the canary has to notice
    with pytest.raises(ParityError, match="does not answer"):
        load(tmp_path / "damaged.onnx", device="cpu")


def test_a_cpu_without_vnni_is_named_before_the_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Begun(Exception):
        """The work has begun."""

    def begin(model: object) -> None:
        raise Begun

    monkeypatch.setattr("depthrt.export.int8.quantize.lacks_vnni", lambda: True)
    monkeypatch.setattr("depthrt.export.int8.quantize.find_layers", begin)
    with caplog.at_level(logging.WARNING, logger="depthrt"), pytest.raises(Begun):
        quantize(None, CONTRACT, images=[Path("a.jpg")])  # type: ignore[arg-type]
    (message,) = caplog.messages
    assert "this CPU has no VNNI" in message and "--precision fp32" in message
