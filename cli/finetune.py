"""`depthrt finetune`: data sets with exact depth, mirrors and art; checkpoints trained on them, merged and judged."""

from __future__ import annotations

from pathlib import Path

import click

from ..exits import names_unwritten, needs, one_line_errors
from .finetuning.augment import augment
from .finetuning.check import check
from .finetuning.evaluate import evaluate
from .finetuning.merge import merge
from .finetuning.train import CONTINUES, train
from .params import PathType
from .show.printing import print_result
from .show.progress import counted


@click.group()
def finetune() -> None:
    """Train a checkpoint on data sets, so that mirrors and pictures become flat; make, check and edit data; judge."""


@finetune.command()
@click.option("-o", "--output", "folder", type=PathType(), required=True, help="Folder of the data set.")
@click.option("-n", "--count", type=click.IntRange(1), required=True, help="Number of scenes.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the first scene; the next scenes have the next seeds.",
)
@click.option(
    "--layout",
    type=click.Choice(["hypersim", "vkitti2"]),
    default="hypersim",
    show_default=True,
    help="hypersim: rooms, 1024x768, preview images and HDF5 distances (no HDR colour). "
    "vkitti2: streets, 1242x375, PNG centimetres.",
)
@one_line_errors
def scenes(folder: Path, count: int, seed: int, layout: str) -> None:
    """Write procedural scenes as a data set that readers of Hypersim or Virtual KITTI 2 read unchanged.

    manifest.jsonl names the pairs, each with its scene, its split, and its mask of mirrors, art, windows and sky.
    Files that exist are kept, so a stopped run resumes.

    \b
    Example:
      depthrt finetune scenes -o rooms/ -n 1000 --seed 7
    """
    with needs("finetune"):
        from ..finetune.data.write_dataset import write_hypersim, write_vkitti2
    write = write_hypersim if layout == "hypersim" else write_vkitti2
    with names_unwritten(CONTINUES), counted("scenes") as on_progress:
        dataset = write(folder, count, seed=seed, on_progress=on_progress)
    print_result(f"{dataset.directory}: {dataset.pairs} scenes")
    print_result(dataset.train)
    print_result(dataset.val)


@finetune.command()
@click.option("-o", "--output", "folder", type=PathType(), required=True, help="Folder of scenes and training.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@one_line_errors
def default(folder: Path, device: str) -> None:
    """Train the model that comes with depthrt from scratch: many hours on a CPU.

    First it renders 30 GB of scenes, then it trains. Both resume after a stop.

    \b
    Example:
      depthrt finetune default -o training/
      depthrt export training/default.safetensors -o default.onnx --size 160 --half-storage
    """
    with needs("finetune"):
        from ..finetune.default_model import render_default, train_default
    with names_unwritten(CONTINUES):
        with counted("scenes") as on_progress:
            render_default(folder, device=device, on_progress=on_progress)
        checkpoint = train_default(folder, device=device)
    print_result(checkpoint)


for verb in (check, augment, train, merge, evaluate):
    finetune.add_command(verb)
