"""A training checkpoint of any trainer becomes a plain official one; what it gave, kept and missed is reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files import hugging_face
from random_checkpoint import TINY, random_network, save_official
from safetensors.torch import save_file
from tiny_training import QUICK, Brightness, assert_same, run, weights
from torch import Tensor

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint
from depthrt.finetune.adapt.lora import add_updates, with_updates_added
from depthrt.finetune.adapt.merge import Merged, merge_checkpoint

State = dict[str, Tensor]
SAME = 1e-6
HALF = 5e-3  # steps of float16 at the largest weight, about 4
QKV = "pretrained.blocks.0.attn.qkv"


@pytest.fixture
def official(tmp_path: Path) -> Path:
    return save_official(random_network(TINY), tmp_path / "depth_anything_v2_vits.pth")


def state(seed: int) -> State:
    return dict(random_network(TINY, seed=seed).state_dict())


def merged(data: object, official: Path, **options: Any) -> tuple[Merged, State]:  # noqa: ANN401
    path = official.parent / "trained.pth"
    torch.save(data, path)
    found = merge_checkpoint(path, official, official.parent / "out.pth", **options)
    return found, torch.load(found.path, weights_only=True)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"model": {f"module.{name}": value for name, value in s.items()}, "epoch": 3},
        lambda s: {"state_dict": {f"net.{name}": value for name, value in s.items()}, "optimizer": {"state": {}}},
        lambda s: {"model": s, "model_ema": {name: value + 1 for name, value in s.items()}},
        lambda s: {f"_orig_mod.module.{name}": value.half() for name, value in s.items()},
    ],
    ids=["plain", "upstream", "lightning", "with an average", "compiled, half"],
)
def test_the_weights_of_a_trainer_go_into_the_official_layout(wrap: Any, official: Path) -> None:  # noqa: ANN401
    found, tensors = merged(wrap(state(1)), official)
    assert list(tensors) == list(state(0)) and {value.dtype for value in tensors.values()} == {torch.float32}
    for name, value in state(1).items():
        torch.testing.assert_close(tensors[name], value, rtol=0, atol=HALF)
    assert (len(found.replaced), found.kept, found.mismatched) == (len(tensors), (), ())
    load_network(read_checkpoint(found.path, family="depth-anything-v2", kind="inverse"))


def test_parts_are_merged_and_the_rest_is_kept_and_named(official: Path) -> None:
    given = {f"module.{name}": value for name, value in state(1).items() if name.startswith("pretrained.")}
    given["module.pretrained.pos_embed"] = torch.zeros((1, 5, TINY.width))
    given["module.loss.weight"] = torch.zeros(3)
    found, tensors = merged(given, official)
    assert found.mismatched == ("pretrained.pos_embed is (1, 5, 64), expected (1, 1370, 64)",)
    assert found.unknown == ("module.loss.weight",)
    assert "depth_head.projects.0.weight" in found.kept and "pretrained.pos_embed" in found.kept
    for name, value in tensors.items():
        assert torch.equal(value, state(1 if name in found.replaced else 0)[name]), name


def test_a_share_lies_between_the_official_weights_and_the_trained_ones(official: Path) -> None:
    _, tensors = merged(state(1), official, share=0.25)
    for name, value in tensors.items():
        torch.testing.assert_close(value, 0.75 * state(0)[name] + 0.25 * state(1)[name], rtol=SAME, atol=SAME)


def test_a_share_of_an_update_is_added(official: Path) -> None:
    down, up = torch.rand((2, TINY.width)), torch.rand((3 * TINY.width, 2))
    given = {f"{QKV}.lora_A.weight": down, f"{QKV}.lora_B.weight": up}
    whole, half = (merged(given, official, alpha=2.0, share=share)[1][f"{QKV}.weight"] for share in (1.0, 0.5))
    begun = state(0)[f"{QKV}.weight"]
    torch.testing.assert_close(2 * (half - begun), whole - begun, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_out_of_range_is_refused(share: float, official: Path) -> None:
    with pytest.raises(InputError, match=f"share is {share}, expected above 0 and up to 1"):
        merged(state(1), official, share=share)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"model": {"conv.weight": torch.zeros(3)}},
            r"no tensor that fits into .* \(its tensors are model.conv.weight\)",
        ),
        ({"pretrained.cls_token": torch.zeros(3)}, r"no tensor that fits .*cls_token is \(3,\), expected \(1, 1, 64\)"),
        ({"epoch": 3}, "its tensors are none"),
        (
            {"pretrained.cls_token": torch.full((1, 1, 64), torch.nan)},
            "cls_token holds NaN or infinite values; the train",
        ),
    ],
)
def test_no_overlap_and_no_number_are_errors_and_nothing_is_written(data: object, message: str, official: Path) -> None:
    with pytest.raises(InputError, match=message):
        merged(data, official)
    assert not (official.parent / "out.pth").exists()


def test_a_training_here_gives_its_average_and_its_checkpoints(official: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "course", replace(QUICK, steps=4), validation=Brightness())
    assert result.best is not None
    out = tmp_path / "out.safetensors"
    found = merge_checkpoint(tmp_path / "course" / "state.pt", official, out)
    assert (found.kept, found.mismatched) == ((), ())
    assert_same(read_plain(out), weights(tmp_path / "course", "average"))
    merge_checkpoint(result.best, official, out)
    assert_same(read_plain(out), weights(tmp_path / "course", "average"))
    assert read_checkpoint(out).kind == "inverse", "what the trained file records of itself is kept"


def read_plain(path: Path) -> State:
    return dict(load_network(read_checkpoint(path, family="depth-anything-v2", kind="inverse")).state_dict())


def test_updates_of_lora_are_added(official: Path, tmp_path: Path) -> None:
    network = random_network(TINY)
    add_updates(network, 4, seed=0)
    options = replace(QUICK, steps=3, lora_rank=4, freeze_decoder=True, average_decay=0.0)
    run(tmp_path / "course", options, network=network)
    out = tmp_path / "out.pth"
    found = merge_checkpoint(tmp_path / "course" / "state.pt", official, out)
    assert found.kept == () and f"{QKV}.weight" in found.replaced
    expected = with_updates_added(network).state_dict()
    for name, value in torch.load(out, weights_only=True).items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=SAME)


@pytest.mark.parametrize("rslora", [False, True])
def test_a_folder_of_peft_is_merged(rslora: bool, official: Path, tmp_path: Path) -> None:
    down, up = torch.randn(4, 64), torch.randn(192, 4)
    names = {f"base_model.model.{QKV}.lora_A.weight": down, f"base_model.model.{QKV}.lora_B.weight": up}
    folder = tmp_path / "updates"
    folder.mkdir()
    save_file(names, folder / "adapter_model.safetensors")
    config = {"r": 4, "lora_alpha": 8, "peft_type": "LORA", "use_rslora": rslora}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    found = merge_checkpoint(folder, official, tmp_path / "out.pth")
    assert found.replaced == (f"{QKV}.weight",)
    expected = state(0)[f"{QKV}.weight"] + (4.0 if rslora else 2.0) * up @ down
    torch.testing.assert_close(torch.load(found.path, weights_only=True)[f"{QKV}.weight"], expected)


def test_a_folder_of_transformers_is_merged(official: Path, tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    folder = hugging_face()(tmp_path / "tuned", state(1))
    found = merge_checkpoint(folder, official, tmp_path / "out.pth")
    assert (found.mismatched, found.unknown) == ((), ())
    for name, value in torch.load(found.path, weights_only=True).items():
        assert torch.equal(value, state(1 if name in found.replaced else 0)[name]), name
    assert len(found.replaced) > 0.9 * len(state(0))


def test_updates_without_an_alpha_ask_for_it(official: Path) -> None:
    given = {f"{QKV}.lora_A.default.weight": torch.ones(2, 64), f"{QKV}.lora_B.default.weight": torch.ones(192, 2)}
    with pytest.raises(InputError, match="has updates of LoRA and does not say their alpha; give --alpha"):
        merged(given, official)
    _, tensors = merged(given, official, alpha=1.0)
    torch.testing.assert_close(tensors[f"{QKV}.weight"], state(0)[f"{QKV}.weight"] + 1)


def test_files_that_cannot_be_read_or_written_are_named(official: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"missing\.pth does not exist"):
        merge_checkpoint(tmp_path / "missing.pth", official, tmp_path / "out.pth")
    with pytest.raises(InputError, match=r"out\.onnx found, expected a name that ends with \.pth, \.pt, \.safetensors"):
        merge_checkpoint(official, official, tmp_path / "out.onnx")
