"""The recipe of the default model: its card, its first weights, and the checkpoint that a training writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from made_pool import SHARD, pool_source, write_pool
from two_processes import Ranks

from depthrt.engine.errors import InputError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.network.conv_depth import ConvDepth, fold_norms
from depthrt.finetune import default_model
from depthrt.finetune.data import scene_pool
from depthrt.finetune.data.scene_pool import SHARD as SCENES_A_SHARD
from depthrt.finetune.data.scene_pool import Stage
from depthrt.finetune.scenes.settings.compose import SETTINGS
from depthrt.finetune.training.train import TrainResult, train
from depthrt.finetune.training.training_state import STATE_NAME

CARD = Path(default_model.__file__).parents[1] / "engine" / "modelfile" / "default.md"
CARD_LINES = 10
NOTES = Path(default_model.__file__).with_name("NOTES.md")


def test_the_card_names_the_scenes_of_the_recipe() -> None:
    text = " ".join(CARD.read_text(encoding="utf-8").split())
    weights = [(weight, kind in dict(SETTINGS["outdoor"])) for kind, weight in SETTINGS["mixed"]]
    outdoor = sum(weight for weight, outside in weights if outside) / sum(weight for weight, _ in weights)
    scenes, mixed = (shards * SCENES_A_SHARD for shards in (default_model.SHARDS, default_model.MIXED_SHARDS))
    assert f"{scenes:,} procedural scenes" in text
    assert f'seeds 0 to {mixed - 1:,} of the setting "mixed"' in text
    assert f'{mixed:,} to {scenes - 1:,} of "indoor"' in text
    assert f"{1 - outdoor:.0%} indoor".replace("%", " %") in text
    assert f"{outdoor:.0%} outdoor".replace("%", " %") in text
    sizes = [f"{height}x{width}" for height, width in scene_pool.SIZES_PX]
    assert f"a third each of {', '.join(sizes[:-1])} and {sizes[-1]} px" in text


def test_the_card_is_ten_lines_and_its_figures_are_those_of_the_notes() -> None:
    lines = [line for line in CARD.read_text(encoding="utf-8").splitlines() if line]
    assert len(lines) <= CARD_LINES
    notes = NOTES.read_text(encoding="utf-8")
    figures = re.findall(r"(0\.\d{3}) \((0\.\d{3})\)", " ".join(" ".join(lines).split()))
    rows = re.findall(r"\| (default|vertical gradient) \| (0\.\d{3}) \| (0\.\d{3}) \|", notes)
    assert figures == [(abs_rel, delta1) for _, abs_rel, delta1 in rows] and len(figures) == 6
    assert [name for name, *_ in rows] == ["default", "vertical gradient"] * 3


def test_first_weights_are_those_of_their_seed_and_answer_near_one() -> None:
    networks = [default_model.first_network(7) for _ in range(2)]
    first, second = (network.state_dict() for network in networks)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    other = default_model.first_network(8).state_dict()
    assert not torch.equal(first["pretrained.stem.0.convolution.weight"], other["pretrained.stem.0.convolution.weight"])
    image = torch.randn((2, 3, 96, 128), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        answer = networks[0].train()(image)
    assert 0.2 < float(answer.median()) < 3
    assert float(answer.std()) > 0.01


def test_a_training_of_the_default_model_becomes_a_small_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_pool, "SHARD", SHARD)
    network = default_model.first_network(0)
    options = replace(default_model.OPTIONS, steps=1, hold_steps=0)
    wide = (Stage(0, ((64, 64),), 3),)  # the narrowest images of the made pool are too narrow for bfloat16
    source = pool_source(write_pool(tmp_path / "pool"), stages=wide)
    train(network, source, None, options, tmp_path / "run", quiet=True)
    path = tmp_path / "default.safetensors"
    default_model.write_default(tmp_path / "run", path)
    facts = describe_checkpoint(path)
    assert (facts.dtypes, facts.family, facts.kind, facts.licence, facts.notes) == (
        ("float16",),
        "depthrt",
        "inverse",
        "Apache-2.0",
        {"step": "1"},
    )
    assert path.stat().st_size < 20e6
    averaged = ConvDepth(default_model.ARCHITECTURE, norms=True)
    averaged.load_state_dict(torch.load(tmp_path / "run" / STATE_NAME, weights_only=True)["average"])
    expected = fold_norms(averaged).half().float().state_dict()
    found = load_network(read_checkpoint(path)).state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("work", [default_model.render_default, default_model.train_default])
def test_an_unknown_device_is_refused_before_anything_is_written(work: Callable[..., object], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="device 'tpu' found, expected cpu or cuda"):
        work(tmp_path / "out", device="tpu")
    assert list(tmp_path.iterdir()) == []


def test_the_scenes_of_the_recipe_are_rendered_into_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    seen: list[tuple[int, int]] = []

    def render(directory: Path, shards: int, *, on_shard: Callable[[int, int], None], **options: object) -> None:
        asked.append({"directory": directory, "shards": shards, **options})
        on_shard(3, shards)

    monkeypatch.setattr(default_model, "render_pool", render)
    default_model.render_default(tmp_path, on_progress=lambda done, wanted: seen.append((done, wanted)))
    recipe = {"shards": default_model.SHARDS, "indoor_from": default_model.MIXED_SHARDS, "device": "cpu"}
    assert asked == [{"directory": tmp_path / "pool", **recipe}]
    assert seen == [(3 * SCENES_A_SHARD, default_model.SHARDS * SCENES_A_SHARD)]
    default_model.render_default(tmp_path)  # without a listener
    assert len(asked) == 2


def test_a_training_resumes_if_there_is_one_and_an_interruption_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed: list[bool] = []

    def stop(*arguments: object, resume: bool, device: str) -> TrainResult:
        resumed.append(resume)
        (tmp_path / "course").mkdir(exist_ok=True)
        (tmp_path / "course" / STATE_NAME).touch()
        return TrainResult("interrupted", 5, None)

    monkeypatch.setattr(default_model, "held_out_scenes", lambda *arguments: [])
    monkeypatch.setattr(default_model, "train", stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            default_model.train_default(tmp_path)
    assert resumed == [False, True]
    assert not (tmp_path / "default.safetensors").exists()


def test_two_processes_keep_the_recipe_s_steps_and_only_the_first_writes(two_processes: tuple[Path, Ranks]) -> None:
    folder, ranks = two_processes
    path = folder / "default" / "default.safetensors"
    assert [rank["default"]["written"] for rank in ranks] == [[str(path)], []]
    assert describe_checkpoint(path).notes == {"step": "2"}
    sizes = {int(index): size for rank in ranks for index, size in rank["default"]["sizes"].items()}
    assert [sizes[index] for index in range(4)] == [2, 2, 3, 3]  # two batches a step; the second step is the next stage
