"""Fine-tunes the small model on edited rooms, with planes and with the study's edit: python docs/flat_study.py FOLDER.

The start goes on from the shipped model on rooms without mirrors and pictures, so that it sees depth in them. Each step
goes on where it stopped; the same command ends it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from depthrt.bench.datasets.manifest import MANIFEST, Entry, read_manifest, write_manifest
from depthrt.bench.datasets.regions import FLAT, read_regions, region
from depthrt.finetune.augment.augment import augment
from depthrt.finetune.augment.options import Options
from depthrt.finetune.data.write_dataset import write_hypersim

SIZE_PX = (192, 256)  # (h, w) of all images
ROOMS, ROOMS_SEED, ROOMS_TEXTURES = 4000, 50_000_000, 5000
TEST_ROOMS, TEST_SEED, TEST_TEXTURES = 200, 70_000_000, 7000
SHARES = (0.3, 0.4, 0.3)  # of mirrors, art, and windows or nothing
TEST_SHARES, TEST_COPIES, TEST_EDIT_SEED = (0.4, 0.4, 0.2), 2, 9
COMMON = ("--batch", "16", "--variation", "0.5", "--keep-best", "1", "--warmup-steps", "50")
FORGETTING = ("--size", "160", "--epochs", "6", "--learning-rate", "5e-4", "--encoder-factor", "1")
FLATTENING = (
    *("--size", "160", "--epochs", "6", "--learning-rate", "1e-4", "--encoder-factor", "0.3", "--nudge", "0.01"),
    *("--distillation-weight", "24", "--planarity-weight", "24"),
)


def main() -> None:
    """Render, edit, train and judge."""
    folder = Path(sys.argv[1])
    clean = clean_rooms(rooms(folder / "rooms", ROOMS, seed=ROOMS_SEED, textures=ROOMS_TEXTURES))
    for name, study in (("edited", False), ("study", True)):
        augment(clean, folder / name, Options(shares=SHARES, study=study), previews=0)
    test_rooms = rooms(folder / "test", TEST_ROOMS, seed=TEST_SEED, textures=TEST_TEXTURES)
    edit = Options(shares=TEST_SHARES, copies=TEST_COPIES, seed=TEST_EDIT_SEED)
    test_edited = augment(clean_rooms(test_rooms), folder / "test-edited", edit, previews=0).manifest
    held_out = joined(folder / "held-out.jsonl", (test_rooms, test_edited))

    start = train("default", clean, folder / "start", *FORGETTING)
    models = [
        start,
        *(train(start, folder / name / MANIFEST, folder / f"from-{name}", *FLATTENING) for name in ("edited", "study")),
    ]
    depthrt("finetune", "evaluate", *models, "--against", start, "--data", held_out, "-o", folder / "report")


def rooms(folder: Path, count: int, *, seed: int, textures: int) -> Path:
    """Render rooms; return their manifest."""
    height, width = SIZE_PX
    write_hypersim(folder, count, seed=seed, height_px=height, width_px=width, texture_seed=textures)
    return folder / MANIFEST


def clean_rooms(manifest: Path) -> Path:
    """Write a manifest of the rooms without a mirror or a picture beside that of all rooms; return it."""
    path = manifest.with_name("clean.jsonl")
    write_manifest(path, [entry for entry in read_manifest(manifest) if not has_flat(manifest.parent, entry)])
    return path


def has_flat(folder: Path, entry: Entry) -> bool:
    """Return whether a mirror or a picture is seen."""
    return entry.mask is not None and any(
        region(read_regions(folder / entry.mask, SIZE_PX), name).any() for name in FLAT
    )


def joined(path: Path, manifests: Iterable[Path]) -> Path:
    """Write one manifest of several, whose scenes stay apart; return it."""
    entries = []
    for manifest in manifests:
        begin = manifest.parent.name
        for entry in read_manifest(manifest):
            mask = None if entry.mask is None else f"{begin}/{entry.mask}"
            image, depth, scene = f"{begin}/{entry.image}", f"{begin}/{entry.depth}", f"{begin} {entry.scene}"
            entries.append(replace(entry, image=image, depth=depth, mask=mask, scene=scene, split="test"))
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
