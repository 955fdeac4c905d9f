from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from made_report import BF16, EAGER, FP32, INT8, make_report
from random_checkpoint import TINY
from tiny_model import PHOTOS, TinyModel
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from depthrt.bench.cpu import cpu_subjects, to_table, with_shares
from depthrt.bench.machine.ceilings import count_work
from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.bench.subjects.naive_export import write_naive
from depthrt.bench.subjects.subject import open_subject
from depthrt.bench.subjects.torch_runner import TorchForm, open_torch
from depthrt.engine.errors import InputError
from depthrt.engine.images.read import read_image

SIZE = (98, 126)
OPTIONS = CheckpointOptions(SIZE, "depth-anything-v2", "inverse")
TOLERANCE = 1e-4  # of the range: the bar for float32
BF16_TOLERANCE = 0.2  # largest, of the range; bf16 keeps 8 bits, and a wrong graph is off by the whole range


def test_every_way_of_a_cpu_answers_like_torch(tiny: TinyModel, tmp_path: Path) -> None:
    found = cpu_subjects(tiny.checkpoint, [tiny.onnx], OPTIONS, tmp_path, threads=1, compiled=False)
    names = [one.name for one in found]
    assert names[0] == "tiny.pth torch fp32 cpu"
    assert {"naive export onnxruntime fp32", "tiny.onnx cpu"} <= set(names)
    image = read_image(PHOTOS / "coffee.jpg")
    answers = {}
    for one in found:
        if one.name.startswith(("tiny.pth", "naive")):  # the model file has another size
            with open_subject(one).model as model:
                answers[one.name] = model.infer(image).values
    reference = answers[names[0]]
    for name, values in answers.items():
        tolerance = TOLERANCE if "fp32" in name else BF16_TOLERANCE
        assert np.abs(values - reference).max() / np.ptp(reference) < tolerance, name


def test_a_folder_of_transformers_is_exported_with_its_own_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = Dinov2Config(  # type: ignore[call-arg]
        hidden_size=64, num_hidden_layers=4, num_attention_heads=1, mlp_ratio=2, image_size=70, patch_size=14,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False,
    )  # fmt: skip
    theirs = DepthAnythingForDepthEstimation(
        DepthAnythingConfig(
            backbone_config=backbone,
            reassemble_hidden_size=64,
            neck_hidden_sizes=[8, 12, 16, 24],
            fusion_hidden_size=16,
        )
    )
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.05)
        theirs.get_parameter("head.conv3.bias").fill_(1)  # above the last ReLU
    theirs.save_pretrained(tmp_path / "saved")
    options = CheckpointOptions(
        (70, 70), "depth-anything-v2"
    )  # the table's own grid, where transformers does not resample it otherwise
    write_naive(tmp_path / "saved", options, tmp_path / "naive.onnx")
    graph = onnx.load(tmp_path / "naive.onnx").graph
    assert sum(node.op_type == "IsNaN" for node in graph.node) == backbone.num_hidden_layers  # its own attention
    with open_torch(tmp_path / "saved", options, TorchForm("cpu", "fp32", False, 1)) as model:
        batch = np.random.default_rng(0).standard_normal((1, 3, 70, 70)).astype(np.float32)
        expected = model.runner.run(batch)
    (answer,) = onnxruntime.InferenceSession(tmp_path / "naive.onnx").run(None, {"image": batch})
    assert np.abs(answer - expected).max() < TOLERANCE * np.ptp(expected)


def test_a_naive_export_asks_for_one_size(tiny: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="518 found, expected HxW"):
        cpu_subjects(tiny.checkpoint, [], CheckpointOptions(size=518), tmp_path, threads=1)


def test_work_is_that_of_the_products_and_convolutions(tiny: TinyModel) -> None:
    grid = SIZE[0] // TINY.patch_px, SIZE[1] // TINY.patch_px
    cells, tokens, width = grid[0] * grid[1], grid[0] * grid[1] + 1, TINY.width
    linear = 2 * tokens * width * (3 * width + width + 2 * TINY.hidden)
    blocks = TINY.depth * (linear + 4 * tokens**2 * width)
    work = count_work(tiny.checkpoint, OPTIONS) * 1e9
    assert blocks < work
    twice = count_work(tiny.checkpoint, replace(OPTIONS, size=(2 * SIZE[0], SIZE[1]))) * 1e9
    attention = TINY.depth * 4 * width * ((2 * cells + 1) ** 2 - 2 * tokens**2)  # grows as the square, all else alike
    assert twice == pytest.approx(2 * work + attention, rel=0.01)


def test_each_subject_tells_its_share_of_its_own_precisions_ceiling() -> None:
    report = make_report(only=(EAGER, FP32, BF16, INT8))
    shown = with_shares(report, 115.0, {"fp32": 200.0, "bf16": 400.0})
    facts = {one.name: one.facts for one in shown.subjects}
    kernel = {one.name: one.latency[0].p50_ms.value for one in report.subjects if one.latency}
    assert int(facts[BF16]["GFLOP/s"]) == round(115e3 / kernel[BF16])
    assert float(facts[FP32]["of ceiling"].rstrip("%")) == pytest.approx(115e3 / kernel[FP32] / 2, abs=0.51)
    assert "of ceiling" not in facts[INT8]
    lines = to_table(shown).splitlines()
    assert len(lines) == 1 + len(report.subjects)
    assert "no CUDA device" in lines[-1]
