"""`depthrt finetune augment`: frames of a data set with mirrors, art and negatives whose depth is true."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ...exits import names_unwritten, needs, one_line_errors
from ..params import NameType, PathType, depth_units
from ..show.printing import print_result, say
from ..show.progress import counted


@click.command()
@click.argument("dataset", type=NameType())
@click.option("-o", "--output", "folder", type=PathType(), required=True, help="Folder of the augmented frames.")
@click.option(
    "--kinds",
    default="mirror,art,negative",
    show_default=True,
    metavar="KIND[=PART],...",
    help="What frames get, in equal parts, or in parts such as mirror=2,art=5,negative=3.",
)
@click.option("--copies", type=click.IntRange(1), default=1, show_default=True, help="Frames made of each frame.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of everything that is drawn.")
@click.option(
    "--pictures",
    type=PathType(),
    help="Folder of images to show as art. Default: the other frames of DATASET, and painted pictures.",
)
@click.option(
    "--preview",
    "previews",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Pictures to look at, of N frames: image, depth before and after.",
)
@click.option("--jobs", type=click.IntRange(1), help="Threads. Default: the cores that this process may use.")
@depth_units
@one_line_errors
def augment(
    dataset: str,
    folder: Path,
    kinds: str,
    copies: int,
    seed: int,
    pictures: Path | None,
    previews: int,
    jobs: int | None,
    units_per_m: float,
) -> None:
    """Write the frames of DATASET with mirrors, pictures, openings and dark screens, each with its true depth.

    \b
    mirror    a part of a plane of the scene reflects the scene; its depth is the plane's
    art       pictures on a plane of the scene or in front of it; their depth is the plane's
    negative  windows and doorways with real depth behind them, dark screens, and frames as they are

    DATASET is what `depthrt bench --ground-truth` takes: a folder, list or manifest. Depth keeps its format and unit,
    and pixels that are not edited keep their values. The folder gets a manifest.jsonl, by which training reads it.
    Frames that exist are kept, so a stopped run resumes.

    \b
    Example:
      depthrt finetune augment rooms/ -o rooms-augmented/ --kinds mirror=3,art=4,negative=3 --preview 20
    """
    with needs("finetune"):
        from ...finetune.augment.augment import augment as write
        from ...finetune.augment.options import Options, read_kinds
    options = Options(read_kinds(kinds), copies, seed, pictures)
    continues = "what was written is whole, the same command continues"
    with names_unwritten(continues), counted("frames") as on_progress:
        done = write(
            dataset,
            folder,
            options,
            units_per_m=units_per_m,
            jobs=jobs,
            previews=previews,
            on_progress=on_progress,
        )
    for note in done.notes:
        say(f"note: {note}")
    for name, error in done.failures:
        say(f"failed: {name}: {error}")
    print_result(f"{done.manifest.parent}: {done.samples} frames")
    print_result(done.manifest)
    sys.exit(1 if done.failures else 0)
