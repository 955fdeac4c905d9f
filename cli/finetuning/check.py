"""`depthrt finetune check`: lists the pairs of a data set that are not good, and writes the good as a manifest."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...exits import names_unwritten, needs, one_line_errors
from ..params import NameType, PathType
from ..show.printing import print_result, say
from ..show.progress import counted

if TYPE_CHECKING:
    from ...finetune.data.checks.dataset import Checked


@click.command()
@click.argument("datasets", type=NameType(), nargs=-1, required=True, metavar="DATASET...")
@click.option("-o", "--output", "manifest", type=PathType(), metavar="FILE.jsonl", help="Write the good pairs to it.")
@click.option(
    "--root",
    "roots",
    type=PathType(),
    multiple=True,
    metavar="DIR",
    help="Folder where the files of a list are looked for, with as few of their first folders left out as possible; "
    "may be given several times. Default: the list's folder.",
)
@click.option(
    "--depth-units",
    "units_per_m",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Units a metre of depth files that hold whole numbers and state no unit; the manifest keeps it. "
    "Default: 1000. KITTI's 256 are known.",
)
@click.option(
    "--masks",
    "shown",
    type=click.Choice(["mirror", "art", "window", "sky"]),
    help="What masks of 0 and one other value show, those of a list and those beside depth; with -o they become region "
    "masks. Default: a list has region masks, and masks beside depth say which pixels count.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@one_line_errors
def check(
    datasets: tuple[str, ...],
    manifest: Path | None,
    roots: tuple[Path, ...],
    units_per_m: float | None,
    shown: str | None,
    as_json: bool,
) -> None:
    """Read every pair of DATASET and list those that are missing, unreadable or mismatched.

    DATASET is a folder of pairs, Hypersim, Virtual KITTI 2, KITTI, NYU's .mat, a manifest, or a list with an image and
    a depth path on each line, after which a mask or a focal length may stand. The exit code is 1 if a pair is not good.

    A region mask is an 8-bit PNG whose bits 1, 2, 4 and 8 mark mirror, art, window and sky.

    With -o the good pairs become a manifest, with paths relative to it. The pairs of several lists that are named after
    their splits, as train.txt and val.txt, get these splits.

    \b
    Example:
      depthrt finetune check rooms/
      depthrt finetune check train.txt val.txt --root hypersim/ -o hypersim/manifest.jsonl
    """
    with needs("finetune"):
        from ...finetune.data.checks.several import check_datasets
        from ...finetune.data.checks.write_good import check_place, write_good
    if manifest is not None:
        check_place(manifest)
    with names_unwritten("nothing was written"), counted("pairs") as on_progress:
        found = check_datasets(datasets, units_per_m=units_per_m, roots=roots, shown=shown, on_progress=on_progress)
    for note in dict.fromkeys(note for checked in found for note in checked.notes):
        say(f"note: {note}")
    if as_json:
        print_result(json.dumps(_to_json(found), indent=1), lines=True)
    else:
        for checked in found:
            _show(checked)
    if manifest is not None:
        say(f"{manifest}: {_counted(write_good(found, manifest), 'pair')}")
    sys.exit(1 if any(checked.flaws for checked in found) else 0)


def _show(checked: Checked) -> None:
    """Print the flaws of a data set and what it holds."""
    from ...finetune.data.checks.dataset import FLAWS

    for flaw in checked.flaws:
        print_result(f"{flaw.kind}: {flaw.reason}")
    counts = {kind: sum(flaw.kind == kind for flaw in checked.flaws) for kind in FLAWS}
    wrong = "".join(f", {count} {kind}" for kind, count in counts.items() if count)
    scenes = _counted(len(checked.scenes), "scene")
    print_result(f"{checked.source}: {checked.good} of {_counted(checked.count, 'pair')} good, {scenes}{wrong}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _to_json(found: list[Checked]) -> list[dict[str, object]]:
    return [
        {
            "dataset": checked.source,
            "pairs": checked.count,
            "good": checked.good,
            "scenes": len(checked.scenes),
            "flaws": [asdict(flaw) for flaw in checked.flaws],
            "notes": checked.notes,
        }
        for checked in found
    ]
