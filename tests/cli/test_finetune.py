"""`depthrt finetune`: what it writes and trains is stood in for; what is parsed, printed and refused is tested."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from made_terminal import make_terminal
from run_verb import run

from depthrt import InputError
from depthrt.cli import main
from depthrt.finetune.data import write_dataset
from depthrt.finetune.data.write_dataset import Dataset

Written = list[tuple[str, Path, int, int]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    """Calls of the writers of both layouts, which write nothing: layout, folder, scenes and seed."""
    calls: Written = []

    def writer(layout: str) -> Callable[..., Dataset]:
        def write(folder: Path, count: int, *, seed: int, on_progress: Callable[[int, int], None]) -> Dataset:
            calls.append((layout, folder, count, seed))
            on_progress(count, count)
            return Dataset(folder, folder / "train.txt", folder / "val.txt", count)

        return write

    for layout in ("hypersim", "vkitti2"):
        monkeypatch.setattr(write_dataset, f"write_{layout}", writer(layout))
    return calls


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ((), ("hypersim", 3, 0)),
        (("--seed", 7), ("hypersim", 3, 7)),
        (("--layout", "vkitti2"), ("vkitti2", 3, 0)),
    ],
)
def test_scenes_are_written_in_the_layout_that_was_given(
    options: tuple[object, ...], call: tuple[str, int, int], tmp_path: Path, written: Written
) -> None:
    folder = tmp_path / "rooms [new]"
    result = run("finetune", "scenes", "-o", folder, "-n", 3, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"{folder}: 3 scenes", str(folder / "train.txt"), str(folder / "val.txt")]
    assert written == [(call[0], folder, *call[1:])]


@pytest.mark.usefixtures("written")
def test_a_terminal_shows_how_many_scenes_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stderr")
    main(["finetune", "scenes", "-o", str(tmp_path), "-n", "3"], standalone_mode=False)
    assert "scenes" in terminal.shown() and "3/3" in terminal.shown()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scenes", "-n", 3), "Missing option '-o' / '--output'."),
        (("scenes", "-o", "rooms"), "Missing option '-n' / '--count'."),
        (("scenes", "-o", "rooms", "-n", 0), "'-n' / '--count': 0 is not in the range x>=1."),
        (("scenes", "-o", "rooms", "-n", 1, "--seed", -1), "'--seed': -1 is not in the range x>=0."),
        (("scenes", "-o", "rooms", "-n", 1, "--layout", "nyu"), "'nyu' is not one of 'hypersim', 'vkitti2'."),
        (("default",), "Missing option '-o' / '--output'."),
        (("default", "-o", "out", "--device", "tpu"), "'tpu' is not one of 'cpu', 'cuda'."),
        (("nothing",), "No such command 'nothing'."),
    ],
)
def test_wrong_usage_names_the_option(arguments: tuple[object, ...], message: str, written: Written) -> None:
    result = run("finetune", *arguments)
    assert result.exit_code == 2 and result.stdout == "" and written == []
    assert result.stderr.endswith(f"{message}\n") and result.stderr.startswith("Usage: depthrt finetune ")


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "rooms").write_bytes(b"mine")
    result = run("finetune", "scenes", "-o", tmp_path / "rooms", "-n", 1)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert str(tmp_path / "rooms") in result.stderr and (tmp_path / "rooms").read_bytes() == b"mine"


def test_the_default_model_is_rendered_for_then_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, Path, str]] = []

    def render(folder: Path, *, device: str, on_progress: Callable[[int, int], None]) -> None:
        called.append(("render", folder, device))
        on_progress(64, 64)

    def train(folder: Path, *, device: str) -> Path:
        called.append(("train", folder, device))
        return folder / "default.safetensors"

    monkeypatch.setattr("depthrt.finetune.default_model.render_default", render)
    monkeypatch.setattr("depthrt.finetune.default_model.train_default", train)
    result = run("finetune", "default", "-o", tmp_path)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'default.safetensors'}\n")
    assert called == [("render", tmp_path, "cpu"), ("train", tmp_path, "cpu")]


def test_nothing_is_trained_if_the_scenes_cannot_be_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def render(*arguments: object, **options: object) -> None:
        raise InputError("the disk is full; free it")

    monkeypatch.setattr("depthrt.finetune.default_model.render_default", render)
    monkeypatch.setattr("depthrt.finetune.default_model.train_default", lambda *_, **__: pytest.fail("trained"))
    result = run("finetune", "default", "-o", tmp_path)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "error: the disk is full; free it\n")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_training_on_a_gpu_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = run("finetune", "default", "-o", tmp_path, "--device", "cuda")
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.exit_code == 1 and "finds no CUDA device; take cpu" in line
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_one_word_and_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write_dataset, "write_hypersim", interrupted)
    result = run("finetune", "scenes", "-o", tmp_path / "scenes", "-n", 1)
    assert (result.exit_code, result.stderr) == (
        130,
        "stopped by Ctrl-C; what was written is whole, the same command continues\n",
    )


@pytest.mark.parametrize("verb", ["scenes", "default"])
def test_a_missing_package_names_the_extra(verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("depthrt.finetune.data.write_dataset", "depthrt.finetune.default_model"):
        monkeypatch.setitem(sys.modules, module, ModuleType(module))  # lacks everything
    options = ("-n", 1) if verb == "scenes" else ()
    result = run("finetune", verb, "-o", tmp_path, *options)
    assert result.exit_code == 1 and result.stderr.startswith("error: cannot import name ")
    assert result.stderr.endswith("; install it with: pip install 'depthrt[finetune]'\n")


@pytest.mark.parametrize(("verb", "default"), [("scenes", "[default: 0; x>=0]"), ("default", "[default: cpu]")])
def test_help_has_defaults_and_an_example(verb: str, default: str) -> None:
    text = run("finetune", verb, "--help").stdout
    assert default in text and "Example:" in text and f"depthrt finetune {verb} " in text
