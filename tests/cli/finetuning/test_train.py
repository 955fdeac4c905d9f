"""`depthrt finetune train`: one line is enough, what is decided is shown, and every option reaches the training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from made_mirror_rooms import write_rooms
from one_thread import one_thread
from random_checkpoint import TINY, random_network, save_official
from run_verb import run

from depthrt.cli.finetuning.train import PRESETS, train
from depthrt.export.checkpoint.checkpoint import describe_checkpoint
from depthrt.finetune.adapt.plan import Wishes
from depthrt.finetune.adapt.presets import PRESETS as PRESET_NAMES

NOT_WISHES = {
    "checkpoint", "datasets", "folder", "device", "family", "kind", "max_depth_m", "weights", "held_out", "units_per_m",
    "only_plan", "help_advanced",
}  # fmt: skip
MOST_AT_FIRST = 10


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread, as the tests of finetune do."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("train")
    name = "depth_anything_v2_metric_hypersim_vits.pth"
    return save_official(random_network(TINY, max_depth_m=20.0), folder / name), write_rooms(folder / "rooms", 3)


OPTIONS = ("--family", "depth-anything-v2", "--kind", "metric", "--max-depth", 20, "--size", 42, "--no-bf16")


def test_a_checkpoint_and_a_folder_are_enough(data: tuple[Path, Path], tmp_path: Path) -> None:
    checkpoint, rooms = data
    result = run("finetune", "train", checkpoint, rooms, "-o", tmp_path / "out", *OPTIONS, "--epochs", 1)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [str(tmp_path / "out" / "trained.safetensors")]
    for text in (
        "rooms: 4 pairs, 2 of them with flat regions; 2 held out, of 1 scenes",
        "GB a step",
        "before the training: score ",
        "planarity weight 10",
    ):
        assert text in result.stderr
    assert describe_checkpoint(tmp_path / "out" / "trained.safetensors").max_depth_m == 20.0


def test_a_preset_says_where_it_differs_from_the_study(data: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("finetune", "train", *data, "-o", tmp_path / "out", *OPTIONS, "--preset", "outdoor-art", "--plan")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "outdoor-art, pictures in streets" in result.stderr
    assert len(re.findall("^  - ", result.stderr, re.MULTILINE)) > 5
    assert "answers up to 20 m, the preset is for 80 m" in result.stderr
    assert not (tmp_path / "out").exists(), "a plan writes nothing"


def test_too_little_memory_of_a_gpu_is_said(
    data: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthrt.finetune.fine_tune.free_memory", lambda device: 1.0)
    result = run("finetune", "train", *data, "-o", tmp_path / "out", *OPTIONS, "--plan")
    assert "0.00 GB are free on the GPU; --lora 16, --recompute" in result.stderr


def test_help_shows_few_options_at_first_and_all_others_under_advanced() -> None:
    first, advanced = run("finetune", "train", "--help").stdout, run("finetune", "train", "--help-advanced").stdout
    shown, more = (set(re.findall(r"^  (?:-o, )?(--[a-z0-9-]+)", text, re.MULTILINE)) for text in (first, advanced))
    assert len(shown) <= MOST_AT_FIRST and {"--output", "--preset", "--help-advanced"} <= shown
    assert len(more) > 15 and not shown & more - {"--help"}
    every = {option.opts[-1] for option in train.params if isinstance(option, click.Option)}
    assert {name for name in every if name.startswith("--")} <= shown | more
    assert "Example:" in first


def test_each_option_is_a_wish_or_one_of_the_verb() -> None:
    names = {parameter.name for parameter in train.params}
    assert names - NOT_WISHES == {field.name for field in fields(Wishes)}
    assert PRESETS == PRESET_NAMES


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--freeze", "head"), 1, "freeze 'head' found, expected encoder, decoder"),
        (("--size", 43), 1, "size 43 px found, expected a multiple of 14 px, such as 42"),
        (("--mix", "1,x"), 2, "'1,x' found, expected positive numbers such as 3,1"),
        (("--fold", "3/2"), 2, "'3/2' found, expected K/N such as 2/5, K from 1 to N"),
        (("--mix", "1,2"), 1, "2 shares for 1 data sets found"),
        (("--freeze", "encoder", "--lora", 4), 1, "lora_rank is 4 and freeze_encoder is true"),
        (("--preset", "cave"), 2, "'cave' is not one of"),
    ],
)
def test_what_does_not_fit_is_one_line_and_writes_nothing(
    options: tuple[object, ...], code: int, message: str, data: tuple[Path, Path], tmp_path: Path
) -> None:
    result = run("finetune", "train", *data, "-o", tmp_path / "out", *OPTIONS, *options)
    assert result.exit_code == code and message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_family_that_cannot_be_trained_is_refused(data: tuple[Path, Path], tmp_path: Path) -> None:
    missing = tmp_path / "no.pth"
    result = run("finetune", "train", missing, data[1], "-o", tmp_path / "out")
    assert result.exit_code == 1 and "no.pth does not exist" in result.stderr
