"""Fine-tunes the small model on edited rooms, with planes and with the study's edit: python docs/flat_study.py FOLDER.

The start goes on from the shipped model on rooms without mirrors and pictures, so that it sees depth in them. Rooms
that hold some are kept for the fine-tuning, beside the edited ones. Each step goes on where it stopped; the same
command ends it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch

from depthrt.bench.datasets.manifest import MANIFEST, Entry, Split, read_manifest, write_manifest
from depthrt.bench.datasets.regions import FLAT, read_regions, region
from depthrt.finetune.augment.augment import augment
from depthrt.finetune.augment.options import Options
from depthrt.finetune.data.write_dataset import write_hypersim

SIZE_PX = (192, 256)  # (h, w) of all images
ROOMS, SETS = 2000, {50_000_000: 5000, 51_000_000: 5100}  # rooms in a folder; seed of the first one: of its textures
FOLDERS = 3  # of each set; seeds go on from one to the next
TEST_ROOMS, TEST_SEED, TEST_TEXTURES = 200, 70_000_000, 7000
SHARES, COPIES, EDIT_SEED = (0.3, 0.4, 0.3), 2, 11  # shares of mirrors, art, and windows or nothing
TEST_SHARES, TEST_COPIES, TEST_EDIT_SEED = (0.4, 0.4, 0.2), 2, 9
COMMON = ("--size", "160", "--batch", "16", "--variation", "0.5", "--keep-best", "1", "--warmup-steps", "50")
FORGETTING = ("--epochs", "4", "--learning-rate", "5e-4", "--encoder-factor", "1")
FLATTENING = (
    *("--whole", "--epochs", "4", "--learning-rate", "1e-4", "--encoder-factor", "0.3"),
    *("--distillation-weight", "48", "--planarity-weight", "96"),
    *("--validate-every", "1000000"),  # at the end alone: the last step moved less than the best of many validations
)


def main() -> None:
    """Render, edit, train and judge."""
    folder = Path(sys.argv[1])
    seeds = {first + ROOMS * number: textures for first, textures in SETS.items() for number in range(FOLDERS)}
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        jobs = [pool.submit(rooms, folder / f"rooms-{seed}", ROOMS, seed, textures) for seed, textures in seeds.items()]
        every = [job.result() for job in jobs]
    clean, flat = ([kept(manifest, flat=flat) for manifest in every] for flat in (False, True))
    start = train("default", joined(folder / "clean.jsonl", clean), folder / "start", *FORGETTING)
    models = [start]
    for name, study in (("edited", False), ("study", True)):
        options = Options(shares=SHARES, copies=COPIES, seed=EDIT_SEED, study=study)
        edited = [
            augment(manifest, folder / f"{name}-{manifest.parent.name}", options, previews=0).manifest
            for manifest in clean
        ]
        data = joined(folder / f"{name}.jsonl", (*edited, *flat))
        models.append(train(start, data, folder / f"from-{name}", *FLATTENING))
    test_rooms = rooms(folder / "test", TEST_ROOMS, TEST_SEED, TEST_TEXTURES)
    edit = Options(shares=TEST_SHARES, copies=TEST_COPIES, seed=TEST_EDIT_SEED)
    test_edited = augment(kept(test_rooms, flat=False), folder / "test-edited", edit, previews=0).manifest
    held_out = joined(folder / "held-out.jsonl", (test_rooms, test_edited), split="test")
    depthrt("finetune", "evaluate", *models, "--against", start, "--data", held_out, "-o", folder / "report")


def rooms(folder: Path, count: int, seed: int, textures: int) -> Path:
    """Render rooms; return their manifest."""
    height, width = SIZE_PX
    write_hypersim(folder, count, seed=seed, height_px=height, width_px=width, texture_seed=textures)
    return folder / MANIFEST


def kept(manifest: Path, *, flat: bool) -> Path:
    """Write a manifest of the rooms with a mirror or a picture, or of those without, beside that of all; return it."""
    path = manifest.with_name("flat.jsonl" if flat else "clean.jsonl")
    entries = [entry for entry in read_manifest(manifest) if has_flat(manifest.parent, entry) == flat]
    write_manifest(path, entries)
    return path


def has_flat(folder: Path, entry: Entry) -> bool:
    """Return whether a mirror or a picture is seen."""
    return entry.mask is not None and any(
        region(read_regions(folder / entry.mask, SIZE_PX), name).any() for name in FLAT
    )


def joined(path: Path, manifests: Iterable[Path], split: Split | None = None) -> Path:
    """Write one manifest of several, whose scenes stay apart; return it.

    Args:
        path: Of the manifest, above the others' folders.
        manifests: The others.
        split: That all entries are of; None leaves each in its own.
    """
    entries = []
    for manifest in manifests:
        begin = manifest.parent.name
        for entry in read_manifest(manifest):
            mask = None if entry.mask is None else f"{begin}/{entry.mask}"
            image, depth, scene = f"{begin}/{entry.image}", f"{begin}/{entry.depth}", f"{begin} {entry.scene}"
            placed = replace(entry, image=image, depth=depth, mask=mask, scene=scene, split=split or entry.split)
            entries.append(placed)
    write_manifest(path, entries)
    return path


def train(start: str | Path, data: Path, folder: Path, *options: str) -> Path:
    """Train a checkpoint; return the trained one."""
    trained = folder / "trained.safetensors"
    if not trained.exists():
        depthrt("finetune", "train", start, data, "-o", folder, *COMMON, *options)
    return trained


def depthrt(*arguments: str | Path) -> None:
    """Run a verb; stop if it fails."""
    subprocess.run([sys.executable, "-m", "depthrt", *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
